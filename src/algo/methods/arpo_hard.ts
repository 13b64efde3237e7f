/** ARPO with hard attribution: a shared prefix is trained with the mean advantage of its descendants. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

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
    credit: creditBy('arpo_hard'),
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'credit.advantageRule', source: 'paper, hard advantage estimation; not in the released code' },
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
  ],
};
