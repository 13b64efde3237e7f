/** Leaf normalisation: rewards of one tree, centred and scaled within the tree. */
import type { NodeTable, RolloutTree } from '../units.ts';
import { leafEntry } from './trace.ts';
import type { CreditStep, Statistics } from './trace.ts';

/** Added to the standard deviation, so that equal rewards give 0 and not 0/0 (released code). */
export const DEVIATION_EPSILON = 1e-6;

/** Mean and standard deviation; ddof 0 divides by n, ddof 1 by n − 1. */
export function statisticsOf(rewards: readonly number[], ddof: 0 | 1): Statistics {
  const count = rewards.length;
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / count;
  const squares = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (count - ddof)), epsilon: DEVIATION_EPSILON, count };
}

export const standardise = (reward: number, { mean, deviation, epsilon }: Statistics): number =>
  (reward - mean) / (deviation + epsilon);

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
  tree: RolloutTree,
  rewards: NodeTable<number | null>,
  leafNormalisation: boolean,
): LeafValues {
  const statistics = statisticsOf(
    tree.leaves.map((leaf) => leafEntry(tree, rewards, leaf)),
    0,
  );
  const byNode: (number | null)[] = tree.nodes.map(() => null);
  const trace = tree.leaves.map((leaf): CreditStep => {
    const reward = leafEntry(tree, rewards, leaf);
    const result = leafNormalisation ? standardise(reward, statistics) : reward;
    byNode[leaf] = result;
    const terms = [{ node: leaf, weight: 1, value: reward }];
    const step = { node: leaf, parent: tree.nodes[leaf].parent, terms, result };
    return leafNormalisation
      ? { ...step, kind: 'normalise', statistics }
      : { ...step, kind: 'raw', statistics: null };
  });
  return { byNode, statistics, trace };
}
