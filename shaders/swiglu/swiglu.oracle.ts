/** Float64 oracle of swiglu: h = gate · sigmoid(gate) · up, with [N,2F] rows (gate, then up). */

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
