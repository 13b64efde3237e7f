/** GPPO on one side: only the upper bound keeps its gradient. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const gppoHalf: Algorithm = {
  name: 'gppo_half',
  title: 'GPPO, upper side',
  family: 'variant',
  description: 'GRPO whose tokens above the upper bound still push; below the lower bound they stop.',
  paper: {
    title:
      'Klear-Reasoner: Advancing Reasoning Capability via Gradient-Preserving Clipping Policy Optimization',
    arxiv: '2508.07629',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'gppo_half',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, upperEdge: 'soft' },
  },
  sources: [{ path: 'loss.upperEdge', source: 'released code, gppo_half; identical to AEPO’s clip' }],
  differences: [],
};
