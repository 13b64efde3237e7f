/** AEPO: entropy-balanced branching and a soft upper clip. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

export const aepo: Algorithm = {
  name: 'aepo',
  title: 'AEPO',
  family: 'table',
  description:
    'Branches with a penalty for branching again and again, and keeps the gradient of ratios above the upper bound.',
  paper: { title: 'Agentic Entropy-Balanced Policy Optimization', arxiv: '2510.14545' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'aepo',
    rollout: {
      ...TURN_TREE,
      shape: 'branching',
      leavesPerTree: 16,
      initialBranches: 8,
      iterations: 0,
      branchRule: 'aepo',
    },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, upperEdge: 'soft' },
  },
  sources: [
    { path: 'rollout.branchRule', source: 'released code, consecutive branches' },
    { path: 'loss.upperEdge', source: 'released code, entropy-balanced clipping' },
    { path: 'loss.entropyAdvantage', source: '0: dead by default in the released code' },
    { path: 'rollout.dynamicInitial', source: 'off in the released scripts (ENABLE_DYNAMIC_ROLLOUTS)' },
  ],
  differences: [
    {
      topic: 'when entropy is measured',
      paper: 'after the tool result',
      code: 'on the turn that made the call',
      here: 'code',
    },
    {
      topic: 'entropy',
      paper: 'mean over the first tokens',
      code: 'sum over 20 tokens of the ten likeliest, over ln V',
      here: 'sum over 20 tokens of the whole distribution, over ln V: our policies know it exactly',
    },
    {
      topic: 'initial entropy',
      paper: 'of this prompt',
      code: 'kept by row number and never cleared',
      here: 'cleared with every update',
    },
    {
      topic: 'entropy-aware advantage',
      paper: 'on',
      code: 'skipped, since entropies are only computed with an entropy bonus',
      here: 'code; loss.entropyAdvantage = 0.2 is the paper’s',
    },
    {
      topic: 'first rollouts',
      paper: 'from the entropies of a first path',
      code: 'off',
      here: 'code; rollout.dynamicInitial is the paper’s',
    },
    {
      topic: 'consecutive branching',
      paper: 'per high-entropy path',
      code: 'a counter per prompt',
      here: 'code',
    },
  ],
};
