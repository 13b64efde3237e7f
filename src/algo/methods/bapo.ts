/** BAPO: "I do not know" is rewarded only where nobody in the group knew. */
import type { Algorithm } from '../algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../defaults.ts';

export const bapo: Algorithm = {
  name: 'bapo',
  title: 'BAPO (boundary)',
  family: 'related',
  description:
    'GRPO; giving up earns 0.5 only if no row of the group was right, and only in the plateau phase and where answers agree.',
  paper: {
    title: 'BAPO: Boundary-Aware Policy Optimization for Reliable Agentic Search',
    arxiv: '2601.11037',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'bapo',
    rollout: { ...CHAINS, leavesPerTree: 8, initialBranches: 8 },
    reward: { ...PLAIN_REWARD, rule: 'boundary' },
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, klCoefficient: 0.001 },
  },
  sources: [
    { path: 'reward.rule', source: 'released code and paper' },
    { path: 'rollout.leavesPerTree', source: 'paper, G = 8' },
    { path: 'loss.klCoefficient', source: 'paper, 0.001' },
  ],
  differences: [
    {
      topic: 'diversity',
      paper: 'off when at least half of the answers differ',
      code: 'at most 3 different answers of 8',
      here: 'code',
    },
  ],
};
