/** Phase reward: rows are scored and the filter chooses which groups are trained on, or asks for another rollout. */
import { signalsRead } from '../../algo/credit/signals.ts';
import { keptGroups, wantsMore } from '../../algo/reward/filters.ts';
import type { BoundaryState } from '../../algo/reward/boundary.ts';
import { gradeLeaves, scoreTrees } from '../../algo/reward/reward.ts';
import type { TreeRewards } from '../../protocol/protocol.ts';
import type {
  AlgorithmConfig,
  Environment,
  FilterConfig,
  RewardConfig,
  RolloutTree,
  TreeSignals,
} from '../../units.ts';
import type { Group, Update } from './update.ts';

/** What was rolled out in an update, scored, and what of it is trained on. */
export interface Rewarded {
  readonly groups: readonly Group[]; // all, by Prompt.index
  readonly kept: readonly Group[]; // those that are trained on
  readonly batches: number; // rollout batches
}

/** Failed turns cost the row, unless credit charges each turn by itself. */
export function rewardConfig(algorithm: AlgorithmConfig): RewardConfig {
  const charged = signalsRead(algorithm.credit.advantageRule).stepReward === 'penalties';
  return charged ? { ...algorithm.reward, turnPenalty: 0 } : algorithm.reward;
}

/**
 * The trees of one rollout batch, scored together.
 * @param boundary BAPO's phase as the update found it; other methods do not read it
 */
export function scoreBatch(
  trees: readonly RolloutTree[],
  environment: Environment,
  algorithm: AlgorithmConfig,
  boundary: BoundaryState,
): readonly Group[] {
  const rewards = scoreTrees(trees, environment, rewardConfig(algorithm), boundary);
  return trees.map((tree, t) => ({
    tree,
    rewards: rewards[t].byNode,
    grades: gradeLeaves(tree, environment),
  }));
}

/**
 * The filter's choice among all groups of the update so far.
 * @param batches that they were rolled out in
 * @returns null where it wants another rollout batch first
 */
export function chooseGroups(
  groups: readonly Group[],
  batches: number,
  filter: FilterConfig,
  promptsPerUpdate: number,
): Rewarded | null {
  const rewards = groups.map(rowRewards);
  if (wantsMore(filter, rewards, promptsPerUpdate, batches)) return null;
  const kept = keptGroups(filter, rewards, promptsPerUpdate).map((index) => groups[index]);
  return { groups, kept, batches };
}

const rowRewards = ({ tree, rewards }: Group): readonly number[] =>
  tree.leaves.map((leaf) => rewards[leaf] ?? 0);

/** Rewards of all groups, with the signals of those that are trained on; then which groups are not. */
export function postRewards(
  { run, update }: Update,
  { groups, kept, batches }: Rewarded,
  signals: readonly TreeSignals[],
): void {
  const trees = groups.map((group): TreeRewards => {
    const own = signals[kept.indexOf(group)] as TreeSignals | undefined;
    const measured = own && Object.values(own).some((signal) => signal !== null);
    const { tree, rewards } = group;
    return { prompt: tree.prompt.index, byNode: rewards, ...(measured ? { signals: own } : {}) };
  });
  run.post({ kind: 'rewards', update, trees });
  const dropped = groups.filter((group) => !kept.includes(group)).map(({ tree }) => tree.prompt.index);
  if (dropped.length > 0) run.post({ kind: 'groups-dropped', update, batches, prompts: dropped });
}
