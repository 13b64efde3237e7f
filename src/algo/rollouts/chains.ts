/** Independent paths from the prompt: a tree whose only branching is at its root. */
import { growTrees } from '../rollout.ts';
import type { GrowRollout, RolloutRule } from './shape.ts';

const grow: GrowRollout = (policy, env, prompts, config, key, observer) => {
  const initialBranches = config.leavesPerTree;
  return growTrees(policy, env, prompts, { ...config, initialBranches, iterations: 0 }, key, observer);
};

export const chains: RolloutRule = {
  title: 'Chains',
  description: 'Independent paths for each question, compared with one another. No path shares a turn.',
  formula: 'S paths from the question',
  source: 'GRPO, arXiv:2402.03300',
  confidence: 'high',
  ranking: 'Nothing is chosen.',
  settings: ['rollout.leavesPerTree'],
  grow,
};
