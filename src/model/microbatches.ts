import type { TokenBatch } from '../units.ts';
import { BatchError } from './errors.ts';

/** What fits into the activation workspace at once. */
export interface Capacity {
  readonly tokens: number; // N
  readonly predicted: number; // U
  readonly scored: number; // S
}

/** Half-open ranges of a batch that can be computed by themselves: no query reads past them. */
export interface MicroBatch {
  readonly tokenStart: number;
  readonly tokenEnd: number;
  readonly predictedStart: number;
  readonly predictedEnd: number;
  readonly scoredStart: number;
  readonly scoredEnd: number;
  readonly turnStart: number;
  readonly turnEnd: number;
}

/**
 * Splits a batch at row boundaries into as few runs of rows as fit. Weights are those of the whole batch, so
 * summed gradients equal the unsplit ones.
 * @throws BatchError when one row (or rows that share tokens) is larger than the capacity
 */
export function splitBatch(batch: TokenBatch, capacity: Capacity): MicroBatch[] {
  const ends = boundaries(batch);
  const parts: MicroBatch[] = [];
  let start: MicroBatch = {
    tokenStart: 0,
    tokenEnd: 0,
    predictedStart: 0,
    predictedEnd: 0,
    scoredStart: 0,
    scoredEnd: 0,
    turnStart: 0,
    turnEnd: 0,
  };
  let current = start;
  for (const end of ends) {
    if (!fits(start, end, capacity) && current !== start) {
      parts.push(current);
      start = emptyAfter(current);
    }
    if (!fits(start, end, capacity)) throw tooLarge(start, end, capacity);
    current = { ...start, ...end };
  }
  return current === start ? parts : [...parts, current];
}

type End = Pick<MicroBatch, 'tokenEnd' | 'predictedEnd' | 'scoredEnd' | 'turnEnd'>;

/** Row ends that no token is read across. Rows of a packed tree share tokens, so only its last row's end counts. */
function boundaries({ rows, turnStart, turnRow, visibleEnd, predicted }: TokenBatch): End[] {
  const ends: End[] = [];
  let turnEnd = 0;
  let predictedEnd = 0;
  let reach = 0; // furthest token read by, or reading, a token so far
  let seen = 0;
  rows.forEach((row, index) => {
    while (turnEnd < turnRow.length && turnRow[turnEnd] <= index) turnEnd++;
    for (; seen < row.tokenEnd; seen++) reach = Math.max(reach, visibleEnd[seen]);
    while (predictedEnd < predicted.length && predicted[predictedEnd] < row.tokenEnd) predictedEnd++;
    const next = rows[index + 1];
    if (reach <= row.tokenEnd && (!next || next.tokenStart >= row.tokenEnd)) {
      ends.push({ tokenEnd: row.tokenEnd, predictedEnd, scoredEnd: turnStart[turnEnd], turnEnd });
    }
  });
  return ends;
}

const emptyAfter = ({ tokenEnd, predictedEnd, scoredEnd, turnEnd }: MicroBatch): MicroBatch => ({
  tokenStart: tokenEnd,
  tokenEnd,
  predictedStart: predictedEnd,
  predictedEnd,
  scoredStart: scoredEnd,
  scoredEnd,
  turnStart: turnEnd,
  turnEnd,
});

const fits = (start: MicroBatch, end: End, capacity: Capacity): boolean =>
  end.tokenEnd - start.tokenStart <= capacity.tokens &&
  end.predictedEnd - start.predictedStart <= capacity.predicted &&
  end.scoredEnd - start.scoredStart <= capacity.scored;

const tooLarge = (start: MicroBatch, end: End, capacity: Capacity): BatchError =>
  new BatchError({
    what: 'A row of the batch is larger than the activation workspace',
    where: `tokens ${start.tokenStart} to ${end.tokenEnd}`,
    got: `${end.tokenEnd - start.tokenStart} tokens, ${end.scoredEnd - start.scoredStart} scored`,
    wanted: `at most ${capacity.tokens} tokens, ${capacity.scored} scored`,
    next: 'Raise the token capacity, or shorten the context.',
  });
