/** Chains that branch off where a tool call made the policy uncertain: ARPO, AEPO. */
import type { RolloutConfig } from '../../units.ts';
import type { Algorithm, Difference } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

const BRANCHING: RolloutConfig = {
  ...TURN_TREE,
  shape: 'branching',
  leavesPerTree: 16,
  initialBranches: 8,
  iterations: 0,
  branchRule: 'arpo',
};

const ENTROPY_DIFFERENCES: readonly Difference[] = [
  {
    topic: 'when entropy is measured',
    paper: 'after the tool result',
    code: 'on the turn that made the call',
    here: 'code',
  },
  {
    topic: 'entropy',
    paper: 'mean over the first tokens',
    code: 'sum over 20 tokens of the ten likeliest, over ln V',
    here: 'sum over 20 tokens of the whole distribution, over ln V: our policies know it exactly',
  },
  {
    topic: 'initial entropy',
    paper: 'of this prompt',
    code: 'kept by row number and never cleared',
    here: 'cleared with every update',
  },
];

/** ARPO: paths branch after tool calls where entropy rose; soft attribution. */
export const arpo: Algorithm = {
  name: 'arpo',
  title: 'ARPO (soft)',
  family: 'arpo',
  description:
    'Half the rows start as chains; others branch off after tool calls that made the policy uncertain. Plain GRPO over all rows.',
  paper: { title: 'Agentic Reinforced Policy Optimization', arxiv: '2507.19849' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'arpo',
    rollout: BRANCHING,
    reward: { ...PLAIN_REWARD, rule: 'f1' },
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'rollout.initialBranches', source: 'released script, initial_rollouts' },
    { path: 'rollout.beam', source: 'released script, beam_size 2' },
    { path: 'rollout.branchWeight', source: 'released script, entropy_weight 0.2' },
    { path: 'rollout.branchBase', source: 'released script, branch_probability 0.5' },
    { path: 'reward.rule', source: 'released code: F1, +0.1 with both tools, −1 malformed' },
  ],
  differences: [
    ...ENTROPY_DIFFERENCES,
    { topic: 'attribution', paper: 'soft or hard', code: 'soft only', here: 'soft; arpo_hard is the other' },
  ],
};

/** ARPO with hard attribution: a shared prefix is trained with the mean advantage of its descendants. */
export const arpoHard: Algorithm = {
  name: 'arpo_hard',
  title: 'ARPO (hard)',
  family: 'arpo',
  description: 'ARPO’s rollouts; tokens that several rows share get the mean advantage of these rows.',
  paper: { title: 'Agentic Reinforced Policy Optimization', arxiv: '2507.19849' },
  evidence: 'code',
  caution: 'Symbols of the paper are known from secondary notes; the formula itself is certain.',
  config: {
    name: 'arpo_hard',
    rollout: BRANCHING,
    reward: { ...PLAIN_REWARD, rule: 'f1' },
    filter: EVERY_GROUP,
    credit: creditBy('arpo_hard'),
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'credit.advantageRule', source: 'paper, hard advantage estimation; not in the released code' },
  ],
  differences: [...ENTROPY_DIFFERENCES],
};

/** AEPO: entropy-balanced branching and a soft upper clip. */
export const aepo: Algorithm = {
  name: 'aepo',
  title: 'AEPO',
  family: 'table',
  description:
    'Branches with a penalty for branching again and again, and keeps the gradient of ratios above the upper bound.',
  paper: { title: 'Agentic Entropy-Balanced Policy Optimization', arxiv: '2510.14545' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'aepo',
    rollout: { ...BRANCHING, branchRule: 'aepo' },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, upperEdge: 'soft' },
  },
  sources: [
    { path: 'rollout.branchRule', source: 'released code, consecutive branches' },
    { path: 'loss.upperEdge', source: 'released code, entropy-balanced clipping' },
    { path: 'loss.entropyAdvantage', source: '0: dead by default in the released code' },
    { path: 'rollout.dynamicInitial', source: 'off in the released scripts (ENABLE_DYNAMIC_ROLLOUTS)' },
  ],
  differences: [
    ...ENTROPY_DIFFERENCES,
    {
      topic: 'entropy-aware advantage',
      paper: 'on',
      code: 'skipped, since entropies are only computed with an entropy bonus',
      here: 'code; loss.entropyAdvantage = 0.2 is the paper’s',
    },
    {
      topic: 'first rollouts',
      paper: 'from the entropies of a first path',
      code: 'off',
      here: 'code; rollout.dynamicInitial is the paper’s',
    },
    {
      topic: 'consecutive branching',
      paper: 'per high-entropy path',
      code: 'a counter per prompt',
      here: 'code',
    },
  ],
};
