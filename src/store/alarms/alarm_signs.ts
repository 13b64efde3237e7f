/** What a dying run looks like, update by update: one predicate and its numbers per alarm. Pure. Thresholds: README.md. */
import type { UpdateMetrics } from '../../protocol/protocol.ts';
import { atStart, DEAD_SHARE, FLAT, recent, TURNS_LEFT, WINDOW } from '../../experiment/windows.ts';
import { isDead, leavesOf, pathTo, rewardOf } from '../record/reading.ts';
import type { TreeState, UpdateState } from '../record/run_state.ts';
import type { TurnNode } from '../../units.ts';

export const ALARM_KINDS = [
  'not-finite',
  'gradient-spike',
  'lazy-collapse',
  'dead-trees',
  'entropy-collapse',
  'repeated-text',
  'clipped',
] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

/** An update whose metrics are known. */
export type ClosedUpdate = UpdateState & { readonly metrics: UpdateMetrics };

export interface AlarmNumber {
  readonly name: string; // what it is, after the value: "of trees are dead"
  readonly value: number;
  readonly unit: 'share' | 'turns' | 'calls' | 'characters' | 'nats' | 'count' | 'number';
}

/** @typeParam Each what a history is of: updates of ours, or steps of somebody else's trainer */
export interface Sign<Each = ClosedUpdate> {
  /** Whether the run is in trouble as of `history[at]`; reads nothing later. */
  readonly holds: (history: readonly Each[], at: number) => boolean;
  readonly numbers: (history: readonly Each[], at: number) => readonly AlarmNumber[];
  /** Updates that one occurrence is remembered for; 1: the alarm ends when the sign does. */
  readonly memory: number;
}

/** Indices of the occurrences that make up the trouble now: newest first, none further apart than it is remembered. */
export function occurrences<Each>(
  { holds, memory }: Sign<Each>,
  history: readonly Each[],
): readonly number[] {
  const found: number[] = [];
  let edge = history.length;
  for (let at = history.length - 1; at >= 0 && edge - at <= memory; at -= 1)
    if (holds(history, at)) {
      found.push(at);
      edge = at;
    }
  return found;
}

/** How the dead trees of an update died, as shares of its trees; NaN where the trees are not at hand. */
export interface Deaths {
  readonly right: number; // every leaf is right: nothing is left to learn
  readonly wrong: number; // none is
}

/** Kept by metrics, which outlive the trees of an old update. */
const knownDeaths = new WeakMap<UpdateMetrics, Deaths>();

export function deathsOf({ metrics, trees }: ClosedUpdate): Deaths {
  const known = knownDeaths.get(metrics);
  if (known) return known;
  if (!trees.some(({ rewards }) => rewards)) return { right: NaN, wrong: NaN };
  const dead = trees.filter(isDead);
  const right = dead.filter((tree) => (rewardOf(tree, tree.leaves[0]) ?? 0) >= RIGHT_REWARD).length;
  const deaths = { right: right / trees.length, wrong: (dead.length - right) / trees.length };
  knownDeaths.set(metrics, deaths);
  return deaths;
}

/** From here on a reward is nearer to that of a right answer, 1, than to that of a wrong one, whatever penalties took off. */
const RIGHT_REWARD = 0.5;

/** Of dead trees that died the same way: from here on the alarm speaks of that way. */
export const DEATH_SHARE = 2 / 3;

/** Whether the clip bites hardest at the end of an update. */
export const clippedWhen = ({ metrics }: ClosedUpdate): 'late' | 'throughout' =>
  metrics.clipFractionLast > metrics.clipFraction ? 'late' : 'throughout';

/** Right answers: from here on sure answers and equal rewards are success, and no alarm. */
export const SOLVED = 0.9;
/** Of the entropy at the start. Healthy runs fall to 0.27 of it. */
export const ENTROPY_LEFT = 0.15;
/** Tokens; a turn in which so many stand twice in the same order repeats itself. */
export const REPEATED_LENGTH = 3;
/** Of leaves. Healthy runs: 0.0014 in the mean, 0.011 in the worst update. */
export const REPEATED_SHARE = 0.1;
/** Of trained tokens. Healthy runs reach 0.36 in one update, with the tight clip. */
export const CLIPPED_SHARE = 0.6;
/** Times the median of what came before. Healthy runs reach 5; learning rates that are too high 7. */
export const SPIKE = 6;
const SPIKE_PAST = 10; // updates that the median is over
/** Updates that a single event is shown for. */
const EVENT_MEMORY = 10;

type Measure = (update: ClosedUpdate) => number;

type KnownMetric = Exclude<keyof UpdateMetrics, 'unknown' | 'reliability'>; // which older logs lack

const metric =
  (key: KnownMetric): Measure =>
  ({ metrics }) =>
    metrics[key];

const isSolved = (history: readonly ClosedUpdate[], at: number): boolean =>
  (recent(history, at, metric('exactMatch')) ?? 0) >= SOLVED;

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Median gradient norm of the updates before, of those whose norm is a number; null while they are few. */
function usualNorm(history: readonly ClosedUpdate[], at: number): number | null {
  const past = history
    .slice(Math.max(0, at - SPIKE_PAST), at)
    .map(metric('gradientNorm'))
    .filter(Number.isFinite);
  return past.length < WINDOW ? null : median(past);
}

