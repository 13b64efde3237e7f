/** A*-PO: regression of the log-ratio on reward minus optimal value. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const aStarPo: Algorithm = {
  name: 'a_star_po',
  title: 'A*-PO',
  family: 'related',
  description:
    'One chain per prompt; its summed log-ratio is fitted to r − V*, with V* from samples of the starting policy.',
  paper: {
    title: 'Accelerating RL for LLM Reasoning with Optimal Advantage Regression',
    arxiv: '2505.20686',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'a_star_po',
    rollout: { ...CHAINS, leavesPerTree: 1, initialBranches: 1 },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('optimal_value'),
    loss: { ...TOKEN_LOSS, surrogate: 'regression', reduction: 'seq-mean-token-mean', dualClip: 0 },
  },
  sources: [
    { path: 'loss.beta', source: 'paper, β₂ = 1e-3' },
    { path: 'rollout.leavesPerTree', source: 'paper: one sample per prompt' },
    { path: 'credit.advantageRule', source: 'paper, eq. (4); β₁ = 0.5, N = 8' },
  ],
  differences: [
    {
      topic: 'multi-turn rows',
      paper: 'not treated',
      code: 'not treated',
      here: 'log-ratios are summed over trained tokens only',
    },
  ],
};
