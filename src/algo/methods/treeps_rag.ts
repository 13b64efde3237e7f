/** TreePS-RAG: trees grown level by level, process advantages from Monte-Carlo values. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

export const treepsRag: Algorithm = {
  name: 'treeps_rag',
  title: 'TreePS-RAG',
  family: 'related',
  description:
    'Every open path proposes several turns per level; likely repeats are pruned; turns are credited by value gains over root and parent.',
  paper: { title: 'TreePS-RAG', arxiv: '2601.06922' },
  evidence: 'uncertain',
  caution:
    'No code was released; the advantage is TreeRL’s and the pruning rule comes from a secondary source.',
  config: {
    name: 'treeps_rag',
    rollout: {
      ...TURN_TREE,
      shape: 'level_tree',
      leavesPerTree: 16,
      initialBranches: 4,
      iterations: 0,
      similarity: 0.9,
    },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: { ...creditBy('tree_rl'), valueRule: 'leaf_mean', leafNormalisation: false },
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'credit.advantageRule', source: 'TreeRL (2506.11902), the closest published form' },
    { path: 'rollout.similarity', source: 'secondary source: by what siblings retrieve' },
  ],
  differences: [
    {
      topic: 'advantage',
      paper: 'from Monte-Carlo values; the formula is not known to us',
      code: 'not released',
      here: 'TreeRL’s: gains over root and parent, by the root of the leaves; its own code also adds V(n)',
    },
    {
      topic: 'ratio and reduction',
      paper: 'not known to us',
      code: 'not released',
      here: 'GRPO’s: token ratios, token mean',
    },
    {
      topic: 'likely repeats',
      paper: 'pruned by what they retrieve, says a secondary source',
      code: 'not released',
      here: 'Jaccard overlap of the results above 0.9',
    },
  ],
};
