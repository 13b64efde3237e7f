/** Mini-batches: every leaf's path is one row of the loss. */
import {
  LabError,
  type LossReduction,
  type NodeId,
  type RandomKey,
  type RecordedTree,
  type TokenBatch,
  type TokenId,
  type LossExtras,
} from '../../units.ts';
import { advantageInRow, type TurnAdvantages } from '../advantage/method.ts';
import { keyedRandom, STREAMS } from '../random.ts';
import { responseLimit, rowTokens } from '../tree/tree.ts';
import { packGroups, type RowParts } from './pack.ts';
import type { LossTokens } from '../loss/loss.ts';

/** A mini-batch has no row, or trees and advantages do not pair up. */
export class BatchError extends LabError {
  constructor(got: string, wanted: string) {
    super('BatchError', {
      what: 'These trees make no batch',
      where: 'src/algo/batch/batch.ts',
      got,
      wanted,
      next: 'Check the update’s prompts and advantages.',
    });
  }
}

/** The row of a leaf; node n owns the positions of its own tokens. */
function rowParts(
  tree: RecordedTree,
  advantages: TurnAdvantages,
  leaf: NodeId,
  contextLength: number,
): RowParts {
  const row = rowTokens(tree, leaf, contextLength);
  const first = tree.prompt.tokens.length;
  const advantage = row.tokens.map(() => 0);
  for (const { node, start, end } of row.spans)
    for (let place = start; place < end; place += 1)
      advantage[place] = advantageInRow(advantages, node, leaf, place - first);
  return { ...row, prompt: tree.prompt.index, leaf, advantage };
}

/** Rows of each selected tree, in leaf order. */
function rowsByTree(
  trees: readonly RecordedTree[],
  advantages: readonly TurnAdvantages[],
  contextLength: number,
  selection: readonly number[],
): readonly (readonly RowParts[])[] {
  if (trees.length !== advantages.length) {
    throw new BatchError(`${advantages.length} advantages for ${trees.length} trees`, 'one per tree');
  }
  const rows = selection.map((index) =>
    trees[index].leaves.map((leaf) => rowParts(trees[index], advantages[index], leaf, contextLength)),
  );
  if (rows.every((ofTree) => ofTree.length === 0)) throw new BatchError('no leaf', 'at least one row');
  return rows;
}

const allOf = (trees: readonly RecordedTree[]): readonly number[] => trees.map((_, index) => index);

/** Longest response that a path of these trees may have: the padded length of the released code. */
const weightingOf = (trees: readonly RecordedTree[], contextLength: number, reduction: LossReduction) => ({
  reduction,
  responseLength: Math.max(0, ...trees.map(({ prompt }) => responseLimit(prompt, contextLength))),
});

/**
 * Packs the leaves of some trees so that a tree's unique tokens are computed once each: rows share their common prefix,
 * with each other and with copies of a leaf. Rows stand in leaf order. Token ids are the sampled ones, cut at the response
 * limit. Weights follow the reduction, with B all rows of this call; a row without a scored token counts in B and adds
 * nothing.
 * @param advantages one per tree
 * @param contextLength tokens of prompt and response together
 * @param selection positions in `trees` that make up the mini-batch; all of them if absent
 * @param reduction how tokens weigh in the loss
 * @throws BatchError if there is no row or the arrays differ in length
 * @see algorithms' spec 2.5, 5 and 6 (released code, which trains one row per leaf: packRows)
 */
export const packTrees = (
  trees: readonly RecordedTree[],
  advantages: readonly TurnAdvantages[],
  contextLength: number,
  selection: readonly number[] = allOf(trees),
  reduction: LossReduction = 'seq-mean-token-mean',
): TokenBatch =>
  packGroups(
    rowsByTree(trees, advantages, contextLength, selection),
    weightingOf(trees, contextLength, reduction),
  );

/** As packTrees, but each leaf's path is computed by itself, as in the released code. The same loss and gradients. */
export const packRows: typeof packTrees = (
  trees,
  advantages,
  contextLength,
  selection = allOf(trees),
  reduction = 'seq-mean-token-mean',
) =>
  packGroups(
    rowsByTree(trees, advantages, contextLength, selection).flatMap((rows) => rows.map((row) => [row])),
    weightingOf(trees, contextLength, reduction),
  );

