import type { TokenBatch } from '../units.ts';
import { BatchError } from './errors.ts';

/** What fits into the activation workspace at once. */
export interface Capacity {
  readonly tokens: number; // N
  readonly predicted: number; // U
  readonly scored: number; // S
}

/** What a batch fills at most, within a limit. */
export const capacityOf = (batch: TokenBatch, limit: Capacity): Capacity => ({
  tokens: Math.min(batch.tokens.length, limit.tokens),
  predicted: Math.min(batch.predicted.length, limit.predicted),
  scored: Math.min(batch.scored.length, limit.scored),
});

/**
 * Consecutive rows of a batch with the tokens that their scored tokens depend on, to be computed by themselves. What is
 * last on a path predicts nothing and is left out, and so is whatever comes after the last scored token.
 */
export interface MicroBatch {
  readonly tokens: Uint32Array<ArrayBuffer>; // [N] indices into the batch's tokens, ascending
  readonly predicted: Uint32Array<ArrayBuffer>; // [U] indices into the batch's predicted, ascending
  readonly scored: Uint32Array<ArrayBuffer>; // [S] indices into this predicted
  readonly rowStart: number; // range of the batch's rows
  readonly rowEnd: number;
  readonly scoredStart: number; // range of the batch's scored tokens
  readonly scoredEnd: number;
  readonly turnStart: number; // range of the batch's turns
  readonly turnEnd: number;
}

/** Indices of the marks, ascending. */
const marked = (marks: Uint8Array): Uint32Array<ArrayBuffer> => {
  const indices = new Uint32Array(marks.length);
  let count = 0;
  for (let index = 0; index < marks.length; index++) if (marks[index]) indices[count++] = index;
  return indices.slice(0, count);
};

/** place[i] = entries of ascending `kept` below i, for i up to and including `length`. */
export function places(kept: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const place = new Uint32Array(length + 1);
  let count = 0;
  for (let index = 0; index <= length; index++) {
    place[index] = count;
    if (count < kept.length && kept[count] === index) count++;
  }
  return place;
}

/** A run of rows under construction: marks every predicted token, and every token before it, once. */
class Rows {
  readonly start: number;
  end: number;
  readonly #batch: TokenBatch;
  readonly #capacity: Capacity;
  readonly #tokens: Uint8Array;
  readonly #predicted: Uint8Array;
  #tokenCount = 0;
  #predictedCount = 0;
  #scoredCount = 0;

  constructor(batch: TokenBatch, capacity: Capacity, start: number) {
    this.#batch = batch;
    this.#capacity = capacity;
    this.#tokens = new Uint8Array(batch.tokens.length);
    this.#predicted = new Uint8Array(batch.predicted.length);
    this.start = start;
    this.end = start;
  }

  /** Takes rows up to `end` if all of them fit; else none. */
  add(end: number): boolean {
    const { rows, scored, predicted, previous } = this.#batch;
    const newTokens: number[] = [];
    const newPredicted: number[] = [];
    const [from, to] = [rows[this.end].scoredStart, rows[end - 1].scoredEnd];
    for (let s = from; s < to; s++) {
      const u = scored[s];
      if (this.#predicted[u]) continue;
      this.#predicted[u] = 1;
      newPredicted.push(u);
      for (let token = previous[predicted[u]]; token >= 0 && !this.#tokens[token]; token = previous[token]) {
        this.#tokens[token] = 1;
        newTokens.push(token);
      }
    }
    const tokenCount = this.#tokenCount + newTokens.length;
    const predictedCount = this.#predictedCount + newPredicted.length;
    const scoredCount = this.#scoredCount + to - from;
    const limit = this.#capacity;
    if (tokenCount > limit.tokens || predictedCount > limit.predicted || scoredCount > limit.scored) {
      for (const token of newTokens) this.#tokens[token] = 0;
      for (const u of newPredicted) this.#predicted[u] = 0;
      return false;
    }
    [this.#tokenCount, this.#predictedCount, this.#scoredCount] = [tokenCount, predictedCount, scoredCount];
    this.end = end;
    return true;
  }

  build(): MicroBatch {
    const { rows, scored, turnRow } = this.#batch;
    const { scoredStart } = rows[this.start];
    const { scoredEnd } = rows[this.end - 1];
    const predicted = marked(this.#predicted);
    const place = places(predicted, this.#predicted.length);
    const firstTurn = (row: number): number => {
      const turn = turnRow.findIndex((of) => of >= row);
      return turn < 0 ? turnRow.length : turn;
    };
    return {
      tokens: marked(this.#tokens),
      predicted,
      scored: scored.slice(scoredStart, scoredEnd).map((u) => place[u]),
      rowStart: this.start,
      rowEnd: this.end,
      scoredStart,
      scoredEnd,
      turnStart: firstTurn(this.start),
      turnEnd: firstTurn(this.end),
    };
  }
}

/** Ends of the runs of rows that lie in one range of tokens: a plain row, or all rows of a packed tree. */
function treeEnds({ rows }: TokenBatch): number[] {
  return [...rows.keys()]
    .filter((row) => rows[row + 1]?.tokenStart !== rows[row].tokenStart)
    .map((row) => row + 1);
}

/**
 * Splits a batch into few runs of rows that fit; a tree that does not fit is divided among several, which then repeat
 * the prefixes they share. Weights stay those of the whole batch, so summed gradients equal the unsplit ones.
 * @throws BatchError when one row is larger than the capacity
 */
export function splitBatch(batch: TokenBatch, capacity: Capacity): MicroBatch[] {
  const parts: MicroBatch[] = [];
  let rows = new Rows(batch, capacity, 0);
  const close = (): void => {
    if (rows.end > rows.start) parts.push(rows.build());
    rows = new Rows(batch, capacity, rows.end);
  };
  for (const end of treeEnds(batch)) {
    if (rows.add(end)) continue;
    close();
    if (rows.add(end)) continue;
    while (rows.end < end) {
      if (rows.add(rows.end + 1)) continue;
      if (rows.end === rows.start) throw tooLarge(batch, rows.start, capacity);
      close();
    }
  }
  close();
  return parts.filter(({ scored }) => scored.length > 0);
}

/**
 * All tokens as one micro-batch that predicts nothing.
 * @throws BatchError
 */
export function wholeBatch(batch: TokenBatch, capacity: Capacity): MicroBatch {
  if (batch.tokens.length > capacity.tokens) throw tooLarge(batch, 0, capacity);
  const none = new Uint32Array(0);
  const tokens = Uint32Array.from(batch.tokens.keys());
  const range = { rowStart: 0, rowEnd: 0, scoredStart: 0, scoredEnd: 0, turnStart: 0, turnEnd: 0 };
  return { tokens, predicted: none, scored: none, ...range };
}

function tooLarge({ rows }: TokenBatch, row: number, capacity: Capacity): BatchError {
  const { length, scoredStart, scoredEnd } = rows[row];
  return new BatchError({
    what: 'A row of the batch is larger than the activation workspace',
    where: `row ${row}`,
    got: `${length} tokens, ${scoredEnd - scoredStart} scored`,
    wanted: `at most ${capacity.tokens} tokens, ${capacity.scored} scored`,
    next: 'Raise the token capacity, or shorten the context.',
  });
}
