/** GAE on the tree: node values stand for the critic. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TURN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

export const gae: Algorithm = {
  name: 'gae',
  title: 'GAE on node values',
  family: 'variant',
  description: 'Generalised advantage estimation along each path; the tree’s own values are the critic’s.',
  paper: {
    title: 'High-Dimensional Continuous Control Using Generalized Advantage Estimation',
    arxiv: '1506.02438',
  },
  evidence: 'own',
  caution: 'The estimator equals the published code; using tree values as the critic is ours.',
  config: {
    name: 'gae',
    rollout: TURN_TREE,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: {
      ...creditBy('gae'),
      valueRule: 'leaf_mean',
      leafNormalisation: false,
      discount: 0.99,
      lambda: 0.95,
    },
    loss: TURN_LOSS,
  },
  sources: [
    {
      path: 'credit.advantageRule',
      source: 'released code, compute_gae_advantage_return, checked with its critic values',
    },
    { path: 'credit.valueRule', source: 'ours: leaf means below a turn in place of a critic' },
  ],
  differences: [],
};
