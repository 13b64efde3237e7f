/** GSPO: one ratio for the whole sequence, clipped in a narrow band. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TURN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const gspo: Algorithm = {
  name: 'gspo',
  title: 'GSPO',
  family: 'table',
  description:
    'Chains as in GRPO, but importance ratios are means over the whole row: AT²PO’s loss with one turn per row.',
  paper: { title: 'Group Sequence Policy Optimization', arxiv: '2507.18071' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'gspo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TURN_LOSS, ratioLevel: 'sequence', clipLow: 3e-4, clipHigh: 4e-4 },
  },
  sources: [
    { path: 'loss.ratioLevel', source: 'paper, eq. (7)' },
    { path: 'loss.clipLow', source: 'paper, Sec. 5.1 (3e-4)' },
    { path: 'loss.clipHigh', source: 'paper, Sec. 5.1 (4e-4)' },
    { path: 'loss.reduction', source: 'released code, always seq-mean-token-mean' },
  ],
  differences: [{ topic: 'log-ratio cap', paper: 'none', code: '10, on the log-ratio', here: 'code' }],
};
