/** Inputs for kernel cases: fixed, of size 1, without structure that a wrong index could hide in. */

/** What a buffer that the kernel overwrites holds before; nothing in the cases comes near it. */
const POISON = 12345;

export const wave = (length: number, phase: number, size = 1): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, index) => size * Math.sin(1.7 * index + 0.011 * index * index + phase));

export const poison = (length: number): Float32Array<ArrayBuffer> => new Float32Array(length).fill(POISON);

/** Title words for the overrides of a case; '' for the defaults. */
export const shapingWords = (overrides: Readonly<Record<string, number>>): string =>
  Object.entries(overrides)
    .map(([name, value]) => `, ${name} ${value}`)
    .join('');
