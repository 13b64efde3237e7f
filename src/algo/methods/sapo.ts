/** SAPO: a smooth gate in place of the clip. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const sapo: Algorithm = {
  name: 'sapo',
  title: 'SAPO',
  family: 'variant',
  description:
    'GRPO with a sigmoid gate on the ratio: the push fades on both sides of 1, faster for bad rows.',
  paper: { title: 'Soft Adaptive Policy Optimization', arxiv: '2511.20347' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'sapo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, surrogate: 'gate', dualClip: 0, reduction: 'seq-mean-token-mean' },
  },
  sources: [
    { path: 'loss.gatePositive', source: 'released code, tau_pos 1.0' },
    { path: 'loss.gateNegative', source: 'released code, tau_neg 1.05' },
    { path: 'loss.reduction', source: 'released code' },
  ],
  differences: [],
};
