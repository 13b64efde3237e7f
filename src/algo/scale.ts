/** An algorithm at the size of a preset: fewer rows than the paper's runs, a clip band that suits the learning rate. */
import type { AlgorithmConfig, LossConfig, RolloutConfig } from '../units.ts';
import { TURN_LOSS } from './defaults.ts';

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
