/** DialTree: level-wise trees, and format tokens that failing rows do not push down. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

export const dialtree: Algorithm = {
  name: 'dialtree',
  title: 'DialTree',
  family: 'related',
  description:
    'Every open path proposes several turns per level, a few survive; grammar tokens are spared from negative advantages.',
  paper: {
    title: 'Tree-based Dialogue Reinforced Policy Optimization for Red-Teaming Attacks',
    arxiv: '2510.02286',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'dialtree',
    rollout: {
      ...TURN_TREE,
      shape: 'level_tree',
      leavesPerTree: 16,
      initialBranches: 4,
      iterations: 0,
      width: 4,
      levels: 5,
    },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: {
      ...TOKEN_LOSS,
      dualClip: 0,
      formatMask: true,
      klCoefficient: 0.001,
      reduction: 'seq-mean-token-mean',
    },
  },
  sources: [
    { path: 'rollout.width', source: 'paper, n = 4' },
    { path: 'rollout.levels', source: 'paper, T = 5' },
    { path: 'loss.formatMask', source: 'paper, eq. (4)' },
    { path: 'loss.klCoefficient', source: 'paper, 0.001' },
  ],
  differences: [
    { topic: 'task', paper: 'a dialogue with a judge', code: 'not released', here: 'the lab’s own tasks' },
    {
      topic: 'pruning',
      paper: 'malformed and off-topic children; at most 32 open paths',
      code: 'not released',
      here: 'malformed turns end their path; at most as many open paths as rows',
    },
  ],
};
