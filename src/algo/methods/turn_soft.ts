/** AT²PO’s loss with soft bounds on the turn ratio. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TREE_CREDIT, TURN_LOSS, TURN_TREE } from '../catalogue/defaults.ts';

export const turnSoft: Algorithm = {
  name: 'turn_soft',
  title: 'AT²PO, soft clip',
  family: 'variant',
  description: 'AT²PO whose turns outside the band keep the gradient of the bound.',
  paper: { title: 'released code of AT²PO (not in a paper)', arxiv: '2601.04767' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'turn_soft',
    rollout: TURN_TREE,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: TREE_CREDIT,
    loss: { ...TURN_LOSS, lowerEdge: 'soft', upperEdge: 'soft' },
  },
  sources: [{ path: 'loss.lowerEdge', source: 'released code, gspo_turn_soft_clip; not wired in its actor' }],
  differences: [],
};
