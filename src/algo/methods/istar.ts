/** iStar: a second network, trained on preferences between rows, rewards the turns. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const istar: Algorithm = {
  name: 'istar',
  title: 'iStar',
  family: 'related',
  description:
    'An implicit reward model learns which rows are better; its log-ratios over a turn are that turn’s reward.',
  paper: { title: 'Agentic Reinforcement Learning with Implicit Step Rewards', arxiv: '2509.19199' },
  evidence: 'code',
  caution: null,
  config: {
    name: 'istar',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: { ...creditBy('istar'), mixing: 1 },
    loss: { ...TOKEN_LOSS, beta: 0.05 },
  },
  sources: [
    { path: 'loss.beta', source: 'released code, β = 0.05' },
    { path: 'credit.mixing', source: 'released code, w = 1' },
  ],
  differences: [
    {
      topic: 'second network',
      paper: 'trained alternately with the policy',
      code: 'the same, over pairs of successful and failed rows',
      here: 'one step before its rewards are read, over as many pairs as a question has; twice the policy’s rate',
    },
    {
      topic: 'outcome part',
      paper: 'an estimator of choice',
      code: 'RLOO, GRPO’s mean or REINFORCE++',
      here: 'GRPO’s, with the deviation',
    },
    {
      topic: 'statistics of the step part',
      paper: 'over the group’s steps',
      code: 'over the first step of each row only',
      here: 'paper',
    },
  ],
};
