/** Float64 oracle of matmul_swiglu: h = silu(x·Gᵀ) ∘ (x·Uᵀ), the rows of G before those of U in one matrix. */

export interface MatmulSwigluSizes {
  readonly rows: number;
  readonly hidden: number; // F
  readonly inputs: number; // K
}

/** @param weight [2F,K] */
export function matmulSwiglu(
  { rows, hidden, inputs }: MatmulSwigluSizes,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
): Float64Array {
  const h = new Float64Array(rows * hidden);
  for (let i = 0; i < rows; i++) {
    for (let f = 0; f < hidden; f++) {
      let gate = 0;
      let up = 0;
      for (let k = 0; k < inputs; k++) {
        gate += x[i * inputs + k] * weight[f * inputs + k];
        up += x[i * inputs + k] * weight[(hidden + f) * inputs + k];
      }
      h[i * hidden + f] = (gate / (1 + Math.exp(-gate))) * up;
    }
  }
  return h;
}
