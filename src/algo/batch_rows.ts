/** Reading a TokenBatch: slices that keep its weights, and which node or row a scored token belongs to. */
import type { BatchRow, NodeId, TokenBatch } from '../units.ts';

/** Moves a row by whole tokens and scored tokens. */
const shifted = (row: BatchRow, tokens: number, scored: number): BatchRow => ({
  ...row,
  tokenStart: row.tokenStart - tokens,
  tokenEnd: row.tokenEnd - tokens,
  scoredStart: row.scoredStart - scored,
  scoredEnd: row.scoredEnd - scored,
});

/** First index in an ascending array whose entry is at least `value`. */
function lowerBound(sorted: Uint32Array<ArrayBuffer>, value: number): number {
  const found = sorted.findIndex((entry) => entry >= value);
  return found === -1 ? sorted.length : found;
}

/**
 * Rows `[start, end)` as a batch of their own, for a device that cannot hold all of them. Weights stay those of the
 * whole mini-batch, so losses and gradients of the slices add up to the whole.
 */
export function sliceRows(batch: TokenBatch, start: number, end: number): TokenBatch {
  const rows = batch.rows.slice(start, end);
  const [tokenStart, tokenEnd] = [rows[0].tokenStart, rows[rows.length - 1].tokenEnd];
  const [scoredStart, scoredEnd] = [rows[0].scoredStart, rows[rows.length - 1].scoredEnd];
  const [turnStart, turnEnd] = [lowerBound(batch.turnRow, start), lowerBound(batch.turnRow, end)];
  return {
    rows: rows.map((row) => shifted(row, tokenStart, scoredStart)),
    tokens: batch.tokens.slice(tokenStart, tokenEnd),
    positions: batch.positions.slice(tokenStart, tokenEnd),
    previous: batch.previous
      .slice(tokenStart, tokenEnd)
      .map((index) => (index < 0 ? -1 : index - tokenStart)),
    visibleStart: batch.visibleStart.slice(tokenStart, tokenEnd).map((index) => index - tokenStart),
    visibleEnd: batch.visibleEnd.slice(tokenStart, tokenEnd).map((index) => index - tokenStart),
    scored: batch.scored.slice(scoredStart, scoredEnd).map((index) => index - tokenStart),
    turnStart: batch.turnStart.slice(turnStart, turnEnd + 1).map((index) => index - scoredStart),
    turnRow: batch.turnRow.slice(turnStart, turnEnd).map((row) => row - start),
    turnIndex: batch.turnIndex.slice(scoredStart, scoredEnd).map((turn) => turn - turnStart),
    weight: batch.weight.slice(scoredStart, scoredEnd),
    advantage: batch.advantage.slice(scoredStart, scoredEnd),
  };
}

/** Row of each scored token, [S]. */
export const scoredRows = (batch: TokenBatch): readonly number[] =>
  Array.from(batch.turnIndex, (turn) => batch.turnRow[turn]);

/** Node of each scored token of a row, in order. */
export function scoredNodes(batch: TokenBatch, row: number): readonly NodeId[] {
  const { spans, tokenStart, scoredStart, scoredEnd } = batch.rows[row];
  const nodes: NodeId[] = [];
  let span = 0;
  for (let index = scoredStart; index < scoredEnd; index += 1) {
    const position = batch.scored[index] - tokenStart;
    while (position >= spans[span].end) span += 1;
    nodes.push(spans[span].node);
  }
  return nodes;
}

/** Place of each scored token of a row, from the row's first token (prompt included). */
export function scoredPositions(batch: TokenBatch, row: number): readonly number[] {
  const { tokenStart, scoredStart, scoredEnd } = batch.rows[row];
  return Array.from(batch.scored.subarray(scoredStart, scoredEnd), (index) => index - tokenStart);
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
