/** What the tree shows beside each node at a frame: the newest number that is known of it. Pure. */
import { useLayoutEffect, useRef, useState } from 'react';
import type { AdvantageRange, AdvantageRanges } from '../../store/credit/advantage_range.ts';
import { CREDIT_PHASES, type CreditFrame, type CreditPhase } from '../../store/credit/credit_steps.ts';
import type { NodeId, NodeTable, TurnNode } from '../../units.ts';
import { advantageExtent, drawAdvantage, drawCredit, type NodeDrawing } from '../drawing/encodings.ts';
import { formatNumber, formatRange, formatSetting } from '../parts/format.ts';

const asRange = (value: number | null): AdvantageRange | null => (value === null ? null : [value, value]);

/** Tables of a frame that a phase adds to, newest first. */
function newest(frame: CreditFrame): readonly { readonly what: string; readonly table: AdvantageRanges }[] {
  const phase: CreditPhase = frame.current?.phase ?? 'reward';
  const at = CREDIT_PHASES.indexOf(phase);
  const all = [
    { what: 'reward', table: frame.rewards.map(asRange), from: 0 },
    { what: 'value', table: frame.values.map(asRange), from: 1 },
    { what: 'advantage', table: frame.advantages, from: 3 },
  ];
  return all.filter(({ from }) => from <= at).toReversed();
}

const LETTERS: Readonly<Record<string, string>> = { reward: 'r', value: 'V', advantage: 'A' };

/** What the run itself had, where a what-if is on screen. */
export interface TrainedCredit {
  readonly rewards: NodeTable<number | null>;
  readonly values: NodeTable<number>;
  readonly advantages: AdvantageRanges;
}

function trainedNumber(trained: TrainedCredit, what: string, id: NodeId): AdvantageRange | null {
  if (what === 'advantage') return trained.advantages[id];
  return asRange((what === 'reward' ? trained.rewards : trained.values)[id]);
}

/** Rewards as the run paid them and as a person sets them. */
export interface SetRewards {
  readonly paid: NodeTable<number | null>;
  readonly shown: NodeTable<number | null>;
  readonly held: NodeId | null; // the leaf under a drag
}

/** What a person sets the leaf's reward to; null where nobody does. */
function setReward({ paid, shown, held }: SetRewards, leaf: NodeId) {
  const [before, after] = [paid[leaf] ?? null, shown[leaf] ?? null];
  if (after === null || (before === after && held !== leaf)) return null;
  const to = formatSetting(after);
  return before === null || before === after
    ? { note: `r ${to}`, words: `, reward set to ${to}` }
    : {
        note: `r ${formatSetting(before)} → ${to}`,
        words: `, reward set to ${to}, was ${formatSetting(before)}`,
      };
}

/** A label that changes by less is not said to have changed. */
const SEEN_CHANGE = 0.005;

/**
 * @param trained of the run, to say what a changed number was; null: nothing is asked
 * @param rewards to say at a leaf what its reward is set to, whatever step is on screen
 */
export function drawingAt(
  frame: CreditFrame,
  trained: TrainedCredit | null = null,
  rewards: SetRewards | null = null,
): (node: TurnNode) => NodeDrawing {
  const tables = newest(frame);
  const extents = new Map(tables.map(({ what, table }) => [what, advantageExtent(table)]));
  const numbers = (node: TurnNode): NodeDrawing => {
    const known = tables.find(({ table }) => table[node.id] != null);
    if (!known) return { fill: 'var(--surface)', dash: '2 3', glyph: '', label: '?', words: 'not known yet' };
    const range = known.table[node.id] ?? null;
    const [value] = range ?? [null];
    const extent = extents.get(known.what) ?? 1;
    const drawing =
      known.what === 'advantage' ? drawAdvantage(node, range, extent) : drawCredit(value, extent, known.what);
    const label =
      known.what === 'reward' ? formatNumber(value, Number.isInteger(value) ? 0 : 1) : drawing.label;
    const before = trained && trainedNumber(trained, known.what, node.id);
    const moves = before && range ? range.map((end, side) => end - before[side]) : [];
    const changed = moves.some((move) => Math.abs(move) >= SEEN_CHANGE);
    const words = changed ? `${drawing.words}, was ${formatRange(before)}` : drawing.words;
    const up = moves.some((move) => move >= SEEN_CHANGE);
    const down = moves.some((move) => move <= -SEEN_CHANGE);
    const mark = (up ? '↑' : '') + (down ? '↓' : '');
    return { ...drawing, words, label: `${LETTERS[known.what]} ${label}${mark}` };
  };
  return (node) => {
    const drawing = numbers(node);
    const set = rewards && node.ending !== null ? setReward(rewards, node.id) : null;
    return set ? { ...drawing, note: set.note, words: `${drawing.words}${set.words}` } : drawing;
  };
}

