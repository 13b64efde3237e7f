/** AT²PO, the steps of its ablation, and its loss with soft bounds. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import {
  EVERY_GROUP,
  PLAIN_REWARD,
  TOKEN_LOSS,
  TREE_CREDIT,
  TURN_LOSS,
  TURN_TREE,
  creditBy,
} from '../catalogue/defaults.ts';

/**
 * AT²PO: entropy-guided trees of turns, values backed up the tree, and a clipped loss on turn ratios.
 * @see arXiv:2601.04767; released code at commit 98e60f6; where they differ: algo/README.md
 */
export const at2po: Algorithm = {
  name: 'at2po',
  title: 'AT²PO',
  family: 'table',
  description:
    'Grows a tree of turns where the policy is uncertain, backs the leaves’ rewards up to every turn, and clips the loss turn by turn.',
  paper: { title: 'Agentic Turn-based Policy Optimization via Tree Search', arxiv: '2601.04767' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'at2po',
    rollout: TURN_TREE,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: TREE_CREDIT,
    loss: TURN_LOSS,
  },
  sources: [
    { path: 'rollout.expansion', source: 'paper, Sec. 4.2' },
    { path: 'rollout.initialBranches', source: 'paper, App. B.4 (M)' },
    { path: 'rollout.iterations', source: 'paper, App. B.4 (L)' },
    { path: 'rollout.picks', source: 'paper, App. B.4 (K); beam_size in the released script' },
    {
      path: 'rollout.siblingPenalty',
      source: 'released code, hard-coded 0.05; the paper gives no number for α',
    },
    { path: 'rollout.leavesPerTree', source: 'M + L·K, paper Sec. 4.2' },
    { path: 'credit.leafNormalisation', source: 'released script, leaf_value_norm' },
    {
      path: 'credit.valueRule',
      source: 'released script, node_value_mode; the paper’s eq. (3) is child_entropy',
    },
    { path: 'credit.advantageRule', source: 'paper, Sec. 4.3; released script, node_adv_mode' },
    { path: 'loss.clipLow', source: 'paper, App. B.4 (ε_l)' },
    { path: 'loss.clipHigh', source: 'paper, App. B.4 (ε_r)' },
    { path: 'loss.logRatioCap', source: 'released code, core_algos; not in the paper' },
    { path: 'loss.entropyCoefficient', source: 'released script' },
    { path: 'loss.klCoefficient', source: 'released script: the KL loss is on with coefficient 0' },
  ],
  differences: [
    {
      topic: 'value weights',
      paper: 'in proportion to entropy, eq. (3)',
      code: 'softmax of what it calls entropy, the mean surprisal of a turn',
      here: 'code; credit.valueRule = child_entropy is the paper’s',
    },
    {
      topic: 'entropy',
      paper: 'of the policy',
      code: 'mean surprisal of the sampled tokens of the last generation',
      here: 'code; the true entropy is shown per token',
    },
    {
      topic: 'leaf normalisation',
      paper: 'standard GRPO',
      code: 'population deviation within the tree',
      here: 'code',
    },
    { topic: 'log-ratio cap', paper: 'none', code: '10, no gradient above', here: 'code' },
    {
      topic: 'reward',
      paper: 'exact match; a format violation earns 0 in the text, −1 in eq. (16)',
      code: '−1; F1 + 0.1 with both tools',
      here: 'each environment pays its own; reward.rule = f1 is the code’s',
    },
  ],
};

/** AT²PO on trees that grow anywhere: what entropy-guided expansion is worth by itself. */
export const at2poRandom: Algorithm = {
  ...at2po,
  name: 'at2po_random',
  title: 'AT²PO, random tree',
  family: 'ablation',
  description: 'The same credit and loss on trees that grow anywhere: turns to expand are drawn at random.',
  config: {
    ...at2po.config,
    name: 'at2po_random',
    rollout: { ...at2po.config.rollout, expansion: 'random' },
  },
  sources: [{ path: 'rollout.expansion', source: 'released code, expansion_mode' }],
};

/** First step of the AT²PO ablation: a random tree trained with GRPO’s loss. */
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

/** Second step of the AT²PO ablation: a random tree trained with the turn-level loss. */
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

/** Third step of the AT²PO ablation: entropy-guided expansion with the turn-level loss. */
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

/** AT²PO’s loss with soft bounds on the turn ratio. */
export const turnSoft: Algorithm = {
  name: 'turn_soft',
  title: 'AT²PO, soft clip',
  family: 'variant',
  description: 'AT²PO whose turns outside the band keep the gradient of the bound.',
  paper: { title: 'released code of AT²PO (not in a paper)', arxiv: '2601.04767' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'turn_soft',
    rollout: TURN_TREE,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: TREE_CREDIT,
    loss: { ...TURN_LOSS, lowerEdge: 'soft', upperEdge: 'soft' },
  },
  sources: [{ path: 'loss.lowerEdge', source: 'released code, gspo_turn_soft_clip; not wired in its actor' }],
  differences: [],
};
