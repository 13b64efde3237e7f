/** TreePO: segment trees and advantages from nested groups. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

export const treepo: Algorithm = {
  name: 'treepo',
  title: 'TreePO',
  family: 'related',
  description:
    'Paths fork every few tokens; a row is compared with the leaves under each of its ancestors, larger groups weighing more.',
  paper: {
    title:
      'TreePO: Bridging the Gap of Policy Optimization and Efficacy and Inference Efficiency with Heuristic Tree-based Modeling',
    arxiv: '2508.17445',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'treepo',
    rollout: { ...TURN_TREE, shape: 'segment_tree', leavesPerTree: 16, initialBranches: 2, iterations: 0 },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('treepo'),
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'rollout.width', source: 'released script, 2' },
    { path: 'rollout.levels', source: 'released script, depth 6' },
    { path: 'rollout.segmentTokens', source: 'released script 512; ours in proportion to the context' },
  ],
  differences: [
    {
      topic: 'free places',
      paper: 'branches that end early make room elsewhere',
      code: 'the same, with several rules for where',
      here: 'at random cuts',
    },
    {
      topic: 'subgroups',
      paper: 'weighed by their size',
      code: 'by size or alike; those without spread may be left out',
      here: 'by size, all with more than one leaf',
    },
  ],
};
