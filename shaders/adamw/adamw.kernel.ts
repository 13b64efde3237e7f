import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import * as oracle from './adamw.oracle.ts';
import adamwSource from './adamw.wgsl?raw';
import clipScaleSource from './clip_scale.wgsl?raw';
import squareSumSource from './square_sum.wgsl?raw';

const POISON = 12345; // what overwritten buffers hold before
const MAX_FLOAT = 3.4e38;

const roundUp4 = (length: number): number => Math.ceil(length / 4) * 4;

const wave = (length: number, scale: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, index) => scale * Math.sin(1.7 * index + phase));

const squareSumCase = (length: number, overrides: Shaping) => {
  const gradients = new Float32Array(roundUp4(length)).fill(NaN); // past the length: must not leak
  gradients.set(wave(length, 2, 0.3));
  const block = overrides.BLOCK ?? 256;
  return {
    title: `${length} elements ${JSON.stringify(overrides)}`,
    params: { length },
    overrides,
    buffers: { gradients, partial: new Float32Array(Math.ceil(length / block)).fill(POISON) },
    expected: () => ({ partial: oracle.squareSum(gradients, length, block) }),
  };
};

export const squareSum = defineKernel({
  name: 'square_sum',
  source: squareSumSource,
  params: { length: 'u32' },
  bindings: [read('gradients'), write('partial')],
  overrides: { WORKGROUP: 64, BLOCK: 256 },
  constants: {},
  grid: ({ length }, { WORKGROUP, BLOCK }) => foldGrid(Math.ceil(Math.ceil(length / BLOCK) / WORKGROUP)),
  tolerance: { absolute: 1e-7, relative: 4e-6, reason: 'four chains of up to 64 positive terms in f32' },
  cases: () => [
    squareSumCase(1, {}),
    squareSumCase(1037, {}),
    squareSumCase(1037, { WORKGROUP: 4, BLOCK: 8 }),
    squareSumCase(512, { WORKGROUP: 1 }),
    squareSumCase(270_003, { WORKGROUP: 1, BLOCK: 4 }), // folded grid
  ],
});

const clipScaleCase = (
  title: string,
  partial: Float32Array<ArrayBuffer>,
  gradientClip: number,
  overrides: Shaping = {},
) => ({
  title: `${title} ${JSON.stringify(overrides)}`,
  params: { blocks: partial.length, gradientClip: Math.fround(gradientClip) },
  overrides,
  buffers: { partial, state: new Float32Array(4).fill(POISON) },
  expected: () => {
    // A float32 sum past the largest float is infinite, though float64 would hold it.
    const overflows = partial.reduce((sum, x) => sum + x, 0) > MAX_FLOAT;
    return { state: oracle.clipScale(overflows ? [Infinity] : partial, Math.fround(gradientClip)) };
  },
});

const squares = (length: number, scale: number): Float32Array<ArrayBuffer> =>
  wave(length, scale, 0.5).map((x) => x * x);

const withEntry = (value: number): Float32Array<ArrayBuffer> => {
  const partial = squares(130, 1);
  partial[77] = value;
  return partial;
};

