/** What is drawn in an element of the page, as a drawing for a file: its SVG with the page's colours, and its words. */
import { element, text, type Sheet } from './drawing_file.ts';
import type { ResolveColour } from './encodings.ts';

const STYLES = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'opacity',
  'text-anchor',
  'font-size',
] as const;
const COLOURED: readonly string[] = ['fill', 'stroke'];
/** Is no part of the drawing: the menu that saves it. */
export const NOT_DRAWN = 'data-not-drawn';
const MARGIN = 8; // px

interface Place {
  readonly left: number;
  readonly top: number;
}

/** A copy that needs no style sheet. */
function drawingOf(svg: SVGSVGElement, { left, top }: Place, colour: ResolveColour): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const copies = [copy, ...copy.querySelectorAll('*')];
  for (const [index, original] of [svg, ...svg.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(original);
    for (const name of STYLES) {
      const value = style.getPropertyValue(name);
      copies[index].setAttribute(name, COLOURED.includes(name) && value !== 'none' ? colour(value) : value);
    }
    for (const { name } of [...copies[index].attributes])
      if (name === 'class' || name === 'style' || /^(data|aria)-/.test(name))
        copies[index].removeAttribute(name);
  }
  const { x, y, width, height } = svg.getBoundingClientRect();
  const box = { x: x - left, y: y - top, width, height };
  for (const [name, value] of Object.entries(box)) copy.setAttribute(name, String(value));
  if (!svg.hasAttribute('viewBox')) copy.setAttribute('viewBox', `0 0 ${width} ${height}`);
  return new XMLSerializer().serializeToString(copy);
}

/** Words of one text node, a line of the page after the other. */
function linesOf(node: Text, { left, top }: Place, colour: ResolveColour): readonly string[] {
  const range = document.createRange();
  const lines = new Map<number, { words: string; box: DOMRect }>(); // by their top
  for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const box = range.getBoundingClientRect();
    if (box.width <= 1) continue; // for screen readers
    const line = lines.get(box.top);
    lines.set(box.top, line ? { ...line, words: `${line.words} ${word}` } : { words: word, box });
  }
  const style = getComputedStyle(node.parentElement!);
  const size = parseFloat(style.fontSize);
  const look = { 'font-size': size, 'font-weight': style.fontWeight, fill: colour(style.color) };
  return [...lines.values()].map(({ words, box }) =>
    text(words, { x: box.left - left, y: box.top - top + box.height / 2 + 0.35 * size, ...look }),
  );
}

const isDrawn = (node: Element): boolean =>
  node.checkVisibility() && node.closest(`[${NOT_DRAWN}], .visually-hidden`) === null;

/** All of the element, what is scrolled out of sight included. */
export function pageSheet(title: string, box: HTMLElement, colour: ResolveColour): Sheet {
  const { left, top } = box.getBoundingClientRect();
  const place = { left: left - box.scrollLeft - MARGIN, top: top - box.scrollTop - MARGIN };
  const drawings = [...box.querySelectorAll('svg')]
    .filter(isDrawn)
    .map((svg) => drawingOf(svg, place, colour));
  const words: string[] = [];
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
    const parent = node.parentElement;
    if (parent && !parent.closest('svg') && isDrawn(parent)) words.push(...linesOf(node, place, colour));
  }
  return {
    title,
    width: box.scrollWidth + 2 * MARGIN,
    height: box.scrollHeight + 2 * MARGIN,
    inside: element('g', {}, [...drawings, ...words].join('\n')),
  };
}
