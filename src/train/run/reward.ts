/** Phase reward: rows are scored and the filter chooses which groups are trained on, or asks for another rollout. */
import { signalsRead } from '../../algo/credit/signals.ts';
import { keptGroups, wantsMore } from '../../algo/reward/filters.ts';
import { gradeLeaves, scoreTrees } from '../../algo/reward/reward.ts';
import type { TreeRewards } from '../../protocol/protocol.ts';
import type { AlgorithmConfig, RewardConfig, RolloutTree, TreeSignals } from '../../units.ts';
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

/** The trees of one rollout batch, scored together. */
export function scoreBatch({ run, memory }: Update, trees: readonly RolloutTree[]): readonly Group[] {
  const { config, environment } = run;
  const rewards = scoreTrees(trees, environment, rewardConfig(config.algorithm), memory.boundary);
  return trees.map((tree, t) => ({
    tree,
    rewards: rewards[t].byNode,
    grades: gradeLeaves(tree, environment),
  }));
}

/**
 * The filter's choice among all groups of the update so far.
 * @returns null where it wants another rollout batch first
 */
export function chooseGroups({ run }: Update, groups: readonly Group[], batches: number): Rewarded | null {
  const { algorithm, promptsPerUpdate } = run.config;
  const rewards = groups.map(rowRewards);
  if (wantsMore(algorithm.filter, rewards, promptsPerUpdate, batches)) return null;
  const kept = keptGroups(algorithm.filter, rewards, promptsPerUpdate).map((index) => groups[index]);
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
