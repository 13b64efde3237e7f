import { dispatch, type Step } from '../../gpu/steps.ts';
import type { OptimiserConfig, StepResult } from '../../units.ts';
import { kernels } from '../../../shaders/index.ts';
import type { DeviceModel } from '../device_model.ts';
import { headNorms, headSquareSteps } from './gradients.ts';
import { TENSOR_ALIGNMENT } from '../parameters.ts';
import type { Workspace } from './workspace.ts';

export type OptimiserSizes = Readonly<{
  learningRate: number;
  epsilon: number;
  weightDecay: number;
  beta1: number;
  beta2: number;
  oneMinusBeta1: number;
  oneMinusBeta2: number;
  biasCorrection1: number;
  biasCorrection2: number;
  gradientClip: number;
}>;

/** @param step number of this AdamW step, from 1 */
export function optimiserSizes(config: OptimiserConfig, step: number): OptimiserSizes {
  const { learningRate, epsilon, weightDecay, beta1, beta2, gradientClip } = config;
  return {
    learningRate,
    epsilon,
    weightDecay,
    beta1,
    beta2,
    oneMinusBeta1: 1 - beta1, // in float64: 1 − 0.999 in float32 is off by 1e-5 of itself
    oneMinusBeta2: 1 - beta2,
    biasCorrection1: 1 - beta1 ** step,
    biasCorrection2: 1 - beta2 ** step,
    gradientClip,
  };
}

/** Global norm, clip, AdamW over all that is trained, one flat buffer; norms by head beside them, which nothing else reads. */
export function optimiserSteps(
  model: DeviceModel,
  { squareSums, headSquares, clipFactors }: Workspace,
): Step<OptimiserSizes>[] {
  const { gradients, parameters, firstMoment, secondMoment, decays, map } = model;
  const { length } = map;
  return [
    dispatch(kernels.square_sum, { gradients, partial: squareSums }, () => ({ length }), {
      overrides: { BLOCK: TENSOR_ALIGNMENT }, // so that every partial belongs to one tensor
    }),
    dispatch(kernels.clip_scale, { partial: squareSums, state: clipFactors }, ({ gradientClip }) => ({
      blocks: length / TENSOR_ALIGNMENT,
      gradientClip,
    })),
    dispatch(
      kernels.adamw,
      { gradients, state: clipFactors, decays, parameters, firstMoment, secondMoment },
      ({ learningRate, epsilon, weightDecay, beta1, beta2, ...rest }) => ({
        length,
        learningRate,
        epsilon,
        weightDecay,
        beta1,
        beta2,
        oneMinusBeta1: rest.oneMinusBeta1,
        oneMinusBeta2: rest.oneMinusBeta2,
        biasCorrection1: rest.biasCorrection1,
        biasCorrection2: rest.biasCorrection2,
      }),
      { overrides: { BLOCK: TENSOR_ALIGNMENT } },
    ),
    ...headSquareSteps<OptimiserSizes>(model, headSquares),
  ];
}

/**
 * What an optimiser step reports.
 * @param squareSums Σ g² per block of TENSOR_ALIGNMENT floats
 * @param headSquares as headSquareSteps left them
 * @param clipFactors norm, scale, finite
 */
export function stepResult(
  { map, config }: Pick<DeviceModel, 'map' | 'config'>,
  {
    squareSums,
    headSquares,
    clipFactors,
  }: Readonly<Record<'squareSums' | 'headSquares' | 'clipFactors', Float32Array>>,
): StepResult {
  const trained = map.stored.filter(({ trainable }) => trainable);
  const norms = trained.map(({ name, offset, length }) => {
    const first = offset / TENSOR_ALIGNMENT;
    const end = first + Math.ceil(length / TENSOR_ALIGNMENT);
    let total = 0;
    for (let block = first; block < end; block++) total += squareSums[block];
    return [name, Math.sqrt(total)];
  });
  return {
    gradientNorm: clipFactors[0],
    gradientNorms: Object.fromEntries(norms) as Record<string, number>,
    headNorms: headNorms(config, headSquares),
    skipped: clipFactors[2] === 0,
  };
}