/** Whether a turn says the same `REPEATED_LENGTH` sampled tokens twice. Across turns that is no fault: a query is asked again for its second page. */
export function repeatsItself({ tokens, mask }: Pick<TurnNode, 'tokens' | 'mask'>): boolean {
  const sampled = tokens.filter((_, index) => mask[index] === 1);
  const seen = new Set<string>();
  for (let end = REPEATED_LENGTH; end <= sampled.length; end += 1) {
    const words = sampled.slice(end - REPEATED_LENGTH, end).join(' ');
    if (seen.has(words)) return true;
    seen.add(words);
  }
  return false;
}

/** Kept by metrics, which outlive the trees of an old update. */
const repeatedShares = new WeakMap<UpdateMetrics, number>();

/** Share of leaves with a turn on their path that repeats itself; NaN if the trees were gone before anyone asked. */
export function repeatedShare({ metrics, trees }: ClosedUpdate): number {
  const known = repeatedShares.get(metrics);
  if (known !== undefined) return known;
  const repeats = trees.flatMap((tree: TreeState) =>
    leavesOf(tree).map((leaf) => pathTo(tree, leaf).some(repeatsItself)),
  );
  if (repeats.length === 0) return NaN;
  const share = repeats.filter(Boolean).length / repeats.length;
  repeatedShares.set(metrics, share);
  return share;
}

/** Numbers of an update that are not finite; a step is skipped where its gradient is not. */
const notFiniteCount = ({ metrics }: ClosedUpdate): number =>
  Object.values(metrics).filter((value) => !Number.isFinite(value)).length;

export const number = (value: number | null, unit: AlarmNumber['unit'], name: string): AlarmNumber => ({
  name,
  value: value ?? NaN,
  unit,
});

/** Which way trees died, where the trees of the window were seen. */
function deathNumbers(history: readonly ClosedUpdate[], at: number): readonly AlarmNumber[] {
  const right = recent(history, at, (update) => deathsOf(update).right) ?? NaN;
  return Number.isNaN(right) ? [] : [number(right, 'share', 'all right')];
}

export const SIGNS = {
  'not-finite': {
    memory: EVENT_MEMORY,
    holds: (history, at) => notFiniteCount(history[at]) > 0 || history[at].metrics.skippedSteps > 0,
    numbers: (history, at) => [
      number(notFiniteCount(history[at]), 'count', 'of the metrics not finite'),
      number(history[at].metrics.skippedSteps, 'count', 'of the steps skipped'),
    ],
  },
  'gradient-spike': {
    memory: EVENT_MEMORY,
    holds: (history, at) => {
      const usual = usualNorm(history, at);
      const { gradientNorm } = history[at].metrics;
      return usual !== null && usual > 0 && Number.isFinite(gradientNorm) && gradientNorm > SPIKE * usual;
    },
    numbers: (history, at) => [
      number(history[at].metrics.gradientNorm, 'number', 'gradient norm'),
      number(usualNorm(history, at), 'number', 'usual before'),
    ],
  },
  'lazy-collapse': {
    memory: 1,
    holds: (history, at) => {
      const [before, now] = [atStart(history, at, metric('depth')), recent(history, at, metric('depth'))];
      const [right, rightNow] = [
        atStart(history, at, metric('exactMatch')),
        recent(history, at, metric('exactMatch')),
      ];
      if (before === null || now === null || right === null || rightNow === null) return false;
      return now - 1 < TURNS_LEFT * (before - 1) && rightNow - right < FLAT;
    },
    numbers: (history, at) => [
      number(recent(history, at, metric('depth')), 'turns', 'to a leaf'),
      number(atStart(history, at, metric('depth')), 'turns', 'at the start'),
      number(recent(history, at, metric('exactMatch')), 'share', 'right'),
      number(atStart(history, at, metric('exactMatch')), 'share', 'right at the start'),
    ],
  },
  'dead-trees': {
    memory: 1,
    holds: (history, at) =>
      (recent(history, at, metric('deadTrees')) ?? 0) >= DEAD_SHARE && !isSolved(history, at),
    numbers: (history, at) => [
      number(recent(history, at, metric('deadTrees')), 'share', 'of trees are dead'),
      ...deathNumbers(history, at),
      number(recent(history, at, metric('exactMatch')), 'share', 'of answers are right'),
    ],
  },
  'entropy-collapse': {
    memory: 1,
    holds: (history, at) => {
      const [before, now] = [atStart(history, at, metric('entropy')), recent(history, at, metric('entropy'))];
      return before !== null && now !== null && now < ENTROPY_LEFT * before && !isSolved(history, at);
    },
    numbers: (history, at) => [
      number(recent(history, at, metric('entropy')), 'nats', 'per token'),
      number(atStart(history, at, metric('entropy')), 'nats', 'at the start'),
    ],
  },
  'repeated-text': {
    memory: 1,
    holds: (history, at) => (recent(history, at, repeatedShare) ?? 0) >= REPEATED_SHARE,
    numbers: (history, at) => [
      number(recent(history, at, repeatedShare), 'share', 'of leaves repeat themselves'),
    ],
  },
  clipped: {
    memory: 1,
    holds: (history, at) => (recent(history, at, metric('clipFraction')) ?? 0) >= CLIPPED_SHARE,
    numbers: (history, at) => [
      number(recent(history, at, metric('clipFraction')), 'share', 'of tokens are clipped'),
      number(history[at].metrics.clipFractionLast, 'share', 'in the last mini-batch'),
    ],
  },
} as const satisfies Record<AlarmKind, Sign>;
