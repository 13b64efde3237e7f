/** Policies with random parameters, for tests on a device. */
import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { keyedRandom, STREAMS } from '../../src/algo/random.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { initialParameters, parameterMap } from '../../src/model/parameters.ts';
import { Policy, type PolicyOptions } from '../../src/model/policy.ts';
import type {
  LossConfig,
  LossInputs,
  LossResult,
  ModelConfig,
  OptimiserConfig,
  StepResult,
  TokenBatch,
  TrainablePolicy,
} from '../../src/units.ts';
import { packRows, type PlainRow } from './token_batches.ts';

export const CONTEXT = 40;

export const LOSS: LossConfig = {
  ...TURN_LOSS,
  clipLow: 0.02,
  clipHigh: 0.03,
  entropyCoefficient: 0.01,
};

export const OPTIMISER: OptimiserConfig = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  gradientClip: 1,
};

export const randomParameters = (config: ModelConfig, seed = 1): Float32Array<ArrayBuffer> =>
  initialParameters(config, (parameter) => {
    const random = keyedRandom({ seed, update: 0 }, STREAMS.parameters, parameter);
    return () => random.uniform();
  });

export const randomPolicy = (
  gpu: Gpu,
  config: ModelConfig,
  options: Partial<PolicyOptions> = {},
): Promise<Policy> =>
  Policy.create(gpu, config, { contextLength: CONTEXT, parameters: randomParameters(config), ...options });

/** Rows of 5 to 5 + spread tokens with one observation in the middle, seeded. */
export function randomRows(vocabulary: number, rowCount: number, seed: number, spread = 12): PlainRow[] {
  const random = keyedRandom({ seed, update: 0 }, 77);
  return Array.from({ length: rowCount }, () => {
    const length = 5 + random.integer(spread);
    const silent = 3 + random.integer(length - 4);
    const value = random.uniform() - 0.5;
    return {
      tokens: Array.from({ length }, () => random.integer(vocabulary)),
      mask: Array.from({ length }, (_, n) => (n < 2 || n === silent ? 0 : 1)),
      advantage: Array.from({ length }, () => value),
    };
  });
}

export const randomBatch = (vocabulary: number, rowCount: number, seed: number, spread = 12): TokenBatch =>
  packRows(randomRows(vocabulary, rowCount, seed, spread));

export interface UpdateInputs extends LossInputs {
  readonly optimiser: OptimiserConfig;
}

export interface UpdateResult {
  readonly loss: LossResult;
  readonly step: StepResult;
}

/** Backward pass and step of one mini-batch. */
export async function trainOn(
  policy: Pick<TrainablePolicy, 'backward' | 'step'>,
  batch: TokenBatch,
  { optimiser, ...inputs }: UpdateInputs,
): Promise<UpdateResult> {
  const loss = await policy.backward(batch, inputs);
  return { loss, step: await policy.step(optimiser) };
}

/** Update inputs whose old log-probabilities are near the given ones, so that ratios spread over the clip band. */
export function updateInputs(logProb: Float32Array, change: Partial<UpdateInputs> = {}): UpdateInputs {
  const random = keyedRandom({ seed: 8, update: 0 }, 78);
  const oldLogProb = Float32Array.from(logProb, (value) => value + 0.3 * (random.uniform() - 0.5));
  return { oldLogProb, refLogProb: null, temperature: 1, loss: LOSS, optimiser: OPTIMISER, ...change };
}

/** Parameter values by file name, as float64, so that they can be moved. */
export function namedParameters(config: ModelConfig, values: ArrayLike<number>): Map<string, Float64Array> {
  return new Map(
    parameterMap(config).parameters.map(({ name, offset, length }) => [
      name,
      Float64Array.from({ length }, (_, n) => values[offset + n]),
    ]),
  );
}

/** Largest |a − b|, relative to the largest |b|. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let error = a.length === b.length ? 0 : Infinity;
  let scale = 0;
  for (let n = 0; n < b.length; n++) {
    const difference = Math.abs(a[n] - b[n]);
    error = Math.max(error, Number.isNaN(difference) ? Infinity : difference);
    scale = Math.max(scale, Math.abs(b[n]));
  }
  return error / scale;
}
