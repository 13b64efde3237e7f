/** StarPO-S: only the groups whose rewards spread most are trained on. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const starpoS: Algorithm = {
  name: 'starpo_s',
  title: 'StarPO-S',
  family: 'related',
  description:
    'GRPO on whole interactions, keeping the quarter of prompts with the widest rewards; no KL, a higher upper clip.',
  paper: {
    title: 'RAGEN: Understanding Self-Evolution in LLM Agents via Multi-Turn Reinforcement Learning',
    arxiv: '2504.20073',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'starpo_s',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, turnPenalty: 0.1 },
    filter: { rule: 'reward_spread', generationBatches: 1, keptShare: 0.25 },
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, clipHigh: 0.28, entropyCoefficient: 0.001 },
  },
  sources: [
    { path: 'filter.keptShare', source: 'paper, top 25 %' },
    { path: 'loss.clipHigh', source: 'paper, 0.28' },
    { path: 'reward.turnPenalty', source: 'released code, −0.1' },
    { path: 'loss.entropyCoefficient', source: 'released code, 0.001' },
  ],
  differences: [{ topic: 'baseline', paper: 'a critic', code: 'critic or group', here: 'group' }],
};
