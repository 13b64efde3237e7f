/** Chains whose turns have rewards of their own: GTPO, IGPO, A²TGPO, iStar. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_LOSS, creditBy } from '../catalogue/defaults.ts';

/** GTPO: returns of turns, with a small penalty for calls that fail. */
export const gtpo: Algorithm = {
  name: 'gtpo',
  title: 'GTPO',
  family: 'related',
  description:
    'Each turn gets the discounted return of what follows; failed calls cost a little; failed rows earn by their likeness to good ones.',
  paper: {
    title: 'Empowering Multi-Turn Tool-Integrated Reasoning with Group Turn Policy Optimization',
    arxiv: '2511.14846',
  },
  evidence: 'uncertain',
  caution:
    'No author code was found. Whether returns are standardised over the prompt or over prompt and turn is not established; here over the prompt.',
  config: {
    name: 'gtpo',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, rule: 'exact_match', turnPenalty: 0.1 },
    filter: EVERY_GROUP,
    credit: { ...creditBy('gtpo'), discount: 0.9, mixing: 0.5 },
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'credit.discount', source: 'implementations seen, γ = 0.9' },
    { path: 'reward.turnPenalty', source: 'implementations seen, 0.1' },
    { path: 'credit.mixing', source: 'implementations seen, α = 0.5 of the similarity reward' },
  ],
  differences: [
    {
      topic: 'likeness of failed rows',
      paper: 'cosine of embeddings of their code',
      code: 'not released',
      here: 'cosine of the words of their queries',
    },
    {
      topic: 'group of the returns',
      paper: 'not established',
      code: 'not released',
      here: 'the prompt; gtpo_by_turn takes prompt and turn',
    },
  ],
};

/** IGPO: a turn earns what it adds to the belief in the true answer. */
export const igpo: Algorithm = {
  name: 'igpo',
  title: 'IGPO',
  family: 'related',
  description:
    'Turn rewards are gains in the probability of the true answer; the answer itself earns its F1.',
  paper: {
    title:
      'Information Gain-based Policy Optimization: A Simple and Effective Approach for Multi-Turn LLM Agents',
    arxiv: '2510.14967',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'igpo',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, rule: 'f1' },
    filter: EVERY_GROUP,
    credit: creditBy('igpo'),
    loss: { ...TOKEN_LOSS, klCoefficient: 0.001 },
  },
  sources: [
    { path: 'credit.advantageRule', source: 'paper; igpo_position is the released code’s form' },
    { path: 'loss.klCoefficient', source: 'paper, 0.001' },
  ],
  differences: [
    {
      topic: 'normalisation',
      paper: 'z-score over all turn rewards of the group',
      code: 'return minus the group mean at the same token position',
      here: 'paper; igpo_position is the code’s',
    },
    {
      topic: 'reward of the answer',
      paper: 'F1, a fixed value where malformed',
      code: 'the same',
      here: 'F1 (+ 0.1 with both tools), −1 where malformed',
    },
  ],
};

/** A²TGPO: gains in belief, normalised per turn index, and a clip band that adapts to them. */
export const a2tgpo: Algorithm = {
  name: 'a2tgpo',
  title: 'A²TGPO',
  family: 'related',
  description: 'Chains; turns are credited by information gain, and informative turns get a wider clip band.',
  paper: { title: 'A²TGPO', arxiv: '2605.06200' },
  evidence: 'code',
  caution: null,
  config: {
    name: 'a2tgpo',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, rule: 'exact_match' },
    filter: EVERY_GROUP,
    credit: { ...creditBy('a2tgpo'), mixing: 0.3 },
    loss: { ...TURN_LOSS, clipAdaptation: 0.3 },
  },
  sources: [
    { path: 'credit.mixing', source: 'released script, α = 0.3' },
    { path: 'loss.clipAdaptation', source: 'released script, 0.3' },
    { path: 'loss.clipLow', source: 'released script, 3e-3' },
    { path: 'loss.clipHigh', source: 'released script, 4e-3' },
  ],
  differences: [
    {
      topic: 'belief',
      paper: '–',
      code: 'change of the mean log-probability; a comment speaks of probability',
      here: 'code',
    },
    {
      topic: 'turn boundaries',
      paper: 'turns',
      code: 'where the advantage changes',
      here: 'turns, by their ids',
    },
    { topic: 'first search turn', paper: '–', code: 'gives the baseline and no gain', here: 'code' },
  ],
};

/** iStar: a second network, trained on preferences between rows, rewards the turns. */
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
