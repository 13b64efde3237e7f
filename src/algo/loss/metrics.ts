/** What the released code reports beside the loss (its names in comments). Float64, on packed scored tokens. */
import { NO_EXTRAS, type LossExtras } from '../../units.ts';
import { cappedLogRatio, cappedRatio, clipBand } from './loss_terms.ts';
import {
  effectiveAdvantages,
  meanLogRatios,
  segmentsOf,
  type LossTokens,
  type PolicyLossConfig,
} from './loss.ts';
import { tokenMeanWeight } from './penalties.ts';

export type MetricTokens = Omit<LossTokens, 'weight'>;

export interface LossMetrics {
  readonly clipFraction: number; // pg_clipfrac, share of tokens outside the band on the side that is clipped
  readonly clipFractionLower: number; // pg_clipfrac_lower, share of tokens at the limit of the dual clip
  readonly ppoKl: number; // ppo_kl, nats, token mean of oldLogProb − logProb, cut where token ratios are; may be negative
  readonly turnKlEntropy: number; // turn_kl_entropy in about [0, 1]; 1 when all turns moved alike
  readonly singleTurnCount: number; // single_turn_count, rows with at most one turn
}

const LOG_EPSILON = 1e-10; // the released code's guard in p·log p

/** Entropy of softmax(D_k / D) over ln N, D_k = summed log-ratio of turn k; 0 for one turn, none, or D = 0. */
function rowTurnEntropy(movements: readonly number[]): number {
  const total = movements.reduce((sum, movement) => sum + movement, 0);
  if (movements.length < 2 || total === 0) return 0;
  const shares = movements.map((movement) => movement / total);
  const largest = Math.max(...shares);
  const exponentials = shares.map((share) => Math.exp(share - largest));
  const norm = exponentials.reduce((sum, e) => sum + e, 0);
  const entropy = exponentials.reduce((sum, e) => sum - (e / norm) * Math.log(e / norm + LOG_EPSILON), 0);
  return entropy / Math.log(movements.length);
}

/** Shares of tokens outside their band and at the dual clip; 0 for losses without a clip. */
function clipFractions(
  tokens: MetricTokens,
  config: PolicyLossConfig,
  extras: LossExtras,
): Pick<LossMetrics, 'clipFraction' | 'clipFractionLower'> {
  if (config.surrogate !== 'clip') return { clipFraction: 0, clipFractionLower: 0 };
  const { start, index } = segmentsOf(tokens, config.ratioLevel);
  const logRatio = meanLogRatios(start, tokens.logProb, tokens.oldLogProb);
  const { dualClip } = config;
  let clipped = 0;
  let limited = 0;
  effectiveAdvantages(tokens, config.entropyAdvantage).forEach((advantage, s) => {
    const [low, high] = clipBand(config, extras.clipScale?.[s]);
    const factor = extras.ratioFactor?.[tokens.turnRow[tokens.turnIndex[s]]];
    const ratio = cappedRatio(logRatio[index[s]], config, factor);
    if ((advantage > 0 && ratio > high) || (advantage < 0 && ratio < low)) clipped += 1;
    if (advantage < 0 && dualClip > 0 && ratio > dualClip) limited += 1;
  });
  const mean = tokenMeanWeight(tokens.turnIndex.length);
  return { clipFraction: clipped * mean, clipFractionLower: limited * mean };
}

/**
 * Metrics of one mini-batch, the same for every loss. Rows without scored tokens count as rows: turn entropy 0, at
 * most one turn.
 * @see released code `compute_policy_loss_gspo_turn`
 */
export function lossMetrics(
  tokens: MetricTokens,
  config: PolicyLossConfig,
  extras: LossExtras = NO_EXTRAS,
): LossMetrics {
  const { turnStart, turnIndex, turnRow, logProb, oldLogProb, rowCount } = tokens;
  const turnLogRatio = meanLogRatios(turnStart, logProb, oldLogProb);
  let logRatioSum = 0;
  for (let s = 0; s < turnIndex.length; s += 1) {
    const logRatio = logProb[s] - oldLogProb[s];
    logRatioSum += config.ratioLevel === 'token' ? cappedLogRatio(logRatio, config) : logRatio;
  }
  const movements = Array.from({ length: rowCount }, (): number[] => []);
  turnLogRatio.forEach((logRatio, k) =>
    movements[turnRow[k]].push(logRatio * (turnStart[k + 1] - turnStart[k])),
  );
  return {
    ...clipFractions(tokens, config, extras),
    ppoKl: -logRatioSum * tokenMeanWeight(turnIndex.length),
    turnKlEntropy: movements.reduce((sum, row) => sum + rowTurnEntropy(row), 0) / Math.max(1, rowCount),
    singleTurnCount: movements.filter((row) => row.length <= 1).length,
  };
}
