/**
 * Sampler against trainer: how far their log-probabilities of the same tokens lie apart, and what a correction would change.
 * Corrections are verl's `algorithm.rollout_correction`: the ratio π_trainer/π_sampler of a token, of a rollout (product over its
 * tokens) or geometric (its root by their number); truncated at a threshold C, or rejected outside [1/C, C]. Pure.
 */
import type { RolloutFacts } from '../../units.ts';
import { grouped, quantile, sumOf } from './statistics.ts';

export interface Spread {
  readonly tokens: number;
  readonly mean: number; // of trainer − sampler, nats
  readonly meanSize: number; // of its absolute value
  readonly quantiles: readonly number[]; // at QUANTILES
}
export const QUANTILES = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1] as const;

export type TokenPosition = 'first' | 'inner' | 'last';

export interface Mismatch {
  readonly differences: Float64Array; // trainer − sampler, nats, a token each, rollout by rollout
  readonly starts: readonly number[]; // of each rollout in them, and the end
  readonly rollouts: readonly RolloutFacts[]; // with both
  readonly without: number; // rollouts without
  readonly all: Spread;
  readonly byTurn: readonly (Spread & { readonly turn: number })[]; // from 0
  readonly byPosition: readonly (Spread & { readonly position: TokenPosition })[]; // in its turn
  /** |π_trainer − π_sampler|, which verl reports as training/rollout_probs_diff_*. */
  readonly probability: { readonly mean: number; readonly most: number; readonly deviation: number };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const mean = (of: (value: number) => number): number => sumOf(values.map((value) => of(value))) / values.length; // prettier-ignore
  return {
    ...{ tokens: values.length, mean: mean((value) => value), meanSize: mean(Math.abs) },
    quantiles: QUANTILES.map((share) => quantile(sorted, share)),
  };
}

interface Pair {
  readonly difference: number;
  readonly probability: number; // distance of the two probabilities
  readonly turn: number;
  readonly position: TokenPosition;
}

const pairsOf = ({ turns }: RolloutFacts): readonly Pair[] =>
  turns.flatMap(({ index: turn, sampler, trainer }) =>
    (sampler ?? []).flatMap((sampled, at, { length }): Pair[] => {
      const trained = trainer?.[at] ?? null;
      if (sampled === null || trained === null) return [];
      const position = at === length - 1 ? 'last' : at === 0 ? 'first' : 'inner';
      return [{ difference: trained - sampled, probability: Math.abs(Math.exp(trained) - Math.exp(sampled)), turn, position }]; // prettier-ignore
    }),
  );

/** Null where no token has both. */
export function readMismatch(rollouts: readonly RolloutFacts[]): Mismatch | null {
  const held = rollouts.map((rollout) => ({ rollout, pairs: pairsOf(rollout) }));
  const known = held.filter(({ pairs }) => pairs.length > 0);
  if (known.length === 0) return null;
  const pairs = known.flatMap((each) => each.pairs);
  const starts = [0];
  for (const each of known) starts.push(starts[starts.length - 1] + each.pairs.length);
  const split = <Key>(key: (pair: Pair) => Key) =>
    grouped(pairs, key).map(([at, own]) => [at, spreadOf(own.map(({ difference }) => difference))] as const); // prettier-ignore
  const apart = pairs.map(({ probability }) => probability);
  const mean = sumOf(apart) / apart.length;
  const squares = sumOf(apart.map((each) => (each - mean) ** 2));
  return {
    differences: Float64Array.from(pairs, ({ difference }) => difference),
    ...{ starts, rollouts: known.map(({ rollout }) => rollout), without: rollouts.length - known.length },
    all: spreadOf(pairs.map(({ difference }) => difference)),
    byTurn: split(({ turn }) => turn).toSorted(([one], [other]) => one - other).map(([turn, spread]) => ({ turn, ...spread })), // prettier-ignore
    byPosition: split(({ position }) => position).map(([position, spread]) => ({ position, ...spread })),
    probability: {
      ...{ mean, most: apart.reduce((most, each) => Math.max(most, each), 0) },
      deviation: apart.length < 2 ? 0 : Math.sqrt(squares / (apart.length - 1)),
    },
  };
}

export const CORRECTIONS = ['truncate-token', 'truncate-sequence', 'reject-token', 'reject-sequence', 'reject-geometric'] as const; // prettier-ignore
export type Correction = (typeof CORRECTIONS)[number];

export interface Corrected {
  readonly tokens: number;
  readonly touched: number; // tokens whose weight is cut, or that are dropped
  readonly sequences: number;
  readonly touchedSequences: readonly RolloutFacts[]; // with such a token
  readonly meanWeight: number; // over all tokens
  readonly effective: number; // (Σ w)² / Σ w², tokens; 0 where all are dropped
}

const LOG_RATIO_BOUND = 20; // nats, verl's safety bound

const ratioOf = (logRatio: number): number =>
  Math.exp(Math.min(LOG_RATIO_BOUND, Math.max(-LOG_RATIO_BOUND, logRatio)));

/** What a correction at a threshold does to the weights of the tokens. @param threshold C ≥ 1 */
export function corrected(
  { differences, starts, rollouts }: Mismatch,
  rule: Correction,
  threshold: number,
): Corrected {
  let [touched, sum, squares] = [0, 0, 0];
  const touchedSequences = rollouts.filter((_, row) => {
    const own = differences.subarray(starts[row], starts[row + 1]);
    const total = own.reduce((all, each) => all + each, 0);
    const before = touched;
    for (const difference of own) {
      const logRatio = rule.endsWith('token') ? difference : rule.endsWith('sequence') ? total : total / own.length; // prettier-ignore
      const ratio = ratioOf(logRatio);
      const isHeld = ratio <= threshold && (rule.startsWith('truncate') || ratio >= 1 / threshold);
      const weight = rule.startsWith('truncate') ? Math.min(ratio, threshold) : Number(isHeld);
      touched += Number(!isHeld);
      sum += weight;
      squares += weight * weight;
    }
    return touched > before;
  });
  return {
    ...{ tokens: differences.length, touched, sequences: rollouts.length, touchedSequences },
    ...{ meanWeight: sum / differences.length, effective: squares === 0 ? 0 : (sum * sum) / squares },
  };
}
