/** Words that cannot be read where they stand: drawn over, or cut in their middle. */

/** What lies over a page on purpose, and what is for readers only. */
const ASIDE =
  'dialog, .popover, .knobs, .zoom-buttons, .minimap, .skip-link, .visually-hidden, option, canvas';
/** What takes a place of its own: words of something else must not lie in it. */
const CARDS =
  '.panel, section, aside, figure, fieldset, table, pre, button, select, input, textarea, .tree-frame, [role="treeitem"] > rect, [role="treeitem"] > circle:not(.ring)';
const TOUCHING = 2; // px that boxes may share
const LEADING = 0.2; // of a line's height above and below the letters, that lines may share

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Words {
  readonly element: Element;
  readonly text: string;
  readonly box: Box; // px, the letters that are in sight
}

const common = (a: Box, b: Box): Box => ({
  left: Math.max(a.left, b.left),
  right: Math.min(a.right, b.right),
  top: Math.max(a.top, b.top),
  bottom: Math.min(a.bottom, b.bottom),
});
const isSeen = ({ left, right, top, bottom }: Box): boolean =>
  right - left > TOUCHING && bottom - top > TOUCHING;

function* ancestors(element: Element): Generator<Element> {
  for (let at: Element | null = element; at; at = at.parentElement) yield at;
}

const clips = (element: Element): boolean => {
  const { overflowX, overflowY } = getComputedStyle(element);
  return overflowX !== 'visible' || overflowY !== 'visible';
};

/** What of a box is in sight: within the window and all that clips it. */
const inSight = (element: Element, box: Box): Box =>
  [...ancestors(element)]
    .filter(clips)
    .reduce<Box>((seen, at) => common(seen, at.getBoundingClientRect()), common(box, windowBox()));
const windowBox = (): Box => ({ left: 0, top: 0, right: innerWidth, bottom: innerHeight });

const lettersOf = ({ left, right, top, bottom }: Box): Box => {
  const leading = LEADING * (bottom - top);
  return { left, right, top: top + leading, bottom: bottom - leading };
};

/** Every line of text in sight. */
function wordsOf(root: Element): readonly Words[] {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const words: Words[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.nodeValue?.trim() ?? '';
    if (!element || text === '' || element.closest(ASIDE) || !element.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const line of range.getClientRects()) {
      const box = inSight(element, lettersOf(line));
      if (isSeen(box)) words.push({ element, text, box });
    }
  }
  return words;
}

const owner = (element: Element): Element => element.closest('[role="treeitem"]') ?? element;
const belongs = (inner: Element, card: Element): boolean =>
  card.contains(inner) || inner.contains(card) || owner(card) === owner(inner);
const say = (text: string): string => `“${text.slice(0, 40)}”`;
/** A heading of a table that stays in sight while its rows pass below it. */
const isSticky = (element: Element): boolean =>
  [...ancestors(element)].some((at) => getComputedStyle(at).position === 'sticky');

/** @returns a sentence for each place where words lie over words, or in a card or a node that is not theirs */
export function overlaps(root: Element): readonly string[] {
  const words = wordsOf(root);
  const cards = [...root.querySelectorAll(CARDS)]
    .filter((card) => card.checkVisibility() && !card.closest(ASIDE))
    .map((card) => ({ card, box: inSight(card, card.getBoundingClientRect()) }));
  const found = new Set<string>();
  words.forEach((one, index) => {
    for (const other of words.slice(index + 1)) {
      if (one.element === other.element || !isSeen(common(one.box, other.box))) continue;
      if (!isSticky(one.element) && !isSticky(other.element))
        found.add(`${say(one.text)} and ${say(other.text)} lie over each other`);
    }
    for (const { card, box } of cards)
      if (isSeen(common(one.box, box)) && !belongs(one.element, card) && !isSticky(card))
        found.add(`${say(one.text)} lies in ${card.outerHTML.slice(0, 60)}`);
  });
  return [...found];
}

/** @returns what is cut off at its side where nothing can be scrolled, and neither dots nor a title say the rest */
export function cutWords(root: Element): readonly string[] {
  const hides = (element: Element): boolean => {
    const { overflowX, clipPath } = getComputedStyle(element);
    return /hidden|clip/.test(overflowX) && clipPath !== 'inset(50%)'; // said to who listens, not shown
  };
  return [...root.querySelectorAll('*')]
    .filter(
      (element) =>
        element.checkVisibility() && hides(element) && element.scrollWidth > element.clientWidth + 1,
    )
    .filter(
      (element) => !element.closest(`${ASIDE}, .tree-frame, .chart`) && element.textContent.trim() !== '',
    )
    .filter((element) => {
      const isDotted = getComputedStyle(element).textOverflow === 'ellipsis';
      return !(isDotted && element.closest('[title]'));
    })
    .map((element) => `${say(element.textContent.trim())} is cut at its side`);
}
