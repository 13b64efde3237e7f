/** Float64 oracles of swiglu: h = gate · sigmoid(gate) · up, with [N,2F] rows (gate, then up). */

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

export function swigluForward(N: number, F: number, gateUp: ArrayLike<number>): Float64Array {
  const h = new Float64Array(N * F);
  for (let n = 0; n < N; n++) {
    for (let f = 0; f < F; f++) {
      const gate = gateUp[n * 2 * F + f];
      h[n * F + f] = gate * sigmoid(gate) * gateUp[n * 2 * F + F + f];
    }
  }
  return h;
}

export function swigluBackward(
  N: number,
  F: number,
  gateUp: ArrayLike<number>,
  dh: ArrayLike<number>,
): Float64Array {
  const dgateUp = new Float64Array(N * 2 * F);
  for (let n = 0; n < N; n++) {
    for (let f = 0; f < F; f++) {
      const gate = gateUp[n * 2 * F + f];
      const up = gateUp[n * 2 * F + F + f];
      const silu = gate * sigmoid(gate);
      const dsilu = sigmoid(gate) + silu * (1 - sigmoid(gate));
      dgateUp[n * 2 * F + f] = dh[n * F + f] * up * dsilu;
      dgateUp[n * 2 * F + F + f] = dh[n * F + f] * silu;
    }
  }
  return dgateUp;
}

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
