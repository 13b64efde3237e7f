/** Phase rollout: a tree per prompt of one batch, posted as it grows. Nothing is scored here but what a search asks for. */
import { pathReward } from '../../algo/reward/reward.ts';
import type { RolloutObserver } from '../../algo/rollouts/turn_tree.ts';
import { growApart } from '../../algo/rollouts/apart.ts';
import { rollouts } from '../../algo/rollouts/index.ts';
import type { Prompt, RolloutTree } from '../../units.ts';
import { trainingPrompts } from './prompts.ts';
import { gateRounds, samplingOf, type Update } from './update.ts';

/** @param batch of the update, from 0; those after the first are announced here */
export function rollOut(at: Update, batch: number): Promise<readonly RolloutTree[]> {
  const prompts = promptsOf(at, batch);
  if (batch === 0) at.run.policy.beginRollout(at.key, samplingOf(at.run));
  else at.run.post({ kind: 'prompts-added', update: at.update, prompts });
  return grow(at, prompts);
}

/** Prompts of one rollout batch of an update. */
export const promptsOf = ({ run, key }: Update, batch: number): readonly Prompt[] => {
  const { environment, config } = run;
  const { promptsPerUpdate } = config;
  return trainingPrompts(environment, config.datasets, promptsPerUpdate, key, batch * promptsPerUpdate);
};

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
