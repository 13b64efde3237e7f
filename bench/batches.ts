/** Batches of the engine as measurements need them: their arithmetic, one row per leaf, and made up. */
import { packGroups, type RowParts } from '../src/algo/batch/pack.ts';
import { ROOT, type ModelConfig, type TokenBatch } from '../src/units.ts';

/** Floating-point operations of an update's matrix products: forward, and twice as much backward. */
export interface UpdateFlops {
  readonly products: number; // of layers, and of the output layer over predicted tokens
  readonly attention: number; // over the pairs that the reading rule allows
}

export function updateFlops(config: ModelConfig, { tokens, visibleEnd, predicted }: TokenBatch): UpdateFlops {
  const { channels, layers, heads, kvHeads, headSize, hidden, vocabularySize } = config;
  const attention = heads * headSize;
  const qkv = attention + 2 * kvHeads * headSize;
  const perToken = 2 * layers * channels * (qkv + attention + 3 * hidden);
  const previous = config.previousTokenMixing ? 2 * channels ** 2 : 0;
  const head = 2 * channels * vocabularySize * predicted.length;
  const pairs = visibleEnd.reduce((sum, end, key) => sum + end - key, 0);
  return {
    products: 3 * ((perToken + previous) * tokens.length + head),
    attention: 3 * 4 * layers * attention * pairs,
  };
}

export const totalFlops = ({ products, attention }: UpdateFlops): number => products + attention;

/** Tokens of the rows' paths, counted once per row. */
export const rowTokens = ({ rows }: TokenBatch): number => rows.reduce((sum, { length }) => sum + length, 0);

/** Places of a row's path up to its last scored token. */
function pathOf({ rows, scored, predicted, previous }: TokenBatch, row: number): readonly number[] {
  const { scoredStart, scoredEnd } = rows[row];
  if (scoredStart === scoredEnd) return [];
  const path: number[] = [];
  for (let place = predicted[scored[scoredEnd - 1]]; place >= 0; place = previous[place]) path.push(place);
  return path.toReversed();
}

/**
 * The same rows with the same weights, every path computed by itself. Tokens after a row's last scored one, which change
 * neither loss nor gradient, are left out.
 */
export function perLeaf(batch: TokenBatch): TokenBatch {
  const paths = batch.rows.map((_, row) => pathOf(batch, row));
  const starts = [0];
  for (const { length } of paths) starts.push(starts[starts.length - 1] + length);
  const each = (value: (place: number, row: number, position: number) => number): number[] =>
    paths.flatMap((path, row) => path.map((place, position) => value(place, row, position)));
  const predicted = batch.rows.flatMap(({ scoredStart, scoredEnd }, row) => {
    const scored = new Set(batch.scored.subarray(scoredStart, scoredEnd));
    const places = new Set(Array.from(scored, (index) => batch.predicted[index]));
    return paths[row].flatMap((place, position) => (places.has(place) ? [starts[row] + position] : []));
  });
  return {
    ...batch,
    rows: batch.rows.map((row, index) => ({
      ...row,
      length: paths[index].length,
      tokenStart: starts[index],
      tokenEnd: starts[index + 1],
    })),
    tokens: Uint32Array.from(each((place) => batch.tokens[place])),
    positions: Uint32Array.from(each((_place, _row, position) => position)),
    previous: Int32Array.from(
      each((_place, row, position) => (position === 0 ? -1 : starts[row] + position - 1)),
    ),
    visibleStart: Uint32Array.from(each((_place, row) => starts[row])),
    visibleEnd: Uint32Array.from(each((_place, row) => starts[row + 1])),
    predicted: Uint32Array.from(predicted),
    scored: Uint32Array.from(predicted.keys()),
  };
}

export interface TreeSizes {
  readonly trees: number;
  readonly leaves: number; // per tree
  readonly length: number; // tokens of a path
  readonly shared: number; // of them, the tokens that all leaves of a tree begin with
  readonly vocabulary: number;
}

/** Trees of made-up tokens: a common prefix, half of it prompt, and branches of their own. */
export function madeUpTrees({ trees, leaves, length, shared, vocabulary }: TreeSizes): TokenBatch {
  const prompt = Math.ceil(shared / 2);
  const token = (tree: number, leaf: number, position: number): number => {
    const branch = position < shared ? 0 : leaf + 1;
    // The first token of a branch tells it from its siblings; the others are any.
    return position === shared ? leaf % vocabulary : (7 * tree + 31 * branch + 13 * position) % vocabulary;
  };
  const row = (tree: number, leaf: number): RowParts => ({
    prompt: tree,
    leaf: ROOT,
    tokens: Array.from({ length }, (_, position) => token(tree, leaf, position)),
    mask: Array.from({ length }, (_, position) => (position < prompt ? 0 : 1)),
    advantage: Array<number>(length).fill(leaf % 2 === 0 ? 1 : -1),
    spans: [],
  });
  return packGroups(
    Array.from({ length: trees }, (_, tree) =>
      Array.from({ length: leaves }, (_unused, leaf) => row(tree, leaf)),
    ),
  );
}
