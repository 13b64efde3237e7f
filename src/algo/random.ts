/**
 * Counter-based random numbers: the TypeScript twin of shaders/sample_token. A number depends only on the key
 * and the counter words that name its use, never on what was drawn before.
 * @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox4x32-10, Random123)
 */
import type { RandomKey } from '../units.ts';

export type PhiloxCounter = readonly [number, number, number, number];
export type PhiloxKey = readonly [number, number];

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9; // golden ratio
const WEYL_1 = 0xbb67ae85; // √3 − 1

/** High 32 bits of a 32×32-bit product, through 16-bit halves: a double holds no 64-bit product. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // < 2^32, exact in a double
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Philox4x32-10: four uint32 words in, four uint32 words out. */
export function philox4x32(counter: PhiloxCounter, key: PhiloxKey): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round += 1) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0 >>> 0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2 >>> 0);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * A word as a number strictly inside (0, 1): (⌊word / 2⁹⌋ + ½)·2⁻²³. Twenty-three bits and a half are exact in
 * float32, so the GPU holds the same number and never rounds it to 1.
 */
export const uniform = (word: number): number => ((word >>> 9) + 0.5) * 2 ** -23;

/** Standard Gumbel noise of a word, −ln(−ln u); finite, in about [−2.9, 16.7]. */
export const gumbel = (word: number): number => -Math.log(-Math.log(uniform(word)));

/** Noise of vocabulary entry v for one sampled token, keyed exactly as in shaders/sample_token. */
export function tokenGumbel(key: RandomKey, prompt: number, node: number, token: number, v: number): number {
  const words = philox4x32([prompt, node, token, v >>> 2], [key.seed, key.update]);
  return gumbel(words[v & 3]);
}

/** Uses of random numbers outside token sampling; each is a stream of its own. */
export const STREAMS = {
  expansion: 1, // random expansion mode: which nodes
  leaves: 2, // which surplus leaves stay in the group
  minibatches: 3, // order of the rows
  questions: 4, // seeds of the training questions
  evaluation: 5, // seeds of the held-out questions
  parameters: 6, // initial weights
  demonstrations: 7, // supervised warm start
  references: 20, // samples of the reference policy (A*-PO)
  pairs: 21, // which rows are compared (iStar)
  interventions: 22, // turns that a person asks for
  resampling: 23, // of runs, for intervals of an experiment
} as const;

/** Numbers of one stream, in order. */
export interface KeyedRandom {
  /** Next uint32. */
  next(): number;
  /** Next number in (0, 1). */
  uniform(): number;
  /** Next integer in [0, count), count ≥ 1, without bias. */
  integer(count: number): number;
  /** The items in a random order, as a new array. */
  shuffle<T>(items: readonly T[]): T[];
}

/** Folds the stream and its words into a key, one Philox block per word. */
function streamKey(key: RandomKey, stream: number, words: readonly number[]): PhiloxKey {
  let folded: PhiloxKey = [key.seed >>> 0, key.update >>> 0];
  [stream, ...words].forEach((word, place) => {
    const block = philox4x32([word >>> 0, place, 0x7475726e, 0x77697365], folded);
    folded = [block[0], block[1]];
  });
  return folded;
}

/**
 * A stream of random numbers named by a run's key, a use (see STREAMS) and any further words (prompt, iteration …).
 * The same arguments give the same numbers.
 */
export function keyedRandom(key: RandomKey, stream: number, ...words: readonly number[]): KeyedRandom {
  const derived = streamKey(key, stream, words);
  let drawn = 0;
  let block: readonly number[] = [];
  const next = (): number => {
    if (drawn % 4 === 0) block = philox4x32([drawn / 4, 0, 0, 0], derived);
    const word = block[drawn % 4];
    drawn += 1;
    return word;
  };
  const integer = (count: number): number => {
    const limit = 2 ** 32 - (2 ** 32 % count); // words from here on would favour small results
    let word = next();
    while (word >= limit) word = next();
    return word % count;
  };
  const shuffle = <T>(items: readonly T[]): T[] => {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last -= 1) {
      const other = integer(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
    }
    return shuffled;
  };
  return { next, uniform: () => uniform(next()), integer, shuffle };
}
