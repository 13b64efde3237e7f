/** GRPO’s chains with another ratio, or other bounds of it: GSPO, GPPO, SAPO. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_LOSS, creditBy } from '../catalogue/defaults.ts';

/** GSPO: one ratio for the whole sequence, clipped in a narrow band. */
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

/** GSPO with soft bounds on the sequence ratio. */
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

/** GPPO: at both clip bounds the gradient is kept, as that of the bound. */
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

/** GPPO on one side: only the upper bound keeps its gradient. */
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

/** SAPO: a smooth gate in place of the clip. */
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
