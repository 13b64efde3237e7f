/** Parts of a batch: submitted in turn, and what they gave put together again. */
import type { BufferView } from '../../gpu/buffers.ts';
import type { LossResult, TokenBatch } from '../../units.ts';
import type { MicroBatch } from '../microbatches.ts';

type Floats = Float32Array<ArrayBuffer>;

/** Parts whose results may be on their way at once: the device computes one while the one before is read. */
export const IN_FLIGHT = 2;

/**
 * Submits part after part. However many there are, the buffers they are read through are IN_FLIGHT.
 * @returns when all are submitted, what waits for their results
 */
export async function submitInTurn<T>(
  parts: readonly MicroBatch[],
  submit: (part: MicroBatch) => Promise<T>,
): Promise<() => Promise<T[]>> {
  const results: Promise<T>[] = [];
  for (const part of parts) {
    await results.at(-IN_FLIGHT);
    const result = submit(part);
    result.catch(() => undefined); // whoever waits for all of them is told
    results.push(result);
  }
  return () => Promise.all(results);
}

/** Puts arrays of scored tokens, or of turns, back into the order of the batch. */
export function join<const Names extends readonly string[]>(
  length: number,
  parts: readonly MicroBatch[],
  start: 'scoredStart' | 'turnStart',
  results: readonly Readonly<Record<Names[number], Floats>>[],
  names: Names,
): Record<Names[number], Floats> {
  const joined = names.map((name: Names[number]) => {
    const whole = new Float32Array(length);
    parts.forEach((part, index) => whole.set(results[index][name], part[start]));
    return [name, whole];
  });
  return Object.fromEntries(joined) as Record<Names[number], Floats>; // one entry per name
}

/** Arrays of the parts' predicted tokens as arrays [S] of the batch's scored tokens. */
export function inRows<const Names extends readonly string[]>(
  batch: TokenBatch,
  parts: readonly MicroBatch[],
  results: readonly Readonly<Record<Names[number], Floats>>[],
  names: Names,
): Record<Names[number], Floats> {
  const spread = results.map((result, index) => {
    const { scored } = parts[index];
    const arrays = names.map((name: Names[number]) => [
      name,
      new Float32Array(scored.length).map((_, s) => result[name][scored[s]]),
    ]);
    return Object.fromEntries(arrays) as Record<Names[number], Floats>; // one entry per name
  });
  return join(batch.scored.length, parts, 'scoredStart', spread, names);
}

type PartResult = Readonly<Record<'logProb' | 'entropy' | 'tokenLoss' | 'dlogProb' | 'turnLogRatio', Floats>>;

/** Arrays and loss of the batch; Σ weight · tokenLoss in float64. */
export function lossResult(
  batch: TokenBatch,
  parts: readonly MicroBatch[],
  results: readonly PartResult[],
): LossResult {
  const { scored, turnRow, weight } = batch;
  const arrays = {
    ...inRows(batch, parts, results, ['logProb', 'entropy']),
    ...join(scored.length, parts, 'scoredStart', results, ['tokenLoss', 'dlogProb']),
    ...join(turnRow.length, parts, 'turnStart', results, ['turnLogRatio']),
  };
  const total = arrays.tokenLoss.reduce((sum, value, s) => sum + weight[s] * value, 0);
  return { ...arrays, loss: total };
}

/** Views to read back by what they are indexed by. */
export interface Wanted<Predicted extends string, Scored extends string, Turns extends string> {
  readonly predicted: Readonly<Record<Predicted, BufferView>>;
  readonly scored?: Readonly<Record<Scored, BufferView>>;
  readonly turns?: Readonly<Record<Turns, BufferView>>;
}
