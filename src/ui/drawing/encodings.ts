/** How a node is drawn under each colour choice: fill, outline, the number beside it, and the words for it. */
import { useMemo } from 'react';
import type { AdvantageRange, AdvantageRanges, TreeWorth } from '../../store/credit/advantage_range.ts';
import type { TreeColour } from '../../store/place/selection.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { ROOT, type NodeId, type NodeTable, type TurnNode } from '../../units.ts';
import { asPrinted, creditGlyph, formatNumber, formatSigned, rangeGlyph } from '../parts/format.ts';
import { creditFill, entropyDash, entropyFill, rewardClass } from '../parts/scales.ts';
import { useShownTheme } from '../shell/theme.ts';

export interface NodeDrawing {
  readonly fill: string; // CSS colour
  readonly dash: string; // stroke-dasharray
  readonly glyph: string; // inside the node; '' for none
  readonly label: string; // the number beside the node; '' for none
  readonly words: string; // the same for a screen reader
  readonly note?: string; // below the node
  readonly action?: string; // what the turn does, in words; written below where there is room
}

export const nodeName = (id: NodeId): string => (id === ROOT ? 'root' : `n${id}`);

/** With what it is: the root is the question and no turn. */
export const turnName = (id: NodeId): string =>
  id === ROOT ? 'the question (root)' : `turn ${nodeName(id)}`;

/** Nats at which the entropy scale is full: about two equally likely tokens at every place. */
export const ENTROPY_EXTENT = Math.LN2;

const PLAIN: NodeDrawing = { fill: 'var(--surface)', dash: 'none', glyph: '', label: '', words: '' };

/** Signed credit: purple–orange and a glyph. @param extent |value| of full strength */
export function drawCredit(value: number | null | undefined, extent: number, what: string): NodeDrawing {
  if (value == null) return { ...PLAIN, words: `${what} not known yet` };
  const label = formatSigned(value);
  return {
    fill: creditFill(asPrinted(value), extent),
    dash: 'none',
    glyph: creditGlyph(value),
    label,
    words: what,
  };
}

function drawEntropy(node: TurnNode): NodeDrawing {
  if (node.parent === null) return { ...PLAIN, words: 'prompt' };
  if (node.turnSurprisal === null) return { ...PLAIN, words: 'surprisal unknown' };
  const label = formatNumber(node.turnSurprisal);
  return {
    fill: entropyFill(node.turnSurprisal, ENTROPY_EXTENT),
    dash: entropyDash(node.turnSurprisal, ENTROPY_EXTENT),
    glyph: '',
    label,
    words: 'turn surprisal, nats per token',
  };
}

function drawReward(node: TurnNode, rewards: NodeTable<number | null> | null): NodeDrawing {
  if (node.ending === null) return { ...PLAIN, words: node.parent === null ? 'prompt' : 'goes on' };
  const reward = rewards?.[node.id];
  const label = reward == null ? '' : formatNumber(reward, Number.isInteger(reward) ? 0 : 2);
  return {
    ...PLAIN,
    label,
    words: reward == null ? 'not scored yet' : `reward, ${rewardClass(reward)}`,
  };
}

/** Largest |value| of a table, for the scale; 1 when all are zero or none is known. */
export const extentOf = (table: NodeTable<number | null> | null | undefined): number =>
  (table ?? []).reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0) || 1;

/** Largest |advantage| of a tree, for the scale; 1 when all are zero or none is known. */
export const advantageExtent = (ranges: AdvantageRanges | null): number => extentOf((ranges ?? []).flat());

/**
 * Coloured by the sign that all numbers of the turn share; plain where they differ in sign. The greatest stands below the
 * least: beside each other both would have no room before the next node.
 */
export function drawAdvantage(
  { parent }: TurnNode,
  range: AdvantageRange | null | undefined,
  extent: number,
): NodeDrawing {
  if (parent === null) return { ...PLAIN, words: 'no advantage: nothing of it is trained on' };
  if (!range) return { ...PLAIN, words: 'advantage not known yet' };
  const [least, greatest] = range;
  const isOne = formatSigned(least) === formatSigned(greatest);
  return {
    fill: creditFill(least < 0 && greatest > 0 ? 0 : asPrinted((least + greatest) / 2), extent),
    dash: 'none',
    glyph: rangeGlyph(range),
    label: formatSigned(least),
    ...(isOne ? {} : { note: `to ${formatSigned(greatest)}` }),
    words: isOne ? 'advantage' : 'advantage, by row or token',
  };
}

/** @param worth of this tree's turns */
export function drawingFor(
  encoding: TreeColour,
  tree: TreeState,
  { values, advantages }: TreeWorth,
): (node: TurnNode) => NodeDrawing {
  switch (encoding) {
    case 'entropy':
      return drawEntropy;
    case 'reward':
      return (node) => drawReward(node, tree.rewards);
    case 'value': {
      const extent = extentOf(values);
      return (node) => drawCredit(values?.[node.id], extent, 'value');
    }
    case 'advantage': {
      const extent = advantageExtent(advantages);
      return (node) => drawAdvantage(node, advantages?.[node.id], extent);
    }
  }
  return encoding satisfies never;
}

/** The same drawing, with what each turn does. @param act '' where it is not known */
export const withActions =
  (draw: (node: TurnNode) => NodeDrawing, act: (node: TurnNode) => string) =>
  (node: TurnNode): NodeDrawing => {
    const action = act(node);
    return action === '' ? draw(node) : { ...draw(node), action };
  };

// CSS colour expressions as plain colours, for a canvas or a file: neither knows the page's variables.

/** Turns any CSS colour, `var(--ink)` and `color-mix(…)` included, into one that needs no page around it. */
export type ResolveColour = (expression: string) => string;

/** sRGB bytes of a resolved colour; a canvas knows every notation. */
function toHex(colour: string, pixel: CanvasRenderingContext2D): string {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = colour;
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
  const hex = [red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('');
  return alpha === 0 ? 'transparent' : `#${hex}`;
}

/** An element that is never drawn and stays: adding one for each colour would restyle the page each time. */
function colourProbe(): HTMLElement {
  const there = document.getElementById('colour-probe');
  if (there) return there;
  const probe = document.createElement('span');
  probe.id = 'colour-probe';
  probe.hidden = true;
  document.documentElement.append(probe);
  return probe;
}

/**
 * Reads colours off the page; each expression once.
 * @param theme on screen, so that a resolver is never used under another
 */
export function colourResolver(theme: string): ResolveColour {
  const known = new Map<string, string>();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pixel = canvas.getContext('2d', { willReadFrequently: true });
  return (expression) => {
    const before = known.get(expression);
    if (before !== undefined) return before;
    const probe = colourProbe();
    probe.style.color = expression;
    const computed = getComputedStyle(probe).color;
    const colour = pixel ? toHex(computed, pixel) : computed;
    if ((document.documentElement.dataset.theme ?? 'light') === theme) known.set(expression, colour);
    return colour;
  };
}

/** A resolver that is made anew when the theme changes. */
export function useColours(): ResolveColour {
  const theme = useShownTheme();
  return useMemo(() => colourResolver(theme), [theme]);
}
