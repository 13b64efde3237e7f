/** What the loss kernels read of a batch and a LossConfig, from the float64 loss's own tables. */
import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import type { TermConfig } from '../../src/algo/loss/loss_terms.ts';
import { rowStarts, rowWeights, segmentsOf, type Segments } from '../../src/algo/loss/loss.ts';
import { tokenMeanWeight } from '../../src/algo/loss/penalties.ts';
import { comparison, isRowLoss } from '../../src/algo/loss/row_losses.ts';
import { numbersNamed } from '../../src/gpu/kernel.ts';
import {
  KL_KINDS,
  TERM_NUMBERS,
  type LossConfig,
  type LossExtras,
  type RatioLevel,
  type Surrogate,
  type TokenBatch,
} from '../../src/units.ts';

/** Consecutive rows of a batch with all their turns and scored tokens. */
export interface RowRange {
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly turnStart: number;
  readonly turnEnd: number;
  readonly scoredStart: number;
  readonly scoredEnd: number;
}

export const SURROGATE_CODES: Readonly<Record<Surrogate, number>> = {
  none: 0,
  clip: 1,
  gate: 2,
  regression: 0, // row_loss computes these two
  preference: 0,
};

/** Settings of policy_loss: numbers by their names, words by a code. */
export const termParams = (config: TermConfig) => ({
  ...numbersNamed(TERM_NUMBERS, config),
  surrogate: SURROGATE_CODES[config.surrogate],
  isLowerSoft: Number(config.lowerEdge === 'soft'),
  isUpperSoft: Number(config.upperEdge === 'soft'),
  capBelow: Number(config.ratioLevel === 'token'),
});

/** A LossConfig as the kernels' params; the same for all parts of a mini-batch. */
export const lossParams = (config: LossConfig, scoredCount: number) => ({
  ...termParams(config),
  isRowLoss: Number(isRowLoss(config.surrogate)),
  isPreference: Number(config.surrogate === 'preference'),
  beta: config.beta,
  entropyAdvantage: isRowLoss(config.surrogate) ? 0 : config.entropyAdvantage, // of a loss with advantages
  klKind: KL_KINDS.indexOf(config.klKind),
  klCoefficient: config.klCoefficient * tokenMeanWeight(scoredCount), // of one token
});

export type LossParams = Readonly<ReturnType<typeof lossParams>>;

/** For programs that run without the loss. */
export const NO_LOSS: LossParams = lossParams({ ...TURN_LOSS, surrogate: 'none' }, 1);

/** Whether the loss needs statistics before it: sums over rows, or moments of the entropies. */
export const readsStatistics = ({ isRowLoss: ofRows, entropyAdvantage }: LossParams): boolean =>
  ofRows !== 0 || entropyAdvantage !== 0;

/** Whether those statistics join rows, so that every part of a mini-batch must have given its own before any is read. */
export const joinsRows = ({ isPreference, entropyAdvantage }: LossParams): boolean =>
  isPreference !== 0 || entropyAdvantage !== 0;

/** advantage, weight, clip scale and ratio factor of some scored tokens, [S, 4]. */
export function tokenInputs(
  { advantage, weight, turnIndex, turnRow }: TokenBatch,
  { clipScale, ratioFactor }: LossExtras,
  { scoredStart, scoredEnd }: RowRange,
): Float32Array<ArrayBuffer> {
  const inputs = new Float32Array(4 * (scoredEnd - scoredStart));
  for (let s = scoredStart; s < scoredEnd; s++) {
    const factor = ratioFactor?.[turnRow[turnIndex[s]]] ?? 1;
    inputs.set([advantage[s], weight[s], clipScale?.[s] ?? 1, factor], 4 * (s - scoredStart));
  }
  return inputs;
}

/** Tables of a range of rows, all counted from its own first turn, row and scored token. */
export interface RangeTables {
  readonly turnStart: Uint32Array<ArrayBuffer>;
  readonly segments: Segments; // rows without a scored token are no segments
  readonly rowStart: Uint32Array<ArrayBuffer>;
  readonly row: Uint32Array<ArrayBuffer>; // row of each scored token, in the whole batch
}

/** Rank of each entry among the distinct ones of an ascending list. */
const ranks = (ascending: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => {
  let rank = 0;
  return ascending.map((value, at) => (at > 0 && value !== ascending[at - 1] ? ++rank : rank));
};

export function rangeTables(batch: TokenBatch, range: RowRange, level: RatioLevel): RangeTables {
  const { turnStart: from, turnEnd: to, scoredStart, scoredEnd } = range;
  const turnStart = batch.turnStart.slice(from, to + 1).map((start) => start - scoredStart);
  const turnIndex = batch.turnIndex.slice(scoredStart, scoredEnd).map((turn) => turn - from);
  const rowOfTurn = batch.turnRow.slice(from, to);
  const rankOfTurn = ranks(rowOfTurn);
  const rowCount = (rankOfTurn.at(-1) ?? -1) + 1;
  return {
    turnStart,
    segments: segmentsOf({ turnStart, turnRow: rankOfTurn, turnIndex, rowCount }, level),
    rowStart: rowStarts({
      turnStart,
      turnRow: rowOfTurn.map((row) => row - range.rowStart),
      rowCount: range.rowEnd - range.rowStart,
    }),
    row: turnIndex.map((turn) => rowOfTurn[turn]),
  };
}

/** Weight of each row's loss, [B]: of its own tokens, under preference with its partner's. */
export function rowLossWeights(batch: TokenBatch, { partner }: LossExtras): Float32Array<ArrayBuffer> {
  const own = rowWeights({ ...batch, rowCount: batch.rows.length });
  return partner ? pairWeights(own, partner) : Float32Array.from(own);
}

export const pairWeights = (own: ArrayLike<number>, partner: ArrayLike<number>): Float32Array<ArrayBuffer> =>
  Float32Array.from(own, (weight, row) => weight + own[comparison(partner[row]).other]);
