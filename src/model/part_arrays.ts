/** What the parts of a batch gave, put together again. */
import type { TokenBatch } from '../units.ts';
import type { MicroBatch } from './microbatches.ts';

type Floats = Float32Array<ArrayBuffer>;

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
      Float32Array.from(scored, (u) => result[name][u]),
    ]);
    return Object.fromEntries(arrays) as Record<Names[number], Floats>; // one entry per name
  });
  return join(batch.scored.length, parts, 'scoredStart', spread, names);
}
