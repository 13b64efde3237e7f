/** ReMax: the greedy answer’s reward is the baseline. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const remax: Algorithm = {
  name: 'remax',
  title: 'ReMax',
  family: 'variant',
  description:
    'Each chain against the reward of the greedy answer to the same prompt, which costs one more rollout.',
  paper: {
    title:
      'ReMax: A Simple, Effective, and Efficient Reinforcement Learning Method for Aligning Large Language Models',
    arxiv: '2310.10505',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'remax',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('remax'),
    loss: TOKEN_LOSS,
  },
  sources: [{ path: 'credit.advantageRule', source: 'released code, compute_remax_outcome_advantage' }],
  differences: [],
};
