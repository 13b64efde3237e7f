/** AT²PO on trees that grow anywhere: what entropy-guided expansion is worth by itself. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { at2po } from './at2po.ts';

export const at2poRandom: Algorithm = {
  ...at2po,
  name: 'at2po_random',
  title: 'AT²PO, random tree',
  family: 'ablation',
  description: 'The same credit and loss on trees that grow anywhere: turns to expand are drawn at random.',
  config: {
    ...at2po.config,
    name: 'at2po_random',
    rollout: { ...at2po.config.rollout, expansion: 'random' },
  },
  sources: [{ path: 'rollout.expansion', source: 'released code, expansion_mode' }],
};
