/** Small sums over measurements. */

/** @returns NaN of nothing */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

export interface PowerFit {
  readonly exponent: number;
  readonly factor: number; // y ≈ factor · x^exponent
  readonly error: number; // standard error of the exponent
}

/** Least squares of ln y against ln x. Wants at least two different x, all positive. */
export function fitPower(points: readonly (readonly [x: number, y: number])[]): PowerFit {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const count = logs.length;
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const exponent = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const intercept = meanY - exponent * meanX;
  const residual = logs.reduce((sum, [x, y]) => sum + (y - intercept - exponent * x) ** 2, 0);
  const error = count > 2 ? Math.sqrt(residual / (count - 2) / spread) : NaN;
  return { exponent, factor: Math.exp(intercept), error };
}
