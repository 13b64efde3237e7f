/** ARPO: paths branch after tool calls where entropy rose; soft attribution. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

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
    rollout: {
      ...TURN_TREE,
      shape: 'branching',
      leavesPerTree: 16,
      initialBranches: 8,
      iterations: 0,
      branchRule: 'arpo',
    },
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
    { topic: 'attribution', paper: 'soft or hard', code: 'soft only', here: 'soft; arpo_hard is the other' },
  ],
};
