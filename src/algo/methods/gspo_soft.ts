/** GSPO with soft bounds on the sequence ratio. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TURN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const gspoSoft: Algorithm = {
  name: 'gspo_soft',
  title: 'GSPO, soft clip',
  family: 'variant',
  description: 'Sequence ratios; rows outside the band keep the gradient of the bound.',
  paper: { title: 'released code of AT²PO (not in a paper)', arxiv: '2601.04767' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'gspo_soft',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: {
      ...TURN_LOSS,
      ratioLevel: 'sequence',
      clipLow: 3e-4,
      clipHigh: 4e-4,
      lowerEdge: 'soft',
      upperEdge: 'soft',
    },
  },
  sources: [{ path: 'loss.lowerEdge', source: 'released code, gspo_soft_clip; not wired in its actor' }],
  differences: [],
};
