/** What a step promises each token, to first order. */
import type { TokenBatch, TrainablePolicy } from '../units.ts';

/**
 * How far from the start of the step the batch is scored, as a share of the step. Nearer, and float32 is what is
 * measured (a log-probability is good to 2e-6 nats); farther, and curvature is (its cube).
 */
const PROBE = 1 / 4;

export interface TokenForecast {
  readonly logProb: Float64Array; // [S] nats
  readonly entropy: Float64Array; // [S] nats
}

/**
 * Change of every log-probability and entropy along a step, to first order: ∇θ logProb · Δθ as the central difference
 * (f(θ + εΔθ) − f(θ − εΔθ)) / 2ε. Two forward passes; no gradient per token is needed, and no backward pass is trusted.
 * @param before all parameters before the step, θ
 * @param step what the optimiser added to them, Δθ
 */
export async function forecastTokens(
  policy: TrainablePolicy,
  batch: TokenBatch,
  temperature: number,
  before: Float32Array,
  step: Float32Array,
): Promise<TokenForecast> {
  const at = (share: number) =>
    policy.scoreAt(
      Float32Array.from(before, (value, index) => value + share * step[index]),
      batch,
      temperature,
    );
  const [ahead, behind] = [await at(PROBE), await at(-PROBE)];
  const slope = (name: 'logProb' | 'entropy'): Float64Array =>
    Float64Array.from(ahead[name], (value, s) => (value - behind[name][s]) / (2 * PROBE));
  return { logProb: slope('logProb'), entropy: slope('entropy') };
}

/**
 * Pearson's correlation.
 * @returns null where one of the two does not vary
 */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const mean = (values: ArrayLike<number>): number =>
    Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const [middleA, middleB] = [mean(a), mean(b)];
  let [both, squaresA, squaresB] = [0, 0, 0];
  for (let index = 0; index < a.length; index += 1) {
    const [fromA, fromB] = [a[index] - middleA, b[index] - middleB];
    both += fromA * fromB;
    squaresA += fromA * fromA;
    squaresB += fromB * fromB;
  }
  const scale = Math.sqrt(squaresA * squaresB);
  return scale > 0 ? both / scale : null;
}