/**
 * Splits items (tree positions, prompts) into mini-batches of `perMinibatch` in a keyed random order; the last may
 * be smaller. Advantages are computed before, so the split never changes them.
 */
export function minibatches<T>(
  items: readonly T[],
  perMinibatch: number,
  key: RandomKey,
): readonly (readonly T[])[] {
  const size = Math.max(1, perMinibatch);
  const shuffled = keyedRandom(key, STREAMS.minibatches).shuffle(items);
  const count = Math.ceil(shuffled.length / size);
  return Array.from({ length: count }, (_, index) => shuffled.slice(index * size, (index + 1) * size));
}

// Reading a TokenBatch: which row, node, place and turn a scored token belongs to.

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

// DialTree's adaptive mask: rows that fail do not push the words of the grammar down, so that a policy does not unlearn
// how to write a call while it learns which call to make.
// @see arXiv:2510.02286; M_t = 1 − 1[token in V_fmt and A < 0]

/**
 * The batch with advantage 0 for scored tokens of the grammar whose advantage is negative. They keep their weight:
 * n_i counts them.
 */
export function maskFormatTokens(batch: TokenBatch, formatTokens: readonly TokenId[]): TokenBatch {
  const grammar = new Set<number>(formatTokens);
  const { tokens, predicted, scored } = batch;
  const isKept = (advantage: number, s: number): boolean =>
    advantage >= 0 || !grammar.has(tokens[predicted[scored[s]]]);
  return { ...batch, advantage: batch.advantage.map((A, s) => (isKept(A, s) ? A : 0)) };
}

// Rows of a mini-batch as a log has them, in plain arrays, put together again for the loss.

/** What a logged row says of its scored tokens, in order. */
export interface RowTokens {
  readonly turnIndex: readonly number[]; // turn in the row, from 0
  readonly turnLogRatio: readonly number[]; // per turn
  readonly oldLogProb: readonly number[];
  readonly logProb: readonly number[];
  readonly entropy: readonly number[];
  readonly advantage: readonly number[];
  readonly weight: readonly number[];
  readonly clipScale?: readonly number[];
  readonly ratioFactor?: number;
}

/** A mini-batch as policyLoss takes it. */
export interface LoggedLoss {
  readonly tokens: LossTokens & { readonly entropy: Float32Array<ArrayBuffer> };
  readonly extras: LossExtras;
}

/** All but what a log does not keep: reference log-probabilities, targets and partners of rows. */
export function loggedLoss(rows: readonly RowTokens[]): LoggedLoss {
  const turnIndex: number[] = [];
  const turnRow: number[] = [];
  const turnStart: number[] = [0];
  rows.forEach((row, at) => {
    const firstTurn = turnRow.length;
    row.turnLogRatio.forEach((_, turn) => {
      turnRow.push(at);
      turnStart.push((turnStart.at(-1) ?? 0) + row.turnIndex.filter((index) => index === turn).length);
    });
    for (const turn of row.turnIndex) turnIndex.push(firstTurn + turn);
  });
  const column = (of: (row: RowTokens) => readonly number[]): Float32Array<ArrayBuffer> =>
    Float32Array.from(rows.flatMap(of));
  const tokens = {
    turnStart,
    turnRow,
    turnIndex,
    rowCount: rows.length,
    advantage: column(({ advantage }) => advantage),
    weight: column(({ weight }) => weight),
    logProb: column(({ logProb }) => logProb),
    oldLogProb: column(({ oldLogProb }) => oldLogProb),
    entropy: column(({ entropy }) => entropy),
  };
  const clipScale = rows.some((row) => row.clipScale)
    ? column((row) => row.clipScale ?? row.turnIndex.map(() => 1))
    : null;
  const ratioFactor = rows.some((row) => row.ratioFactor !== undefined)
    ? Float32Array.from(rows, (row) => row.ratioFactor ?? 1)
    : null;
  return { tokens, extras: { clipScale, ratioFactor, rowTarget: null, partner: null } };
}
