/** RLOO: each row against the mean of the others. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const rloo: Algorithm = {
  name: 'rloo',
  title: 'RLOO',
  family: 'variant',
  description: 'A chain’s baseline is the mean reward of the other chains of its prompt.',
  paper: {
    title: 'Back to Basics: Revisiting REINFORCE Style Optimization for Learning from Human Feedback in LLMs',
    arxiv: '2402.14740',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'rloo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('rloo'),
    loss: TOKEN_LOSS,
  },
  sources: [{ path: 'credit.advantageRule', source: 'released code, compute_rloo_outcome_advantage' }],
  differences: [],
};
