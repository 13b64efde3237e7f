/** What credit, rewards and filters are told. */
import type { NodeTable } from './trees.ts';

export const VALUE_RULES = ['child_softmax', 'child_mean', 'leaf_mean', 'child_entropy'] as const;
export type ValueRule = (typeof VALUE_RULES)[number];

/** How a token's advantage follows from rewards, values and signals; each is described in algo. */
export const ADVANTAGE_RULES = [
  // of a node, from the values around it
  'node_value',
  'diff_parent',
  'diff_global',
  'diff_localglobal',
  'tree_rl', // TreeRL, TreePS-RAG
  'treepo_segment',
  // of a row, from its group
  'vanilla', // GRPO
  'dr_grpo',
  'rloo',
  'opo',
  'pass_k',
  'remax',
  'optimal_value', // A*-PO
  'reinforce_pp',
  'reinforce_pp_baseline',
  // of a row or a node, from the tree's leaves
  'tree_grpo',
  'tree_grpo_two_norms',
  'tree_grpo_intra',
  'tree_grpo_per_token',
  'tree_diff',
  'arpo_hard',
  'treepo',
  // of a turn in a row, from what follows it
  'gae',
  'gtpo',
  'gtpo_by_turn',
  'igpo',
  'igpo_position',
  'a2tgpo',
  'istar',
  'rapo',
] as const;
export type AdvantageRule = (typeof ADVANTAGE_RULES)[number];

export interface CreditConfig {
  readonly leafNormalisation: boolean;
  readonly valueRule: ValueRule;
  readonly advantageRule: AdvantageRule;
  readonly discount: number; // γ of the rules that look ahead
  readonly lambda: number; // λ of GAE
  readonly mixing: number; // weight of the turn's own signal beside the outcome (α of A²TGPO, w of iStar, a of RAPO)
}

/** What the rules read of a tree beside its rewards; null where the run does not measure it. */
export interface TreeSignals {
  /** ln p of the true answer after the node, mean per answer token, nats; null at leaves. algo/credit/signals.ts says when. */
  readonly belief: NodeTable<number | null> | null;
  readonly baseline: number | null; // reward of the greedy path (ReMax), or V* (A*-PO)
  readonly stepReward: NodeTable<number> | null; // of a turn by itself: penalties (GTPO), implicit rewards (iStar)
}

export const NO_SIGNALS: TreeSignals = { belief: null, baseline: null, stepReward: null };

/** How a leaf's grade becomes its reward; each is described in algo/reward_rules. */
export const REWARD_RULES = ['environment', 'f1', 'exact_match', 'format_credit', 'boundary'] as const;
export type RewardRule = (typeof REWARD_RULES)[number];

export interface RewardConfig {
  readonly rule: RewardRule;
  readonly overlongBuffer: number; // tokens before the response limit over which the penalty grows; 0 = off (DAPO)
  readonly overlongPenalty: number; // taken off at the limit
  readonly turnPenalty: number; // of a turn with a malformed or failing call (GTPO, StarPO); 0 = off
}

export const FILTER_RULES = ['none', 'dynamic_sampling', 'reward_spread'] as const;
export type FilterRule = (typeof FILTER_RULES)[number];

/** Which prompt groups are trained on. */
export interface FilterConfig {
  readonly rule: FilterRule;
  readonly generationBatches: number; // most rollout batches of one update (DAPO)
  readonly keptShare: number; // of the groups, those of the widest rewards (StarPO-S)
}
