/** Batches built by hand, and models to run them on. */
import { ROOT, type ModelConfig, type TokenBatch } from '../../src/units.ts';

export interface PlainRow {
  readonly tokens: readonly number[];
  readonly mask: readonly number[]; // 1 = scored
  readonly advantage?: readonly number[]; // by position
}

/** Rows back to back; turns are maximal runs of ones in the mask, weight = 1/(B·n_i). */
export function packRows(rows: readonly PlainRow[]): TokenBatch {
  const columns = {
    tokens: [] as number[],
    positions: [] as number[],
    previous: [] as number[],
    visibleStart: [] as number[],
    visibleEnd: [] as number[],
    predicted: [] as number[],
    turnStart: [0],
    turnRow: [] as number[],
    turnIndex: [] as number[],
    weight: [] as number[],
    advantage: [] as number[],
  };
  const batchRows = rows.map(({ tokens, mask, advantage }, row) => {
    const tokenStart = columns.tokens.length;
    const tokenEnd = tokenStart + tokens.length;
    const scoredStart = columns.predicted.length;
    const count = mask.reduce((sum, bit) => sum + bit, 0);
    tokens.forEach((token, position) => {
      columns.tokens.push(token);
      columns.positions.push(position);
      columns.previous.push(position === 0 ? -1 : tokenStart + position - 1);
      columns.visibleStart.push(tokenStart);
      columns.visibleEnd.push(tokenEnd);
      if (!mask[position]) return;
      if (position === 0 || !mask[position - 1]) {
        if (columns.turnRow.length > 0) columns.turnStart.push(columns.predicted.length);
        columns.turnRow.push(row);
      }
      columns.predicted.push(tokenStart + position);
      columns.turnIndex.push(columns.turnRow.length - 1);
      columns.weight.push(1 / (rows.length * count));
      columns.advantage.push(advantage?.[position] ?? 0);
    });
    return {
      prompt: row,
      leaf: ROOT,
      length: tokens.length,
      tokenStart,
      tokenEnd,
      scoredStart,
      scoredEnd: columns.predicted.length,
      spans: [],
    };
  });
  if (columns.turnRow.length > 0) columns.turnStart.push(columns.predicted.length);
  return {
    rows: batchRows,
    tokens: Uint32Array.from(columns.tokens),
    positions: Uint32Array.from(columns.positions),
    previous: Int32Array.from(columns.previous),
    visibleStart: Uint32Array.from(columns.visibleStart),
    visibleEnd: Uint32Array.from(columns.visibleEnd),
    predicted: Uint32Array.from(columns.predicted),
    scored: Uint32Array.from(columns.predicted.keys()),
    turnStart: Uint32Array.from(columns.turnStart),
    turnRow: Uint32Array.from(columns.turnRow),
    turnIndex: Uint32Array.from(columns.turnIndex),
    weight: Float32Array.from(columns.weight),
    advantage: Float32Array.from(columns.advantage),
  };
}

/** Pre-order packing of a tree: every node's tokens once. `parent` is an index into `nodes`, −1 at the root. */
export function packTree(
  nodes: readonly { readonly parent: number; readonly tokens: readonly number[] }[],
): TokenBatch {
  const starts: number[] = [];
  let count = 0;
  for (const { tokens } of nodes) {
    starts.push(count);
    count += tokens.length;
  }
  const isBelow = (node: number, ancestor: number): boolean =>
    node === ancestor || (node >= 0 && isBelow(nodes[node].parent, ancestor));
  const plain = packRows([
    {
      tokens: nodes.flatMap(({ tokens }) => tokens),
      mask: Array.from({ length: count }, (_, n) => Math.min(n, 1)),
    },
  ]);
  nodes.forEach(({ parent, tokens }, node) => {
    const end = Math.max(
      ...nodes.map((_, other) => (isBelow(other, node) ? starts[other] + nodes[other].tokens.length : 0)),
    );
    tokens.forEach((_, place) => {
      const index = starts[node] + place;
      const previous =
        place > 0 ? index - 1 : parent < 0 ? -1 : starts[parent] + nodes[parent].tokens.length - 1;
      plain.previous[index] = previous;
      plain.positions[index] = previous < 0 ? 0 : plain.positions[previous] + 1;
      plain.visibleEnd[index] = end;
    });
  });
  return plain;
}

export const SMALL_MODEL: ModelConfig = {
  vocabularySize: 29,
  channels: 24,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headSize: 8,
  hidden: 36,
  rmsEpsilon: 1e-6,
  ropeTheta: 10000,
  queryKeyNorm: true,
  tiedOutput: true,
  previousTokenMixing: true,
  logitScale: 0.25,
};
