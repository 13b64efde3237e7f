/** First step of the AT²PO ablation: a random tree trained with GRPO’s loss. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

export const randomTreeGrpo: Algorithm = {
  name: 'random_tree_grpo',
  title: 'Random tree + GRPO loss',
  family: 'ablation',
  description: 'Ablation, step 1: the tree of AT²PO grown anywhere, GRPO’s advantages and token loss.',
  paper: { title: 'Agentic Turn-based Policy Optimization via Tree Search', arxiv: '2601.04767' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'random_tree_grpo',
    rollout: { ...TURN_TREE, expansion: 'random' },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'rollout.expansion', source: 'paper, Table 2' },
    { path: 'credit.advantageRule', source: 'paper, Table 2; released code, vanilla' },
    { path: 'loss.ratioLevel', source: 'paper, Table 2' },
  ],
  differences: [],
};
