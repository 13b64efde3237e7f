/** GRPO’s chains with another baseline or another whitening of the reward. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

/** RLOO: each row against the mean of the others. */
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

/** OPO: the baseline is the length-weighted mean reward. */
export const opo: Algorithm = {
  name: 'opo',
  title: 'OPO',
  family: 'variant',
  description: 'Rewards minus the group’s mean weighted by response length, the variance-optimal baseline.',
  paper: { title: 'On-Policy RL with Optimal Reward Baseline', arxiv: '2505.23585' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'opo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('opo'),
    loss: TOKEN_LOSS,
  },
  sources: [{ path: 'credit.advantageRule', source: 'released code, compute_opo_outcome_advantage' }],
  differences: [],
};

/** Pass@k: only the best row of a group is reinforced, by its lead over the second. */
export const passK: Algorithm = {
  name: 'pass_k',
  title: 'pass@k',
  family: 'variant',
  description:
    'Trains for the best of k: the best chain gets its lead over the second best, all others nothing.',
  paper: {
    title: 'Pass@k Training for Adaptively Balancing Exploration and Exploitation of Large Reasoning Models',
    arxiv: '2508.10751',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'pass_k',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('pass_k'),
    loss: TOKEN_LOSS,
  },
  sources: [{ path: 'credit.advantageRule', source: 'released code, compute_grpo_passk_outcome_advantage' }],
  differences: [],
};

/** ReMax: the greedy answer’s reward is the baseline. */
export const remax: Algorithm = {
  name: 'remax',
  title: 'ReMax',
  family: 'variant',
  description:
    'Each chain against the reward of the greedy answer to the same prompt, which costs one more rollout.',
  paper: {
    title:
      'ReMax: A Simple, Effective, and Efficient Reinforcement Learning Method for Aligning Large Language Models',
    arxiv: '2310.10505',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'remax',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('remax'),
    loss: TOKEN_LOSS,
  },
  sources: [{ path: 'credit.advantageRule', source: 'released code, compute_remax_outcome_advantage' }],
  differences: [],
};

/** REINFORCE++: returns whitened over the whole batch. */
export const reinforcePp: Algorithm = {
  name: 'reinforce_pp',
  title: 'REINFORCE++',
  family: 'variant',
  description: 'No group: discounted returns, standardised over all trained tokens of the update.',
  paper: {
    title: 'REINFORCE++: A Simple and Efficient Approach for Aligning Large Language Models',
    arxiv: '2501.03262',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'reinforce_pp',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('reinforce_pp'),
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'credit.advantageRule', source: 'released code, compute_reinforce_plus_plus_outcome_advantage' },
  ],
  differences: [],
};

/** REINFORCE++ with a group baseline: rewards minus the group mean, whitened over the batch. */
export const reinforcePpBaseline: Algorithm = {
  name: 'reinforce_pp_baseline',
  title: 'REINFORCE++ baseline',
  family: 'variant',
  description: 'Rewards minus the prompt’s mean, then standardised over all trained tokens of the update.',
  paper: {
    title: 'REINFORCE++: A Simple and Efficient Approach for Aligning Large Language Models',
    arxiv: '2501.03262',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'reinforce_pp_baseline',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('reinforce_pp_baseline'),
    loss: TOKEN_LOSS,
  },
  sources: [
    {
      path: 'credit.advantageRule',
      source: 'released code, compute_reinforce_plus_plus_baseline_outcome_advantage',
    },
  ],
  differences: [],
};