export const clipScale = defineKernel({
  name: 'clip_scale',
  source: clipScaleSource,
  params: { blocks: 'u32', gradientClip: 'f32' },
  bindings: [read('partial'), write('state')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: () => [1, 1, 1],
  tolerance: {
    absolute: 1e-7,
    relative: 2e-6,
    reason: 'chains of up to 500 positive terms, a root and a quotient in f32',
  },
  cases: () => [
    clipScaleCase('one block, not clipped', squares(1, 0.3), 1),
    clipScaleCase('1999 blocks, clipped', squares(1999, 0.7), 1),
    clipScaleCase('1999 blocks, clipped', squares(1999, 0.7), 0.05, { WORKGROUP: 4 }),
    clipScaleCase('all zero', new Float32Array(9), 1),
    clipScaleCase('a NaN', withEntry(NaN), 1),
    clipScaleCase('an infinity', withEntry(Infinity), 1),
    clipScaleCase('a sum past the largest float', new Float32Array(6).fill(1e38), 1),
  ],
});

const CONFIG = { learningRate: 3e-3, epsilon: 1e-8, weightDecay: 0.1, beta1: 0.9, beta2: 0.95 };

/** Step `step` of a run whose earlier steps the oracle took, so that the moments are those of a run. */
const adamwCase = (length: number, step: number, state: readonly number[], overrides: Shaping = {}) => {
  const padded = roundUp4(length);
  const gradientsOf = (t: number) =>
    wave(padded, 0.3 * t, 0.7 * t).map((g, i) => (i % 5 === 4 ? 1e-6 * g : g));
  const zeros = new Float32Array(padded);
  let before = { parameters: wave(padded, 1, 0.2), firstMoment: zeros, secondMoment: zeros };
  for (let t = 1; t < step; t++) {
    const after = oracle.adamw(before, gradientsOf(t), [0, 0.5, 1, 0], CONFIG, t, padded);
    before = {
      parameters: Float32Array.from(after.parameters),
      firstMoment: Float32Array.from(after.firstMoment),
      secondMoment: Float32Array.from(after.secondMoment),
    };
  }
  const gradients = state[2] === 0 ? new Float32Array(padded).fill(NaN) : gradientsOf(step);
  const { learningRate, epsilon, weightDecay, beta1, beta2 } = CONFIG;
  const block = overrides.BLOCK ?? 256;
  const decays = Float32Array.from({ length: Math.ceil(length / block) }, (_, index) => (index + 1) % 2);
  return {
    title: `${length} elements, step ${step}, scale ${state[1]}, finite ${state[2]} ${JSON.stringify(overrides)}`,
    params: {
      length,
      learningRate,
      epsilon,
      weightDecay,
      beta1,
      beta2,
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      biasCorrection1: 1 - beta1 ** step,
      biasCorrection2: 1 - beta2 ** step,
    },
    overrides,
    buffers: { gradients, state: Float32Array.from(state), decays, ...before },
    expected: () => oracle.adamw(before, gradients, state, CONFIG, step, length, decays, block),
  };
};

export const adamw = defineKernel({
  name: 'adamw',
  source: adamwSource,
  params: {
    length: 'u32',
    learningRate: 'f32',
    epsilon: 'f32',
    weightDecay: 'f32',
    beta1: 'f32',
    beta2: 'f32',
    oneMinusBeta1: 'f32',
    oneMinusBeta2: 'f32',
    biasCorrection1: 'f32',
    biasCorrection2: 'f32',
  },
  bindings: [
    read('gradients'),
    read('state'),
    read('decays'),
    write('parameters'),
    write('firstMoment'),
    write('secondMoment'),
  ],
  overrides: { WORKGROUP: 64, BLOCK: 256 },
  constants: {},
  grid: ({ length }, { WORKGROUP }) => foldGrid(Math.ceil(length / 4 / WORKGROUP)),
  tolerance: {
    absolute: 1e-7,
    relative: 1e-6,
    reason: 'rounding of parameters near 1, half an ulp 6e-8; a root and three quotients on a step of 3e-3',
  },
  cases: () => [
    adamwCase(1, 1, [0.4, 1, 1, 0]),
    adamwCase(37, 1, [2, 0.5, 1, 0]),
    adamwCase(37, 2, [2, 0.5, 1, 0], { WORKGROUP: 4 }),
    adamwCase(262, 3, [2, 0.5, 1, 0]),
    adamwCase(37, 3, [2, 0.5, 1, 0], { BLOCK: 8 }),
    adamwCase(37, 3, [0, 0, 0, 0]), // not finite: nothing changes
    adamwCase(262_150, 2, [2, 0.5, 1, 0], { WORKGROUP: 1 }), // folded grid
  ],
});
