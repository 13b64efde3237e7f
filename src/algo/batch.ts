/** Rows of a mini-batch: every leaf's path as one row, rows back to back without padding. */
import { LabError } from '../units.ts';
import type { BatchRow, NodeId, NodeSpan, RandomKey, RolloutTree, TokenBatch } from '../units.ts';
import { STREAMS, keyedRandom } from './random.ts';
import { maskRuns, pathTo, responseLimit } from './tree.ts';
import { advantageInRow } from './turn_advantages.ts';
import type { TurnAdvantages } from './turn_advantages.ts';

/** A mini-batch has no row, or trees and advantages do not pair up. */
export class BatchError extends LabError {
  constructor(got: string, wanted: string) {
    super('BatchError', {
      what: 'These trees make no batch',
      where: 'packRows',
      got,
      wanted,
      next: 'Check the update’s prompts and advantages.',
    });
  }
}

/** One row before packing: tokens of prompt and response, cut at R. */
interface RowParts {
  readonly prompt: number;
  readonly leaf: NodeId;
  readonly tokens: readonly number[];
  readonly mask: readonly number[]; // 1 = scored; 0 for the prompt
  readonly advantage: readonly number[]; // by position
  readonly spans: readonly NodeSpan[]; // nodes with at least one token left after the cut
}

/** Walks from the root to the leaf; node n owns the positions of its own tokens, all with A_n. */
function rowParts(
  tree: RolloutTree,
  advantages: TurnAdvantages,
  leaf: NodeId,
  contextLength: number,
): RowParts {
  const prompt = tree.prompt.tokens;
  const length = prompt.length + Math.max(0, responseLimit(tree.prompt, contextLength));
  const tokens: number[] = [...prompt];
  const mask = prompt.map(() => 0);
  const advantage = prompt.map(() => 0);
  const spans: NodeSpan[] = [];
  for (const id of pathTo(tree, leaf)) {
    const node = tree.nodes[id];
    const start = tokens.length;
    const count = Math.max(0, Math.min(node.tokens.length, length - start));
    for (let place = 0; place < count; place += 1) {
      tokens.push(node.tokens[place]);
      mask.push(node.mask[place]);
      advantage.push(advantageInRow(advantages, id, leaf));
    }
    if (count > 0) spans.push({ node: id, start, end: start + count });
  }
  return { prompt: tree.prompt.index, leaf, tokens, mask, advantage, spans };
}

/** Growing columns of a TokenBatch. */
class Columns {
  readonly rows: BatchRow[] = [];
  readonly tokens: number[] = [];
  readonly positions: number[] = [];
  readonly previous: number[] = [];
  readonly visibleStart: number[] = [];
  readonly visibleEnd: number[] = [];
  readonly predicted: number[] = [];
  readonly scored: number[] = [];
  readonly turnStart: number[] = [0];
  readonly turnRow: number[] = [];
  readonly turnIndex: number[] = [];
  readonly weight: number[] = [];
  readonly advantage: number[] = [];

  /** Turns are maximal mask runs of the row: a node may hold several, and two nodes may share one. */
  add(row: RowParts, rowCount: number): void {
    const tokenStart = this.tokens.length;
    const tokenEnd = tokenStart + row.tokens.length;
    const scoredStart = this.scored.length;
    row.tokens.forEach((token, position) => {
      this.tokens.push(token);
      this.positions.push(position);
      this.previous.push(position === 0 ? -1 : tokenStart + position - 1);
      this.visibleStart.push(tokenStart);
      this.visibleEnd.push(tokenEnd);
    });
    const scoredCount = row.mask.reduce((sum, bit) => sum + bit, 0);
    for (const run of maskRuns(row.mask)) {
      for (let position = run.start; position < run.end; position += 1) {
        this.scored.push(this.predicted.length);
        this.predicted.push(tokenStart + position);
        this.turnIndex.push(this.turnRow.length);
        this.weight.push(1 / (rowCount * scoredCount));
        this.advantage.push(row.advantage[position]);
      }
      this.turnStart.push(this.scored.length);
      this.turnRow.push(this.rows.length);
    }
    const { prompt, leaf, spans } = row;
    const scoredEnd = this.scored.length;
    const length = row.tokens.length;
    this.rows.push({ prompt, leaf, length, tokenStart, tokenEnd, scoredStart, scoredEnd, spans });
  }

  build(): TokenBatch {
    return {
      rows: this.rows,
      tokens: Uint32Array.from(this.tokens),
      positions: Uint32Array.from(this.positions),
      previous: Int32Array.from(this.previous),
      visibleStart: Uint32Array.from(this.visibleStart),
      visibleEnd: Uint32Array.from(this.visibleEnd),
      predicted: Uint32Array.from(this.predicted),
      scored: Uint32Array.from(this.scored),
      turnStart: Uint32Array.from(this.turnStart),
      turnRow: Uint32Array.from(this.turnRow),
      turnIndex: Uint32Array.from(this.turnIndex),
      weight: Float32Array.from(this.weight),
      advantage: Float32Array.from(this.advantage),
    };
  }
}

/**
 * Packs the leaves of some trees, row by row in leaf order. Token ids are the sampled ones, cut at the response
 * limit. weight = 1/(B·n_i) with B all rows of this call; a row without a scored token counts in B and adds nothing.
 * @param advantages one per tree
 * @param contextLength tokens of prompt and response together
 * @param selection positions in `trees` that make up the mini-batch; all of them if absent
 * @throws BatchError if there is no row or the arrays differ in length
 * @see algorithms' spec 2.5, 5 and 6 (released code)
 */
export function packRows(
  trees: readonly RolloutTree[],
  advantages: readonly TurnAdvantages[],
  contextLength: number,
  selection: readonly number[] = trees.map((_, index) => index),
): TokenBatch {
  if (trees.length !== advantages.length) {
    throw new BatchError(`${advantages.length} advantages for ${trees.length} trees`, 'one per tree');
  }
  const rowCount = selection.reduce((sum, index) => sum + trees[index].leaves.length, 0);
  if (rowCount === 0) throw new BatchError('no leaf', 'at least one row');
  const columns = new Columns();
  for (const index of selection) {
    for (const leaf of trees[index].leaves) {
      columns.add(rowParts(trees[index], advantages[index], leaf, contextLength), rowCount);
    }
  }
  return columns.build();
}

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
