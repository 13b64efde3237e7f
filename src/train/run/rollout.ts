/** Rollout and rewards: trees until the filter has the groups it wants, each scored as it comes. */
import { keptGroups, wantsMore } from '../../algo/reward/filters.ts';
import { gradeLeaves, pathReward, scoreTrees } from '../../algo/reward/reward.ts';
import type { RolloutObserver } from '../../algo/rollouts/rollout.ts';
import { growApart } from '../../algo/rollouts/apart.ts';
import { rollouts } from '../../algo/rollouts/index.ts';
import { signalsRead } from '../../algo/credit/signals.ts';
import type { AlgorithmConfig, Prompt, RewardConfig, RolloutTree } from '../../units.ts';
import { trainingPrompts } from './prompts.ts';
import { gateRounds, samplingOf, type Group, type Update } from './update.ts';

export interface Rollout {
  readonly groups: readonly Group[]; // all that were rolled out, by Prompt.index
  readonly kept: readonly Group[]; // those that are trained on
  readonly batches: number; // rollout batches
}

/** Grows a tree per prompt, batch after batch while the filter wants more, and chooses the groups to train on. */
export async function rollOut(at: Update, prompts: readonly Prompt[]): Promise<Rollout> {
  const { config, policy, post } = at.run;
  const { filter } = config.algorithm;
  const wanted = prompts.length;
  const groups: Group[] = [];
  const rewards = (): readonly (readonly number[])[] => groups.map(rowRewards);
  policy.beginRollout(at.key, samplingOf(at.run));
  groups.push(...scored(at, await grow(at, prompts)));
  let batches = 1;
  while (wantsMore(filter, rewards(), wanted, batches)) {
    const more = promptsOf(at, batches);
    post({ kind: 'prompts-added', update: at.update, prompts: more });
    groups.push(...scored(at, await grow(at, more)));
    batches += 1;
  }
  const kept = keptGroups(filter, rewards(), wanted).map((index) => groups[index]);
  return { groups, kept, batches };
}

const promptsOf = ({ run, key }: Update, batch: number): readonly Prompt[] => {
  const { environment, config } = run;
  const { promptsPerUpdate } = config;
  return trainingPrompts(environment, config.datasets, promptsPerUpdate, key, batch * promptsPerUpdate);
};

/** The prompts that an update begins with; some filters ask for more. */
export const firstPrompts = (at: Update): readonly Prompt[] => promptsOf(at, 0);

const grow = (at: Update, prompts: readonly Prompt[]): Promise<readonly RolloutTree[]> => {
  const { config, environment, policy } = at.run;
  const { rollout } = config.algorithm;
  const score = pathReward(environment, config.algorithm.reward.rule); // a search asks while it grows
  const extras = { score, bufferPrompts: prompts };
  return growApart(prompts, postTree(at), (prompt, observer) =>
    rollouts[rollout.shape].grow(policy, environment, [prompt], rollout, at.key, observer, extras),
  );
};

/** Posts a tree as it grows. */
const postTree = ({ run, update }: Update): RolloutObserver => ({
  ...gateRounds(run),
  onNode: (prompt, node) => run.post({ kind: 'node', update, prompt, node }),
  onExpansion: (prompt, record) => run.post({ kind: 'expansion', update, prompt, record }),
  onLeaves: (prompt, leaves, pruned, search) =>
    run.post({ kind: 'leaves', update, prompt, leaves, pruned, ...(search && { search }) }),
});

/** Failed turns cost the row, unless credit charges each turn by itself. */
export function rewardConfig(algorithm: AlgorithmConfig): RewardConfig {
  const charged = signalsRead(algorithm.credit.advantageRule).stepReward === 'penalties';
  return charged ? { ...algorithm.reward, turnPenalty: 0 } : algorithm.reward;
}

function scored({ run, memory }: Update, trees: readonly RolloutTree[]): readonly Group[] {
  const { config, environment } = run;
  const rewards = scoreTrees(trees, environment, rewardConfig(config.algorithm), memory.boundary);
  return trees.map((tree, t) => ({
    tree,
    rewards: rewards[t].byNode,
    grades: gradeLeaves(tree, environment),
  }));
}

/** Rewards in row order. */
const rowRewards = ({ tree, rewards }: Group): readonly number[] =>
  tree.leaves.map((leaf) => rewards[leaf] ?? 0);
