/** Float64 oracle of rmsnorm: y = x · inverseRms · weight. Matrices are flat, [N,C]. */

export function rmsnormForward(
  N: number,
  C: number,
  epsilon: number,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
) {
  const y = new Float64Array(N * C);
  const inverseRms = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    let squares = 0;
    for (let c = 0; c < C; c++) squares += x[n * C + c] ** 2;
    inverseRms[n] = 1 / Math.sqrt(squares / C + epsilon);
    for (let c = 0; c < C; c++) y[n * C + c] = x[n * C + c] * inverseRms[n] * weight[c];
  }
  return { y, inverseRms };
}

/** Gradients of Σ dy·y by the quotient rule, element by element: dr/dx[c'] = −r³·x[c']/C. */
export function rmsnormBackward(
  N: number,
  C: number,
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  inverseRms: ArrayLike<number>,
  dy: ArrayLike<number>,
) {
  const dx = new Float64Array(N * C);
  const dweight = new Float64Array(C);
  for (let n = 0; n < N; n++) {
    const r = inverseRms[n];
    let dr = 0;
    for (let c = 0; c < C; c++) dr += dy[n * C + c] * x[n * C + c] * weight[c];
    for (let c = 0; c < C; c++) {
      dx[n * C + c] = dy[n * C + c] * r * weight[c] - (dr * r ** 3 * x[n * C + c]) / C;
      dweight[c] += dy[n * C + c] * x[n * C + c] * r;
    }
  }
  return { dx, dweight };
}
