/** Methods made for search agents: BAPO rewards admitting, RAPO retrieves an expert’s steps. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

/** BAPO: "I do not know" is rewarded only where nobody in the group knew. */
export const bapo: Algorithm = {
  name: 'bapo',
  title: 'BAPO (boundary)',
  family: 'related',
  description:
    'GRPO; “I do not know” earns 0.5 where no row of the group knew: while exploring only if fewer than 5 % of the batch’s rows admit, on the plateau only if at most 3/8 of the group’s answers differ.',
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
      here: 'code; as a share, 3/8 of the rows of the group',
    },
    {
      topic: 'plateau',
      paper: 'validation was below its best more than 5 times',
      code: 'the same',
      here: 'six in a row without a new best; an equal one does not count',
    },
    {
      topic: 'resampling',
      paper: 'groups without a right answer may be sampled again',
      code: 'a switch',
      here: 'left out',
    },
  ],
};

/** RAPO: half of the chains may borrow stored steps of an expert. */
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
