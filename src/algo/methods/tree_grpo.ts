/** Tree-GRPO: random continuations, advantages inside the tree and across the trees of a prompt. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

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