// Numbers that move: a frame on its way to the next one when rules or rewards change under it.

const GLIDE_MS = 450;
const GLIDE_LIMIT = 400; // nodes; more are painted at once

const mix = (from: NodeTable<number | null>, to: NodeTable<number | null>, share: number) =>
  to.map((value, id) => {
    const start = from[id] ?? null;
    return value === null || start === null ? value : start + (value - start) * share;
  });

const mixRanges = (from: AdvantageRanges, to: AdvantageRanges, share: number): AdvantageRanges => {
  const ends = ([0, 1] as const).map((end) =>
    mix(
      from.map((range) => range?.[end] ?? null),
      to.map((range) => range?.[end] ?? null),
      share,
    ),
  );
  return to.map((range, id) => range && [ends[0][id] ?? range[0], ends[1][id] ?? range[1]]);
};

/** Between two frames of one tree; what is not known in both is that of `to`. @param share [0, 1] */
export const between = (from: CreditFrame, to: CreditFrame, share: number): CreditFrame =>
  share >= 1
    ? to
    : {
        ...to,
        rewards: mix(from.rewards, to.rewards, share),
        normalised: mix(from.normalised, to.normalised, share),
        values: mix(from.values, to.values, share),
        advantages: mixRanges(from.advantages, to.advantages, share),
      };

/** Fast at first, then settling. */
export const easeOut = (share: number): number => 1 - (1 - Math.min(1, Math.max(0, share))) ** 3;

interface Place {
  readonly tree: unknown;
  readonly drawn: CreditFrame;
}

/** The same phase of the same tree, and nobody stepped: credit itself has changed. */
const isSamePlace = (from: Place, to: Place): boolean =>
  from.tree === to.tree &&
  from.drawn !== to.drawn &&
  from.drawn.current?.phase === to.drawn.current?.phase &&
  (from.drawn.cursor === to.drawn.cursor || from.drawn.length !== to.drawn.length);

const movesLess = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/**
 * The frame as it is drawn. A step of the cursor shows at once; other credit at the same phase glides there, unless
 * the person asks for less motion.
 * @param tree what the frames are of: another tree never glides
 */
export function useGlide(tree: unknown, frame: CreditFrame | null): CreditFrame | null {
  const [glide, setGlide] = useState<{ readonly to: CreditFrame; readonly drawn: CreditFrame } | null>(null);
  const last = useRef<Place | null>(null);
  useLayoutEffect(() => {
    const from = last.current;
    const show = (drawn: CreditFrame): void => {
      last.current = { tree, drawn };
      if (frame) setGlide({ to: frame, drawn });
    };
    if (!frame) return;
    const still = frame.values.length > GLIDE_LIMIT || movesLess();
    if (!from || still || !isSamePlace(from, { tree, drawn: frame })) {
      last.current = { tree, drawn: frame };
      return;
    }
    const start = performance.now();
    const { drawn: origin } = from;
    let request = 0;
    const paint = (now: number): void => {
      const share = (now - start) / GLIDE_MS;
      show(between(origin, frame, easeOut(share)));
      if (share < 1) request = requestAnimationFrame(paint);
    };
    show(between(origin, frame, 0));
    request = requestAnimationFrame(paint);
    return () => cancelAnimationFrame(request);
  }, [tree, frame]);
  return glide !== null && glide.to === frame ? glide.drawn : frame;
}
