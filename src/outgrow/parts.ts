/**
 * Which part of verl, or of the files of templates/, stands for each part of a method. Names and defaults are those of verl
 * 0.10.0.dev at commit 1dda039b (2026-08-22), read from its source.
 */
import { isRowLoss } from '../algo/loss/row_losses.ts';
import type { AdvantageRule, AlgorithmConfig, RolloutShape, RunConfig } from '../units.ts';

export const VERL = { version: '0.10.0.dev', commit: '1dda039b', date: '2026-08-22' } as const;

/** Loss of verl by `policy_loss.loss_mode`; `turnwise` is templates/turnwise_loss.py; null: it has no such loss. */
export type LossPart = 'vanilla' | 'gspo' | 'sapo' | 'turnwise' | 'evaluation' | null;

/** verl cuts the log-ratios of tokens there, on both sides. */
const VERL_TOKEN_CAP = 20;
/** And the mean log-ratios of rows, above only. */
const VERL_ROW_CAP = 10;

export function lossPart({ loss }: AlgorithmConfig): LossPart {
  if (loss.surrogate === 'none') return 'evaluation';
  if (isRowLoss(loss.surrogate)) return null;
  const isTokens = loss.ratioLevel === 'token' && loss.logRatioCap === VERL_TOKEN_CAP;
  if (loss.surrogate === 'gate')
    return isTokens && loss.reduction === 'seq-mean-token-mean' ? 'sapo' : 'turnwise';
  if (loss.lowerEdge === 'soft' || loss.upperEdge === 'soft') return 'turnwise';
  if (isTokens && loss.dualClip > 1) return 'vanilla'; // its dual clip is always on
  const isRows = loss.ratioLevel === 'sequence' && loss.logRatioCap === VERL_ROW_CAP && loss.dualClip === 0;
  return isRows && loss.reduction === 'seq-mean-token-mean' ? 'gspo' : 'turnwise';
}

/** verl's estimators of whole rows, by our rule. */
const ESTIMATORS: Partial<Record<AdvantageRule, string>> = {
  vanilla: 'grpo',
  dr_grpo: 'grpo', // norm_adv_by_std_in_grpo=False
  rloo: 'rloo',
  opo: 'opo',
  pass_k: 'grpo_passk',
  remax: 'remax',
  reinforce_pp: 'reinforce_plus_plus',
  reinforce_pp_baseline: 'reinforce_plus_plus_baseline',
};

/** Rules of templates/turnwise_credit.py. */
export const OWN_RULES: readonly AdvantageRule[] = ['node_value', 'diff_parent', 'diff_global', 'diff_localglobal', 'tree_rl', 'treepo_segment', 'vanilla', 'dr_grpo', 'rloo', 'opo', 'pass_k', 'reinforce_pp_baseline', 'tree_grpo', 'treepo', 'arpo_hard', 'gae']; // prettier-ignore

/** Shapes of templates/turnwise_growth.py. */
export const TREE_SHAPES: readonly RolloutShape[] = ['turn_tree', 'continuation_tree', 'branching', 'segment_tree', 'level_tree']; // prettier-ignore

/** Tokens of a TreePO segment on a cluster, as its released script has them; the lab's own follow its short context. */
export const SEGMENT_TOKENS = 512;

const isTree = ({ shape }: AlgorithmConfig['rollout']): boolean => TREE_SHAPES.includes(shape);

/** An estimator of verl, credit of the folder's own trainer, or neither. */
export type CreditPart =
  { readonly kind: 'verl'; readonly estimator: string } | { readonly kind: 'own' } | null;

/** verl compares rows of sessions; the rows of a tree are one session's, and are compared by the folder's trainer. */
export function creditPart({ credit, rollout }: AlgorithmConfig): CreditPart {
  const estimator = ESTIMATORS[credit.advantageRule];
  if (isTree(rollout)) return OWN_RULES.includes(credit.advantageRule) ? { kind: 'own' } : null;
  return estimator ? { kind: 'verl', estimator } : null;
}

/** How rows come to be: verl's tool agent on n sessions, the folder's tree loop, or no loop that we have. */
export type RolloutPart = 'chains' | 'tree' | null;

export const rolloutPart = ({ rollout }: AlgorithmConfig): RolloutPart =>
  rollout.shape === 'chains' ? 'chains' : isTree(rollout) ? 'tree' : null;

/** Rows of a prompt in one update: sessions of verl, or rows of one tree. */
export const sessionsOf = ({ algorithm }: RunConfig): number =>
  rolloutPart(algorithm) === 'tree' ? 1 : algorithm.rollout.leavesPerTree;
