/** Second step of the AT²PO ablation: a random tree trained with the turn-level loss. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TURN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

export const randomTreeTurnLoss: Algorithm = {
  name: 'random_tree_turn_loss',
  title: 'Random tree + turn loss',
  family: 'ablation',
  description: 'Ablation, step 2: turn ratios in place of token ratios; still no turn credit.',
  paper: { title: 'Agentic Turn-based Policy Optimization via Tree Search', arxiv: '2601.04767' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'random_tree_turn_loss',
    rollout: { ...TURN_TREE, expansion: 'random' },
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: TURN_LOSS,
  },
  sources: [
    { path: 'rollout.expansion', source: 'paper, Table 2' },
    { path: 'credit.advantageRule', source: 'paper, Table 2; released code, vanilla' },
    { path: 'loss.ratioLevel', source: 'paper, Table 2' },
  ],
  differences: [],
};
