/** Statistics of groups, and leaf normalisation: rewards of one tree, centred and scaled within the tree. */
import type { NodeTable, RecordedTree } from '../../units.ts';
import { creditStep, leafEntry, type CreditStep, type Statistics } from './trace.ts';

/** Added to the standard deviation, so that equal rewards give 0 and not 0/0 (released code). */
export const DEVIATION_EPSILON = 1e-6;

/**
 * The number that all values are, or null where two differ or there is none. Sums of equal numbers round (64 times −0.9
 * over 64 is not −0.9), and what is left over a deviation of 0 would be trained on: the mean of equal numbers is this.
 */
export const sharedValue = (values: readonly number[]): number | null =>
  values.length > 0 && values.every((value) => value === values[0]) ? values[0] : null;

/** Mean and standard deviation; ddof 0 divides by n, ddof 1 by n − 1. Of equal numbers exactly that number, and 0. */
export function statisticsOf(rewards: readonly number[], ddof: 0 | 1): Statistics {
  const count = rewards.length;
  const mean = sharedValue(rewards) ?? rewards.reduce((sum, reward) => sum + reward, 0) / count;
  const squares = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (count - ddof)), epsilon: DEVIATION_EPSILON, count };
}

/** Of a GRPO group: sample deviation. A group of one keeps mean 0 and deviation 1, so that its reward passes through. */
export function groupStatistics(rewards: readonly number[]): Statistics {
  const statistics = statisticsOf(rewards, 1);
  return rewards.length === 1 ? { ...statistics, mean: 0, deviation: 1 } : statistics;
}

/** Added to the variance when whitening. */
const VARIANCE_EPSILON = 1e-8;

/**
 * Of the trained tokens of an update: (x − mean) / √(variance + 1e-8), the variance with Bessel's correction.
 * Sums are divided by n + 1e-8 as in the released masked_mean, but not those of equal numbers: in float32, which the
 * released code computes in, n + 1e-8 is n. It refuses a single token, which here has no correction.
 * @see released code masked_whiten
 */
export function whiteningStatistics(values: readonly number[]): Statistics {
  const count = values.length;
  const divisor = count + 1e-8;
  const mean = sharedValue(values) ?? values.reduce((sum, value) => sum + value, 0) / divisor;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / divisor;
  const variance = count > 1 ? (squares * count) / (count - 1) : squares;
  return { mean, deviation: Math.sqrt(variance + VARIANCE_EPSILON), epsilon: 0, count };
}

/**
 * As A²TGPO scales: population deviation √(variance + 1e-8), and 1e-6. A group of one gives 0.
 * @see A²TGPO's released code, turn-group-v1d
 */
export function smoothedStatistics(values: readonly number[]): Statistics {
  const { mean, deviation, count } = statisticsOf(values, 0);
  return { mean, deviation: Math.sqrt(deviation ** 2 + VARIANCE_EPSILON), epsilon: DEVIATION_EPSILON, count };
}

export interface LeafValues {
  readonly byNode: NodeTable<number | null>; // null where the node is not a row; dimensionless
  readonly statistics: Statistics; // population deviation
  readonly trace: readonly CreditStep[]; // in row order
}

/**
 * v = (r − μ)/(σ + 1e-6) with mean and population deviation over the rows of the tree (copies included);
 * v = r when normalisation is off. All rewards equal give 0 everywhere.
 * @throws MissingRewardError naming the leaf
 * @see released code, leaf_value_norm; the paper says "standard GRPO normalization"
 */
export function normaliseLeaves(
  tree: RecordedTree,
  rewards: NodeTable<number | null>,
  leafNormalisation: boolean,
): LeafValues {
  const statistics = statisticsOf(
    tree.leaves.map((leaf) => leafEntry(tree, rewards, leaf)),
    0,
  );
  const byNode: (number | null)[] = tree.nodes.map(() => null);
  const trace = tree.leaves.map((leaf): CreditStep => {
    const terms = [{ node: leaf, weight: 1, value: leafEntry(tree, rewards, leaf) }];
    const step = leafNormalisation
      ? creditStep(tree, 'normalise', leaf, { terms, statistics })
      : creditStep(tree, 'raw', leaf, { terms, statistics: null });
    byNode[leaf] = step.result;
    return step;
  });
  return { byNode, statistics, trace };
}
