/** IGPO: a turn earns what it adds to the belief in the true answer. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const igpo: Algorithm = {
  name: 'igpo',
  title: 'IGPO',
  family: 'related',
  description:
    'Turn rewards are gains in the probability of the true answer; the answer itself earns its F1.',
  paper: {
    title:
      'Information Gain-based Policy Optimization: A Simple and Effective Approach for Multi-Turn LLM Agents',
    arxiv: '2510.14967',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'igpo',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, rule: 'f1' },
    filter: EVERY_GROUP,
    credit: creditBy('igpo'),
    loss: { ...TOKEN_LOSS, klCoefficient: 0.001 },
  },
  sources: [
    { path: 'credit.advantageRule', source: 'paper; igpo_position is the released code’s form' },
    { path: 'loss.klCoefficient', source: 'paper, 0.001' },
  ],
  differences: [
    {
      topic: 'normalisation',
      paper: 'z-score over all turn rewards of the group',
      code: 'return minus the group mean at the same token position',
      here: 'paper; igpo_position is the code’s',
    },
    {
      topic: 'reward of the answer',
      paper: 'F1, a fixed value where malformed',
      code: 'the same',
      here: 'F1 (+ 0.1 with both tools), −1 where malformed',
    },
  ],
};
