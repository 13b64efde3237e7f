/** GRPO: chains of one prompt compared with each other, PPO with dual clip on token ratios. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const grpo: Algorithm = {
  name: 'grpo',
  title: 'GRPO',
  family: 'table',
  description:
    'Independent chains; every token of a chain gets its reward standardised within the prompt’s group.',
  paper: {
    title: 'DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models',
    arxiv: '2402.03300',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'grpo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, klCoefficient: 0.001 },
  },
  sources: [
    { path: 'rollout.leavesPerTree', source: 'AT²PO’s comparison, Sec. 5.1: 16 rollouts per prompt' },
    { path: 'credit.advantageRule', source: 'released code, compute_grpo_outcome_advantage' },
    { path: 'loss.clipLow', source: 'AT²PO, Table 4 (0.2)' },
    { path: 'loss.clipHigh', source: 'AT²PO, Table 4 (0.2)' },
    { path: 'loss.dualClip', source: 'released code, clip_ratio_c' },
    { path: 'loss.klCoefficient', source: 'AT²PO’s released script, 0.001' },
  ],
  differences: [
    { topic: 'dual clip', paper: 'none', code: 'c = 3', here: 'code; 0 turns it off' },
    {
      topic: 'reduction',
      paper: 'mean over each sequence, then over sequences',
      code: 'token-mean',
      here: 'code; loss.reduction changes it',
    },
  ],
};
