/** Parts of the page that a step of a lesson points at: a ring round them, and a way to them. */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { useLab, useSelection } from '../parts/binding.ts';

interface LabPart {
  readonly selector: string;
  readonly words: string; // as a sentence goes on: 'Look at …'
}

const labelled = (label: string, words: string): LabPart => ({
  selector: `#view [aria-label="${label}"]`,
  words,
});

const curve = (key: string, words: string): LabPart => ({
  selector: `#view .curves [data-curve="${key}"]`,
  words: `the curve of ${words}`,
});

/** To point at another part: a line. A turn is pointed at as n3. */
const PARTS: Readonly<Record<string, LabPart>> = {
  tree: { selector: '#view .tree-frame', words: 'the tree' },
  formula: labelled('Formula', 'the formula'),
  sentence: { selector: '#view .step-sentence', words: 'the sentence of the step' },
  steps: labelled('Credit steps', 'the buttons that step through credit'),
  phases: labelled('Credit phases', 'the phases of credit'),
  rules: labelled('Credit rules', 'the credit rules'),
  leaves: labelled('Leaves', 'the leaves and their rewards'),
  changes: labelled('What changes', 'what changes'),
  influence: { selector: '#view .influences', words: 'the influence of each leaf' },
  question: { selector: '#view .prompt-bar .question', words: 'the question' },
  turn: { selector: '#view .node-panels', words: 'the selected turn' },
  candidates: { selector: '#view .candidates', words: 'the candidates of the expansion' },
  growth: labelled('Growth replay', 'how the tree grew'),
  colours: labelled('Colour by', 'the colours of the tree'),
  curves: { selector: '#view .curves', words: 'the curves' },
  exactMatch: curve('exactMatch', 'exact match'),
  clipFraction: curve('clipFraction', 'the clip fraction'),
  deadTrees: curve('deadTrees', 'the dead trees'),
  batch: labelled('Batch', 'the trees of the update'),
  rulesAB: { selector: '#view .rule-pair', words: 'the two rules' },
  matrix: { selector: '#view .rule-matrix', words: 'every rule on this path' },
  tokens: { selector: '#view .transcript', words: 'the words of the path' },
  difference: labelled('Tokens by the difference of the rules', 'the words by the difference of the rules'),
  disagreement: labelled('Where the rules disagree', 'where the rules disagree'),
  sides: { selector: '#view .compare-sides', words: 'the tree under both rules' },
  grid: { selector: '#view .batch-grid', words: 'the trees of the update' },
  alarms: labelled('Alarms', 'the alarms'),
  lane: { selector: '#view .turn-lane', words: 'the turns of the row' },
  balance: labelled('Is it learning?', 'the answer to “is it learning?”'),
  clip: labelled('Clip band', 'the clip band'),
  token: labelled('Token', 'the chosen word'),
  net: labelled('Net weight', 'the rows that count the word'),
  tokenColours: labelled('Colour tokens by', 'the colours of the words'),
  editor: { selector: '.example-bar', words: 'the editor of the example' },
};

export const PART_NAMES: readonly string[] = Object.keys(PARTS);

const TURN = /^n(\d{1,5})$/;

export function partOf(name: string): LabPart | null {
  const [, id] = TURN.exec(name) ?? [];
  if (id !== undefined) return { selector: `#view [data-node="${id}"]`, words: `turn ${name}` };
  return PARTS[name] ?? null;
}

export const elementOf = (name: string): Element | null =>
  document.querySelector(partOf(name)?.selector ?? ':not(*)');

const NOTHING: readonly string[] = [];

/** What the step on screen points at; nothing outside a lesson. */
export function useLook(): readonly string[] {
  const { lessons } = useLab();
  const { lesson, revealed } = useStore(lessons);
  const at = useSelection(({ lessonStep }) => lessonStep);
  const step = lesson?.steps[Math.min(at, lesson.steps.length - 1)];
  return (revealed ? step?.reveal?.look : undefined) ?? step?.look ?? NOTHING;
}

const RING = 'data-looked-at';

const ACTS = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const;

/**
 * Scrolls to an element, and again when it is pushed out of sight by what comes above it or by a dock that grows.
 * @returns ends it
 */
function holdInView(element: Element): () => void {
  const bring = (): void => element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const dock = document.querySelector('.lesson-dock');
  let sight: IntersectionObserver | null = null;
  const watch = (): void => {
    sight?.disconnect();
    sight = new IntersectionObserver(bring, {
      rootMargin: `0px 0px -${dock?.clientHeight ?? 0}px 0px`,
      threshold: [0, 0.25, 0.5, 0.75, 1], // a strip above the dock is not in sight
    });
    sight.observe(element); // which brings it, too
  };
  watch();
  // A page that grows twice between two looks at what is in sight would go unnoticed.
  const size = new ResizeObserver(watch);
  size.observe(document.body);
  if (dock) size.observe(dock);
  return () => {
    sight?.disconnect();
    size.disconnect();
  };
}

/**
 * Rings what is named, as soon as it is drawn and whenever it is drawn anew, and keeps the first of it in view until
 * the person acts.
 * @param key changes with the step
 */
export function useRing(names: readonly string[], key: string): void {
  useEffect(() => {
    let letGo = (): void => {};
    let isHeld = true;
    const release = (): void => {
      isHeld = false;
      letGo();
      for (const act of ACTS) removeEventListener(act, release, true);
    };
    for (const act of ACTS) addEventListener(act, release, { capture: true, passive: true });
    const ringed = new Set<Element>();
    const ring = (): void => {
      names.forEach((name, at) => {
        const element = elementOf(name);
        if (!element || element.hasAttribute(RING)) return;
        element.setAttribute(RING, '');
        ringed.add(element);
        if (at > 0 || !isHeld) return;
        letGo();
        letGo = holdInView(element);
      });
    };
    ring();
    const observer = new MutationObserver(ring); // another view is drawn a moment later
    observer.observe(document.body, { childList: true, subtree: true });
    return () => {
      observer.disconnect();
      release();
      ringed.forEach((element) => element.removeAttribute(RING));
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- names are the step's, which the key stands for
  }, [key]);
}

/** Takes the keyboard there. */
export function goToPart(name: string): void {
  const element = elementOf(name);
  if (!(element instanceof HTMLElement || element instanceof SVGElement)) return;
  const inner = element.querySelector<HTMLElement | SVGElement>('button:not(:disabled), [tabindex="0"], input, select'); // prettier-ignore
  element.scrollIntoView({ block: 'center' });
  (element.tabIndex >= 0 ? element : (inner ?? element)).focus();
}
