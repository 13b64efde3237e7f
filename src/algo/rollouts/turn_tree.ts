/** The tree of AT²PO; it is grown in rollout.ts. */
import { growTrees } from './rollout.ts';
import type { GrowRollout, RolloutRule } from './shape.ts';

export const turnTree: RolloutRule = {
  title: 'Tree of turns',
  description:
    'Starts as chains, then samples the most uncertain turns again, in rounds. A turn beside its re-sampled sibling shares all that came before.',
  formula: 'M first turns, then L times the K best of H − α·siblings: M + L·K paths',
  source: 'arXiv:2601.04767, Algorithm 1; released code',
  confidence: 'high',
  ranking: 'Score: surprisal H of the turn less α for each sibling.',
  settings: [
    'rollout.leavesPerTree',
    'rollout.initialBranches',
    'rollout.iterations',
    'rollout.picks',
    'rollout.expansion',
    'rollout.siblingPenalty',
  ],
  grow: growTrees,
};

// Independent paths from the prompt: a tree whose only branching is at its root.

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
