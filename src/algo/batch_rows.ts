/** Reading a TokenBatch: which row, node, place and turn a scored token belongs to. */
import type { NodeId, TokenBatch } from '../units.ts';

/** First index in an ascending array whose entry is at least `value`. */
function lowerBound(sorted: Uint32Array<ArrayBuffer>, value: number): number {
  const found = sorted.findIndex((entry) => entry >= value);
  return found === -1 ? sorted.length : found;
}

/** Row of each scored token, [S]. */
export const scoredRows = (batch: TokenBatch): readonly number[] =>
  Array.from(batch.turnIndex, (turn) => batch.turnRow[turn]);

/** Node of each scored token of a row, in order. */
export function scoredNodes(batch: TokenBatch, row: number): readonly NodeId[] {
  const { spans } = batch.rows[row];
  let span = 0;
  return scoredPositions(batch, row).map((position) => {
    while (position >= spans[span].end) span += 1;
    return spans[span].node;
  });
}

/** Place of each scored token of a row, from the row's first token (prompt included). */
export function scoredPositions(batch: TokenBatch, row: number): readonly number[] {
  const { scoredStart, scoredEnd } = batch.rows[row];
  const { scored, predicted, positions } = batch;
  return Array.from(scored.subarray(scoredStart, scoredEnd), (index) => positions[predicted[index]]);
}

/** Turn of each scored token of a row, counted in the row from 0. */
export function scoredTurns(batch: TokenBatch, row: number): readonly number[] {
  const { scoredStart, scoredEnd } = batch.rows[row];
  const turns = Array.from(batch.turnIndex.subarray(scoredStart, scoredEnd));
  return turns.map((turn) => turn - turns[0]);
}

/** Turns of a row, as the range `[start, end)` of the batch's turns. */
export function turnsOfRow(batch: TokenBatch, row: number): { readonly start: number; readonly end: number } {
  return { start: lowerBound(batch.turnRow, row), end: lowerBound(batch.turnRow, row + 1) };
}
