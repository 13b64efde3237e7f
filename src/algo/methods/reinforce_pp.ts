/** REINFORCE++: returns whitened over the whole batch. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const reinforcePp: Algorithm = {
  name: 'reinforce_pp',
  title: 'REINFORCE++',
  family: 'variant',
  description: 'No group: discounted returns, standardised over all trained tokens of the update.',
  paper: {
    title: 'REINFORCE++: A Simple and Efficient Approach for Aligning Large Language Models',
    arxiv: '2501.03262',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'reinforce_pp',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('reinforce_pp'),
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'credit.advantageRule', source: 'released code, compute_reinforce_plus_plus_outcome_advantage' },
  ],
  differences: [],
};
