/** Dr. GRPO: GRPO without dividing by the deviation and without length weights. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const drGrpo: Algorithm = {
  name: 'dr_grpo',
  title: 'Dr. GRPO',
  family: 'variant',
  description:
    'Rewards minus the group’s mean; every token of the batch weighs the same, whatever its row’s length.',
  paper: { title: 'Understanding R1-Zero-Like Training: A Critical Perspective', arxiv: '2503.20783' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'dr_grpo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('dr_grpo'),
    loss: { ...TOKEN_LOSS, dualClip: 0, reduction: 'seq-mean-token-sum-norm' },
  },
  sources: [
    { path: 'credit.advantageRule', source: 'paper; released code without std' },
    { path: 'loss.reduction', source: 'paper: a constant in place of the length' },
  ],
  differences: [],
};
