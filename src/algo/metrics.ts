/** What the released code reports beside the loss (its names in comments). Float64, on packed scored tokens. */
import { clipStateOf, meanLogRatios, type ClipConfig, type LossTokens } from './loss.ts';
import { tokenMeanWeight } from './penalties.ts';

export interface MetricTokens extends Omit<LossTokens, 'weight'> {
  readonly turnRow: ArrayLike<number>; // [K]
  readonly rowCount: number; // B
}

export interface LossMetrics {
  readonly clipFraction: number; // pg_clipfrac, token mean of clip states 1 and 2
  readonly clipFractionLower: number; // pg_clipfrac_lower, 0: this loss has no dual clip
  readonly ppoKl: number; // ppo_kl, nats, token mean of oldLogProb − logProb; may be negative
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

/**
 * Metrics of one mini-batch. Rows without scored tokens count as rows: turn entropy 0, at most one turn.
 * @see released code `compute_policy_loss_gspo_turn`
 */
export function lossMetrics(tokens: MetricTokens, config: ClipConfig): LossMetrics {
  const { turnStart, turnIndex, turnRow, logProb, oldLogProb, advantage, rowCount } = tokens;
  const turnLogRatio = meanLogRatios(turnStart, logProb, oldLogProb);
  const mean = tokenMeanWeight(turnIndex.length);
  let clipped = 0;
  let logRatioSum = 0;
  for (let s = 0; s < turnIndex.length; s += 1) {
    const state = clipStateOf(turnLogRatio[turnIndex[s]], advantage[s], config);
    if (state === 1 || state === 2) clipped += 1;
    logRatioSum += logProb[s] - oldLogProb[s];
  }
  const movements = Array.from({ length: rowCount }, (): number[] => []);
  turnLogRatio.forEach((logRatio, k) =>
    movements[turnRow[k]].push(logRatio * (turnStart[k + 1] - turnStart[k])),
  );
  return {
    clipFraction: clipped * mean,
    clipFractionLower: 0,
    ppoKl: -logRatioSum * mean,
    turnKlEntropy: movements.reduce((sum, row) => sum + rowTurnEntropy(row), 0) / Math.max(1, rowCount),
    singleTurnCount: movements.filter((row) => row.length <= 1).length,
  };
}
