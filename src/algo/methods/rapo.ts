/** RAPO: half of the chains may borrow stored steps of an expert. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const rapo: Algorithm = {
  name: 'rapo',
  title: 'RAPO',
  family: 'related',
  description:
    'Hybrid chains splice in scripted expert steps; rows whose uncertainty fell after a retrieval are credited more.',
  paper: {
    title: 'RAPO: Expanding Exploration for LLM Agents via Retrieval-Augmented Policy Optimization',
    arxiv: '2603.03078',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'rapo',
    rollout: { ...CHAINS, shape: 'hybrid_chains', hybridRows: 8 },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: { ...creditBy('rapo'), mixing: 0.2 },
    loss: {
      ...TOKEN_LOSS,
      clipLow: 0.28,
      clipHigh: 0.28,
      dualClip: 0,
      retrievalRatio: 0.05,
      reduction: 'seq-mean-token-mean',
    },
  },
  sources: [
    { path: 'rollout.hybridRows', source: 'paper, 8 of 16' },
    { path: 'rollout.retrieveProbability', source: 'paper, 0.5' },
    { path: 'credit.mixing', source: 'paper, a = 0.2' },
    { path: 'loss.retrievalRatio', source: 'paper, m = 0.05' },
    { path: 'loss.clipHigh', source: 'paper, 0.28' },
  ],
  differences: [
    {
      topic: 'which step is retrieved',
      paper: 'that of the nearest history by embeddings (MiniLM), among all training questions',
      code: 'not available',
      here: 'that of the history that shares most tokens, among the update’s other questions; never of its own',
    },
    {
      topic: 'expert',
      paper: 'a stronger model’s answers',
      code: 'not available',
      here: 'the task’s scripted solutions',
    },
  ],
};
