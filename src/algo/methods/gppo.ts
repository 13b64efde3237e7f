/** GPPO: at both clip bounds the gradient is kept, as that of the bound. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const gppo: Algorithm = {
  name: 'gppo',
  title: 'GPPO',
  family: 'variant',
  description: 'GRPO whose clipped tokens still push, with the gradient of the bound.',
  paper: {
    title:
      'Klear-Reasoner: Advancing Reasoning Capability via Gradient-Preserving Clipping Policy Optimization',
    arxiv: '2508.07629',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'gppo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, lowerEdge: 'soft', upperEdge: 'soft' },
  },
  sources: [
    { path: 'loss.lowerEdge', source: 'released code, gppo' },
    { path: 'loss.upperEdge', source: 'released code, gppo' },
  ],
  differences: [],
};
