/**
 * AT²PO: entropy-guided trees of turns, values backed up the tree, and a clipped loss on turn ratios.
 * @see arXiv:2601.04767; released code at commit 98e60f6; where they differ: algo/README.md
 */
import type { AlgorithmConfig } from '../../units.ts';
import type { Algorithm, SettingSource } from '../catalogue/algorithm.ts';
import { EVERY_GROUP, PLAIN_REWARD, TREE_CREDIT, TURN_LOSS, TURN_TREE } from '../catalogue/defaults.ts';

const CONFIG: AlgorithmConfig = {
  name: 'at2po',
  rollout: TURN_TREE,
  reward: PLAIN_REWARD,
  filter: EVERY_GROUP,
  credit: TREE_CREDIT,
  loss: TURN_LOSS,
};

const SOURCES: readonly SettingSource[] = [
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
];

export const at2po: Algorithm = {
  name: 'at2po',
  title: 'AT²PO',
  family: 'table',
  description:
    'Grows a tree of turns where the policy is uncertain, backs the leaves’ rewards up to every turn, and clips the loss turn by turn.',
  paper: { title: 'Agentic Turn-based Policy Optimization via Tree Search', arxiv: '2601.04767' },
  evidence: 'reference',
  caution: null,
  config: CONFIG,
  sources: SOURCES,
  differences: [
    {
      topic: 'value weights',
      paper: 'in proportion to entropy, eq. (3)',
      code: 'softmax of entropy',
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
