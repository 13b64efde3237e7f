/** DAPO: GRPO with a higher upper clip, groups that all earned the same replaced, long answers penalised, no KL. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const dapo: Algorithm = {
  name: 'dapo',
  title: 'DAPO',
  family: 'table',
  description:
    'GRPO with clip-higher, token mean, dynamic sampling (at its real generation cost) and overlong shaping.',
  paper: { title: 'DAPO: An Open-Source LLM Reinforcement Learning System at Scale', arxiv: '2503.14476' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'dapo',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, overlongBuffer: 16 },
    filter: { rule: 'dynamic_sampling', generationBatches: 2, keptShare: 1 },
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, clipHigh: 0.28 },
  },
  sources: [
    { path: 'loss.clipHigh', source: 'paper, clip-higher (0.28)' },
    { path: 'loss.reduction', source: 'paper, token-level loss' },
    { path: 'filter.rule', source: 'paper, dynamic sampling' },
    { path: 'filter.generationBatches', source: 'released script, max_num_gen_batches' },
    { path: 'reward.overlongBuffer', source: 'paper 2,000 of 6,192 tokens; ours a sixth of the context' },
    { path: 'loss.dualClip', source: 'released code 3; the DAPO recipe uses 10' },
  ],
  differences: [
    { topic: 'dual clip', paper: 'not mentioned', code: 'c = 3 here, 10 in the recipe', here: '3' },
    {
      topic: 'after the last generation batch',
      paper: 'waits until enough groups vary',
      code: 'fills up with discarded groups',
      here: 'code',
    },
  ],
};
