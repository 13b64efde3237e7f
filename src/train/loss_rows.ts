import { scoredPositions, scoredTurns, turnsOfRow } from '../algo/batch_rows.ts';
import type { LossExtras, LossResult, TokenBatch } from '../units.ts';
import type { LossRow } from './protocol.ts';

interface RowSource {
  readonly batch: TokenBatch;
  readonly oldLogProb: Float32Array; // [S] nats
  readonly result: LossResult;
  readonly extras?: LossExtras; // what the update was given beside
}

function lossRow({ batch, oldLogProb, result, extras }: RowSource, row: number): LossRow {
  const { prompt, leaf, scoredStart, scoredEnd } = batch.rows[row];
  const turns = turnsOfRow(batch, row);
  const slice = (values: Float32Array): readonly number[] =>
    Array.from(values.subarray(scoredStart, scoredEnd));
  return {
    prompt,
    leaf,
    tokenIndex: scoredPositions(batch, row),
    turnIndex: scoredTurns(batch, row),
    oldLogProb: slice(oldLogProb),
    logProb: slice(result.logProb),
    entropy: slice(result.entropy),
    advantage: slice(batch.advantage),
    weight: slice(batch.weight),
    tokenLoss: slice(result.tokenLoss),
    dlogProb: slice(result.dlogProb),
    turnLogRatio: Array.from(result.turnLogRatio.subarray(turns.start, turns.end)),
    ...(extras?.clipScale && { clipScale: slice(extras.clipScale) }),
    ...(extras?.ratioFactor && { ratioFactor: extras.ratioFactor[row] }),
  };
}

/** A mini-batch as the loss saw it, row by row in plain arrays: what the log keeps. */
export const lossRows = (source: RowSource): readonly LossRow[] =>
  source.batch.rows.map((_, row) => lossRow(source, row));
