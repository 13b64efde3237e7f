/** Float64 references of the optimiser kernels, with the symbols of their headers. */

export function squareSum(gradients: ArrayLike<number>, length: number, block: number): Float64Array {
  const partial = new Float64Array(Math.ceil(length / block));
  for (let i = 0; i < length; i++) partial[Math.floor(i / block)] += gradients[i] * gradients[i];
  return partial;
}

/** @returns norm, scale, finite (1 or 0), 0; a norm that is not finite is said as it is */
export function clipScale(
  partial: ArrayLike<number>,
  gradientClip: number,
): [number, number, number, number] {
  let sum = 0;
  for (let b = 0; b < partial.length; b++) sum += partial[b];
  if (!Number.isFinite(sum)) return [sum, 0, 0, 0];
  const norm = Math.sqrt(sum);
  return [norm, Math.min(1, gradientClip / (norm + 1e-6)), 1, 0];
}

export interface AdamwConfig {
  readonly learningRate: number;
  readonly epsilon: number;
  readonly weightDecay: number; // decoupled
  readonly beta1: number;
  readonly beta2: number;
}

export interface AdamwState {
  readonly parameters: ArrayLike<number>;
  readonly firstMoment: ArrayLike<number>;
  readonly secondMoment: ArrayLike<number>;
}

/**
 * One step, the first being step 1. Elements past `length` are copied.
 * @param state norm, scale, finite: a step that is not finite changes nothing
 * @param decays 1 or 0 per block of `block` elements: whether weight decay applies; everywhere by default
 */
export function adamw(
  before: AdamwState,
  gradients: ArrayLike<number>,
  state: ArrayLike<number>,
  config: AdamwConfig,
  step: number,
  length: number,
  decays: ArrayLike<number> = [1],
  block = length,
) {
  const parameters = Float64Array.from(before.parameters);
  const firstMoment = Float64Array.from(before.firstMoment);
  const secondMoment = Float64Array.from(before.secondMoment);
  if (state[2] === 0) return { parameters, firstMoment, secondMoment };
  const { learningRate, epsilon, weightDecay, beta1, beta2 } = config;
  for (let i = 0; i < length; i++) {
    const g = gradients[i] * state[1];
    firstMoment[i] = beta1 * firstMoment[i] + (1 - beta1) * g;
    secondMoment[i] = beta2 * secondMoment[i] + (1 - beta2) * g * g;
    const m = firstMoment[i] / (1 - beta1 ** step);
    const v = secondMoment[i] / (1 - beta2 ** step);
    parameters[i] -= learningRate * weightDecay * decays[Math.floor(i / block)] * parameters[i];
    parameters[i] -= (learningRate * m) / (Math.sqrt(v) + epsilon);
  }
  return { parameters, firstMoment, secondMoment };
}
