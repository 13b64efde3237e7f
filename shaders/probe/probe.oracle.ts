/** Float64 oracle of the probes: eight chains of multiply-adds per element, and a copy. */

export function probeFma(length: number, rounds: number, scale: number, shift: number): Float64Array {
  const y = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    for (let c = 0; c < 8; c++) {
      let x = (i % 64) + c;
      for (let step = 0; step < 8 * rounds; step++) x = scale * x + shift;
      y[i] += x;
    }
  }
  return y;
}

export const probeCopy = (x: ArrayLike<number>): Float64Array => Float64Array.from(x);
