/** Integer hashing and keyed draws of the task worlds: everything random in them is a pure function of words. */

/**
 * Folds 32-bit words into one, `h = (h ^ x)·0x85EBCA6B; h ^= h >> 13; h ·= 0xC2B2AE35; h ^= h >> 16` per word.
 * @param words each taken modulo 2³²
 * @returns uint32
 */
export function hash32(...words: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

/** A stream of draws. Mutable: each call moves the counter on. */
export interface Draw {
  /** Uniform in [0, 1), a multiple of 2⁻³². */
  unit(): number;
  /** Uniform integer in [0, count). */
  below(count: number): number;
  pick<T>(from: readonly T[]): T;
  /** `count` different entries in random order. */
  sample<T>(from: readonly T[], count: number): T[];
}

/** The draw stream of a key; the same words give the same stream. */
export function keyedDraw(...words: readonly number[]): Draw {
  const key = hash32(...words);
  let counter = 0;
  const unit = (): number => hash32(key, counter++) / 2 ** 32;
  const below = (count: number): number => Math.floor(unit() * count);
  const sample = <T>(from: readonly T[], count: number): T[] => {
    const rest = [...from];
    return Array.from({ length: count }, () => rest.splice(below(rest.length), 1)[0]);
  };
  return { unit, below, pick: (from) => from[below(from.length)], sample };
}
