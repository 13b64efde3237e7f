/** Settings that an algorithm starts from: AT²PO's, with everything else off. */
import {
  DEFAULT_LOSS,
  type AlgorithmConfig,
  type CreditConfig,
  type FilterConfig,
  type LossConfig,
  type RewardConfig,
  type RolloutConfig,
} from '../../units.ts';

/** The tree of the released script (M 10, L 2, K 6). Other shapes' settings are those of their papers. */
export const TURN_TREE: RolloutConfig = {
  shape: 'turn_tree',
  leavesPerTree: 22,
  initialBranches: 10,
  iterations: 2,
  picks: 6,
  expansion: 'entropy',
  siblingPenalty: 0.05,
  branchRule: 'arpo',
  beam: 2,
  branchBase: 0.5,
  branchWeight: 0.2,
  dynamicInitial: false,
  segmentTokens: 8,
  width: 2,
  levels: 6,
  similarity: 1,
  explorationWeight: 1,
  hybridRows: 8,
  retrieveProbability: 0.5,
};

/** 16 independent paths, as the paper's comparison runs GRPO. */
export const CHAINS: RolloutConfig = {
  ...TURN_TREE,
  shape: 'chains',
  leavesPerTree: 16,
  initialBranches: 16,
  iterations: 0,
};

/** The environment's own reward, unshaped. */
export const PLAIN_REWARD: RewardConfig = {
  rule: 'environment',
  overlongBuffer: 0,
  overlongPenalty: 1,
  turnPenalty: 0,
};

export const EVERY_GROUP: FilterConfig = { rule: 'none', generationBatches: 1, keptShare: 1 };

export const TREE_CREDIT: CreditConfig = {
  leafNormalisation: true,
  valueRule: 'child_softmax',
  advantageRule: 'node_value',
  discount: 1,
  lambda: 1,
  mixing: 0.3,
};

/** A rule that reads no values; they are still backed up, for the views. */
export const creditBy = (advantageRule: CreditConfig['advantageRule']): CreditConfig => ({
  ...TREE_CREDIT,
  advantageRule,
});

/** Turn ratios in a narrow band, mean over the tokens of a row and then over the rows. */
export const TURN_LOSS = DEFAULT_LOSS;

/** PPO on token ratios with dual clip, as the released code runs GRPO. */
export const TOKEN_LOSS: LossConfig = {
  ...TURN_LOSS,
  ratioLevel: 'token',
  clipLow: 0.2,
  clipHigh: 0.2,
  dualClip: 3,
  logRatioCap: 20,
  reduction: 'token-mean',
};

// An algorithm at the size of a preset: fewer rows than the paper's runs, a clip band that suits the learning rate.

export interface LabScale {
  readonly rows: number; // of the paper's counts per prompt
  readonly turnBand: readonly [low: number, high: number]; // ε of AT²PO here; other mean ratios follow in proportion
}

const FEWEST = 2; // a count of the paper that is this small already stays

const counted = (count: number, rows: number): number =>
  Math.max(Math.min(count, FEWEST), Math.round(count * rows));

/** Rows that a shape grows when nothing is pruned or copied. */
export function grownRows({
  shape,
  initialBranches,
  iterations,
  picks,
  leavesPerTree,
}: RolloutConfig): number {
  switch (shape) {
    case 'turn_tree':
      return initialBranches + iterations * picks;
    case 'chains':
      return initialBranches;
    case 'continuation_tree':
      return initialBranches * (1 + iterations * picks);
    case 'branching':
    case 'segment_tree':
    case 'level_tree':
    case 'search_tree':
    case 'hybrid_chains':
      return leavesPerTree; // grown until there are that many
  }
}

function scaledRollout(rollout: RolloutConfig, rows: number): RolloutConfig {
  const [initialBranches, picks, leavesPerTree, hybridRows] = [
    rollout.initialBranches,
    rollout.picks,
    rollout.leavesPerTree,
    rollout.hybridRows,
  ].map((count) => counted(count, rows));
  const scaled = { ...rollout, initialBranches, picks, leavesPerTree, hybridRows };
  return { ...scaled, leavesPerTree: grownRows(scaled) };
}

const decimal = (value: number): number => Number(value.toPrecision(6)); // 0.1 · 0.02 is 0.002 on the page

/** Token ratios spread as widely in a small policy as in a large one; means over a turn or row move with the step. */
function scaledLoss(loss: LossConfig, [low, high]: LabScale['turnBand']): LossConfig {
  if (loss.ratioLevel === 'token') return loss;
  const clipLow = decimal((loss.clipLow / TURN_LOSS.clipLow) * low);
  const clipHigh = decimal((loss.clipHigh / TURN_LOSS.clipHigh) * high);
  return { ...loss, clipLow, clipHigh };
}

/** The same rules with counts and clip band of a preset. */
export const scaleAlgorithm = (config: AlgorithmConfig, { rows, turnBand }: LabScale): AlgorithmConfig => ({
  ...config,
  rollout: scaledRollout(config.rollout, rows),
  loss: scaledLoss(config.loss, turnBand),
});
