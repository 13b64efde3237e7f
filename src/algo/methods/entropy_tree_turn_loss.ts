/** Third step of the AT²PO ablation: entropy-guided expansion with the turn-level loss. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TURN_LOSS, TURN_TREE, creditBy } from '../catalogue/defaults.ts';

export const entropyTreeTurnLoss: Algorithm = {
  name: 'entropy_tree_turn_loss',
  title: 'Entropy tree + turn loss',
  family: 'ablation',
  description: 'Ablation, step 3: grown where the policy is uncertain; AT²PO without its turn credit.',
  paper: { title: 'Agentic Turn-based Policy Optimization via Tree Search', arxiv: '2601.04767' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'entropy_tree_turn_loss',
    rollout: TURN_TREE,
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
