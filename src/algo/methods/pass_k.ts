/** Pass@k: only the best row of a group is reinforced, by its lead over the second. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const passK: Algorithm = {
  name: 'pass_k',
  title: 'pass@k',
  family: 'variant',
  description:
    'Trains for the best of k: the best chain gets its lead over the second best, all others nothing.',
  paper: {
    title: 'Pass@k Training for Adaptively Balancing Exploration and Exploitation of Large Reasoning Models',
    arxiv: '2508.10751',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'pass_k',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('pass_k'),
    loss: TOKEN_LOSS,
  },
  sources: [{ path: 'credit.advantageRule', source: 'released code, compute_grpo_passk_outcome_advantage' }],
  differences: [],
};
