/** Trees other than AT²PO’s, and other credit on its tree: Tree-GRPO, TreePO, TreePS-RAG, DialTree, GAE. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import {
  EVERY_GROUP,
  PLAIN_REWARD,
  TOKEN_LOSS,
  TURN_LOSS,
  TURN_TREE,
  creditBy,
} from '../catalogue/defaults.ts';

/** Tree-GRPO: random continuations, advantages inside the tree and across the trees of a prompt. */
export const treeGrpo: Algorithm = {
  name: 'tree_grpo',
  title: 'Tree-GRPO',
  family: 'table',
  description:
    'Two small trees per prompt, continued after random turns; a row’s advantage is its standing in its tree plus its standing in the prompt.',
  paper: { title: 'Tree Search for LLM Agent Reinforcement Learning', arxiv: '2509.21240' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'tree_grpo',
    rollout: {
      ...TURN_TREE,
      shape: 'continuation_tree',
      leavesPerTree: 6,
      initialBranches: 2,
      iterations: 1,
      picks: 2,
      expansion: 'random',
    },
    reward: { ...PLAIN_REWARD, rule: 'format_credit' },
    filter: EVERY_GROUP,
    credit: creditBy('tree_grpo'),
    loss: { ...TOKEN_LOSS, klCoefficient: 0.001, entropyCoefficient: 0.001 },
  },
  sources: [
    { path: 'rollout.initialBranches', source: 'released multi-hop script, M 2' },
    { path: 'rollout.picks', source: 'released multi-hop script, N 2' },
    { path: 'rollout.iterations', source: 'released multi-hop script, L 1' },
    { path: 'rollout.leavesPerTree', source: 'released multi-hop script, k 3 per tree' },
    { path: 'credit.advantageRule', source: 'paper, eq. (6) and (7)' },
    { path: 'reward.rule', source: 'released code: 1, 0.8, 0.2, 0.1' },
    { path: 'loss.entropyCoefficient', source: 'default configuration of the released code' },
  ],
  differences: [{ topic: 'text', paper: '–', code: 're-tokenised every turn', here: 'tokens' }],
};

/** TreePO: segment trees and advantages from nested groups. */
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

/** TreePS-RAG: trees grown level by level, process advantages from Monte-Carlo values. */
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

/** DialTree: level-wise trees, and format tokens that failing rows do not push down. */
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

/** GAE on the tree: node values stand for the critic. */
export const gae: Algorithm = {
  name: 'gae',
  title: 'GAE on node values',
  family: 'variant',
  description: 'Generalised advantage estimation along each path; the tree’s own values are the critic’s.',
  paper: {
    title: 'High-Dimensional Continuous Control Using Generalized Advantage Estimation',
    arxiv: '1506.02438',
  },
  evidence: 'own',
  caution: 'The estimator equals the published code; using tree values as the critic is ours.',
  config: {
    name: 'gae',
    rollout: TURN_TREE,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: {
      ...creditBy('gae'),
      valueRule: 'leaf_mean',
      leafNormalisation: false,
      discount: 0.99,
      lambda: 0.95,
    },
    loss: TURN_LOSS,
  },
  sources: [
    {
      path: 'credit.advantageRule',
      source: 'released code, compute_gae_advantage_return, checked with its critic values',
    },
    { path: 'credit.valueRule', source: 'ours: leaf means below a turn in place of a critic' },
  ],
  differences: [],
};
