/** OPO: the baseline is the length-weighted mean reward. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const opo: Algorithm = {
  name: 'opo',
  title: 'OPO',
  family: 'variant',
  description: 'Rewards minus the group’s mean weighted by response length, the variance-optimal baseline.',
  paper: { title: 'On-Policy RL with Optimal Reward Baseline', arxiv: '2505.23585' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'opo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('opo'),
    loss: TOKEN_LOSS,
  },
  sources: [{ path: 'credit.advantageRule', source: 'released code, compute_opo_outcome_advantage' }],
  differences: [],
};
