/** REINFORCE++ with a group baseline: rewards minus the group mean, whitened over the batch. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const reinforcePpBaseline: Algorithm = {
  name: 'reinforce_pp_baseline',
  title: 'REINFORCE++ baseline',
  family: 'variant',
  description: 'Rewards minus the prompt’s mean, then standardised over all trained tokens of the update.',
  paper: {
    title: 'REINFORCE++: A Simple and Efficient Approach for Aligning Large Language Models',
    arxiv: '2501.03262',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'reinforce_pp_baseline',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('reinforce_pp_baseline'),
    loss: TOKEN_LOSS,
  },
  sources: [
    {
      path: 'credit.advantageRule',
      source: 'released code, compute_reinforce_plus_plus_baseline_outcome_advantage',
    },
  ],
  differences: [],
};
