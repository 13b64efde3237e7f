/**
 * Rows as a TokenBatch. Rows of one group share prefixes: a token is stored once for all rows that have the same tokens
 * up to and including it. What a token's prediction depends on is just that prefix, so sharing it is exact.
 */
import type { BatchRow, LossReduction, NodeId, NodeSpan, TokenBatch } from '../../units.ts';
import { reductionWeights } from '../loss/penalties.ts';
import { maskRuns } from '../tree/tree.ts';

/** One row before packing: tokens of prompt and response, cut at the response limit. */
export interface RowParts {
  readonly prompt: number;
  readonly leaf: NodeId;
  readonly tokens: readonly number[];
  readonly mask: readonly number[]; // 1 = scored; 0 for the prompt
  readonly advantage: readonly number[]; // by position
  readonly spans: readonly NodeSpan[]; // nodes with at least one token left after the cut
}

/** A prefix tree in pre-order: below every token lies a contiguous range of places. */
interface PreOrder {
  readonly nodes: readonly number[]; // node by place
  readonly place: Uint32Array; // by node
  readonly end: Uint32Array; // by node: end of the range below it, exclusive
}

/** The tokens of some rows, merged from their first tokens on. Nodes are numbered as they come, parents first. */
class PrefixTree {
  readonly token: number[] = []; // by node
  readonly parent: number[] = []; // by node, −1 for a first token
  readonly #first: number[] = []; // nodes without a parent
  readonly #children: number[][] = []; // by node

  /** @returns the node of every token */
  add(tokens: readonly number[]): readonly number[] {
    const path: number[] = [];
    let parent = -1;
    for (const token of tokens) {
      const siblings = parent < 0 ? this.#first : this.#children[parent];
      let node = siblings.find((sibling) => this.token[sibling] === token);
      if (node === undefined) {
        node = this.token.length;
        siblings.push(node);
        this.token.push(token);
        this.parent.push(parent);
        this.#children.push([]);
      }
      path.push(node);
      parent = node;
    }
    return path;
  }

  preOrder(): PreOrder {
    const nodes: number[] = [];
    const waiting = this.#first.toReversed();
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      nodes.push(node);
      waiting.push(...this.#children[node].toReversed());
    }
    const place = new Uint32Array(nodes.length);
    nodes.forEach((node, index) => (place[node] = index));
    const end = place.map((index) => index + 1);
    for (let node = end.length - 1; node >= 0; node -= 1) {
      const parent = this.parent[node];
      if (parent >= 0) end[parent] = Math.max(end[parent], end[node]);
    }
    return { nodes, place, end };
  }
}

/** How scored tokens weigh in the loss. */
export interface Weighting {
  readonly reduction: LossReduction;
  readonly responseLength: number; // tokens; read by 'seq-mean-token-sum-norm' only
}

/** 1/(B·n_i): the mean over a row's scored tokens, then over rows. */
export const MEAN_OF_ROWS: Weighting = { reduction: 'seq-mean-token-mean', responseLength: 0 };

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
  readonly advantage: number[] = [];

  addGroup(rows: readonly RowParts[]): void {
    const tree = new PrefixTree();
    const paths = rows.map(({ tokens }) => tree.add(tokens));
    const { nodes, place, end } = tree.preOrder();
    const tokenStart = this.tokens.length;
    const trained = new Uint8Array(nodes.length); // by node: in at least one row
    rows.forEach(({ mask }, row) => mask.forEach((bit, position) => (trained[paths[row][position]] |= bit)));
    const predictedIndex = new Uint32Array(nodes.length); // by node
    for (const node of nodes) {
      const parent = tree.parent[node];
      const index = this.tokens.length;
      const before = parent < 0 ? -1 : tokenStart + place[parent];
      this.tokens.push(tree.token[node]);
      this.positions.push(before < 0 ? 0 : this.positions[before] + 1);
      this.previous.push(before);
      this.visibleStart.push(tokenStart);
      this.visibleEnd.push(tokenStart + end[node]);
      if (!trained[node]) continue;
      predictedIndex[node] = this.predicted.length;
      this.predicted.push(index);
    }
    rows.forEach((row, index) => {
      const predicted = paths[index].map((node) => predictedIndex[node]);
      this.#addRow(row, predicted, tokenStart);
    });
  }

  /**
   * Turns are maximal mask runs of the row: a node may hold several, and two nodes may share one.
   * @param predicted by position of the row
   */
  #addRow(row: RowParts, predicted: readonly number[], tokenStart: number): void {
    const scoredStart = this.scored.length;
    for (const run of maskRuns(row.mask)) {
      for (let position = run.start; position < run.end; position += 1) {
        this.scored.push(predicted[position]);
        this.turnIndex.push(this.turnRow.length);
        this.advantage.push(row.advantage[position]);
      }
      this.turnStart.push(this.scored.length);
      this.turnRow.push(this.rows.length);
    }
    const { prompt, leaf, spans, tokens } = row;
    const length = tokens.length;
    const [tokenEnd, scoredEnd] = [this.tokens.length, this.scored.length];
    this.rows.push({ prompt, leaf, length, tokenStart, tokenEnd, scoredStart, scoredEnd, spans });
  }

  build({ reduction, responseLength }: Weighting): TokenBatch {
    const rowIndex = this.turnIndex.map((turn) => this.turnRow[turn]);
    const weight = reductionWeights(reduction, rowIndex, this.rows.length, responseLength);
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
      weight: Float32Array.from(weight),
      advantage: Float32Array.from(this.advantage),
    };
  }
}

/**
 * Packs groups of rows one after the other; prefixes are shared within a group only. Weights count all rows of the
 * batch; a row without a scored token counts in B and adds nothing.
 */
export function packGroups(
  groups: readonly (readonly RowParts[])[],
  weighting: Weighting = MEAN_OF_ROWS,
): TokenBatch {
  const columns = new Columns();
  for (const rows of groups) columns.addGroup(rows);
  return columns.build(weighting);
}
