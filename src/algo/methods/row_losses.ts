/** Losses of whole rows: A*-PO’s regression, DPO on the pairs of a search tree. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import {
  CHAINS,
  EVERY_GROUP,
  PLAIN_REWARD,
  TOKEN_LOSS,
  TREE_CREDIT,
  TURN_TREE,
  creditBy,
} from '../catalogue/defaults.ts';

/** A*-PO: regression of the log-ratio on reward minus optimal value. */
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

/** MCTS and step-level DPO: search, then prefer the best sibling over the worst. */
export const mctsDpo: Algorithm = {
  name: 'mcts_dpo',
  title: 'MCTS + DPO',
  family: 'related',
  description:
    'A search tree per prompt; at every turn with several continuations the best is preferred to the worst.',
  paper: {
    title: 'Monte Carlo Tree Search Boosts Reasoning via Iterative Preference Learning',
    arxiv: '2405.00451',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'mcts_dpo',
    rollout: { ...TURN_TREE, shape: 'search_tree', leavesPerTree: 16, initialBranches: 2, iterations: 16 },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: { ...TREE_CREDIT, valueRule: 'leaf_mean' },
    loss: {
      ...TOKEN_LOSS,
      surrogate: 'preference',
      beta: 0.1,
      dualClip: 0,
      reduction: 'seq-mean-token-mean',
    },
  },
  sources: [
    { path: 'rollout.explorationWeight', source: 'released code, w = 1' },
    { path: 'loss.beta', source: 'released code, 0.1' },
    { path: 'rollout.iterations', source: 'ours: as many simulations as rows' },
    { path: 'credit.valueRule', source: 'ours: values of siblings from the rows' },
  ],
  differences: [
    {
      topic: 'leaf reward',
      paper: 'outcome and self-evaluation',
      code: 'outcome and self-evaluation',
      here: 'outcome only',
    },
    {
      topic: 'who is preferred',
      paper: 'the child of the highest Q over the lowest',
      code: 'the same, Q weighted by visits',
      here: 'by the mean reward of the rows below, so that a leaf counts once however often it was visited',
    },
    {
      topic: 'what a pair scores',
      paper: 'the step that differs',
      code: 'the suffix that differs',
      here: 'the turn that differs, not what follows it',
    },
    { topic: 'label smoothing', paper: 'from visit counts', code: 'optional', here: 'off' },
  ],
};
