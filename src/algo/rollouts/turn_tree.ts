/** The tree of AT²PO; it is grown in algo/rollout.ts. */
import { growTrees } from '../rollout.ts';
import type { RolloutRule } from './shape.ts';

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
