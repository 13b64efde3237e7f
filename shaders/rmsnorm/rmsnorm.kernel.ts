import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import backwardLanesSource from './rmsnorm_backward_lanes.wgsl?raw';
import backwardWeightSource from './rmsnorm_backward_weight.wgsl?raw';
import backwardSource from './rmsnorm_backward.wgsl?raw';
import forwardLanesSource from './rmsnorm_forward_lanes.wgsl?raw';
import forwardSource from './rmsnorm_forward.wgsl?raw';
import * as oracle from './rmsnorm.oracle.ts';

const EPSILON = 2 ** -20; // exact in f32
const TOLERANCE = {
  absolute: 4e-6,
  relative: 4e-6,
  reason: 'sums of at most 68 products of size 1 in f32; inverseSqrt is good to 2 ulp',
};

type Overrides = Record<string, number>;
const weightOf = (channels: number) => wave(channels, 2.1, 0.5).map((w) => 1 + w);

export function forwardCase(rows: number, channels: number, overrides: Overrides = {}, size = 1) {
  const x = wave(rows * channels, 0.3, size);
  const weight = weightOf(channels);
  return {
    title: `${rows} rows of ${channels} channels of size ${size}${shapingWords(overrides)}`,
    params: { rows, channels, epsilon: EPSILON },
    overrides,
    buffers: { x, weight, y: poison(rows * channels), inverseRms: poison(rows) },
    expected: () => oracle.rmsnormForward(rows, channels, EPSILON, x, weight),
  };
}

const plainForward = defineKernel({
  name: 'rmsnorm_forward',
  source: forwardSource,
  params: { rows: 'u32', channels: 'u32', epsilon: 'f32' },
  bindings: [read('x'), read('weight'), write('y'), write('inverseRms')],
  overrides: { WORKGROUP: 64 },
  onCpu: { WORKGROUP: 4 },
  constants: {},
  grid: ({ rows }, { WORKGROUP }) => foldGrid(Math.ceil(rows / WORKGROUP)),
  tolerance: TOLERANCE,
  cases: () => [
    forwardCase(1, 4),
    forwardCase(7, 20, { WORKGROUP: 4 }),
    forwardCase(65, 68),
    forwardCase(3, 8, {}, 0), // a row of zeros: ε alone
    forwardCase(70_000, 4, { WORKGROUP: 1 }), // more groups than one grid dimension holds
  ],
});

/** Many lanes a row; a row of 516 channels is more than workgroup memory holds at a time. */
const LANES = {
  overrides: { LANES: 32, ROWS: 2 },
  onCpu: undefined,
  grid: ({ rows }: { readonly rows: number }, { ROWS }: Overrides) => foldGrid(Math.ceil(rows / ROWS)),
};

export const rmsnormForwardLanes = defineKernel({
  ...plainForward,
  name: 'rmsnorm_forward_lanes',
  source: forwardLanesSource,
  ...LANES,
  cases: () => [
    forwardCase(1, 4),
    forwardCase(7, 20, { LANES: 4, ROWS: 3 }),
    forwardCase(5, 516),
    forwardCase(3, 8, {}, 0),
  ],
});

export const rmsnormForward = { ...plainForward, onCards: [{ kernel: rmsnormForwardLanes }] };

/** Inputs of both backward kernels; inverseRms as the forward kernel stores it, in f32. */
function backwardInputs(rows: number, channels: number) {
  const x = wave(rows * channels, 0.3);
  const weight = weightOf(channels);
  const inverseRms = Float32Array.from(oracle.rmsnormForward(rows, channels, EPSILON, x, weight).inverseRms);
  return { x, weight, inverseRms, dy: wave(rows * channels, 0.9) };
}

export function backwardCase(rows: number, channels: number, overrides: Overrides = {}) {
  const { x, weight, inverseRms, dy } = backwardInputs(rows, channels);
  const residual = wave(rows * channels, 1.7);
  return {
    title: `${rows} rows of ${channels} channels, added to a residual gradient${shapingWords(overrides)}`,
    params: { rows, channels },
    overrides,
    buffers: { x, weight, inverseRms, dy, dx: residual },
    expected: () => {
      const { dx } = oracle.rmsnormBackward(rows, channels, x, weight, inverseRms, dy);
      return { dx: dx.map((gradient, index) => residual[index] + gradient) };
    },
  };
}

const plainBackward = defineKernel({
  name: 'rmsnorm_backward',
  source: backwardSource,
  params: { rows: 'u32', channels: 'u32' },
  bindings: [read('x'), read('weight'), read('inverseRms'), read('dy'), write('dx')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ rows }, { WORKGROUP }) => foldGrid(Math.ceil(rows / WORKGROUP)),
  tolerance: TOLERANCE,
  cases: () => [
    backwardCase(1, 4),
    backwardCase(7, 20, { WORKGROUP: 4 }),
    backwardCase(65, 68),
    backwardCase(70_000, 4, { WORKGROUP: 1 }),
  ],
});

export const rmsnormBackwardLanes = defineKernel({
  ...plainBackward,
  name: 'rmsnorm_backward_lanes',
  source: backwardLanesSource,
  ...LANES,
  cases: () => [backwardCase(1, 4), backwardCase(7, 20, { LANES: 4, ROWS: 3 }), backwardCase(5, 516)],
});

export const rmsnormBackward = { ...plainBackward, onCards: [{ kernel: rmsnormBackwardLanes }] };

function backwardWeightCase(rows: number, channels: number, chunkRows: number, overrides: Overrides = {}) {
  const { x, weight, inverseRms, dy } = backwardInputs(rows, channels);
  const chunks = Math.ceil(rows / chunkRows);
  /** The oracle over the rows of one chunk. */
  const chunkGradient = (k: number): Float64Array => {
    const [first, end] = [k * chunkRows, Math.min((k + 1) * chunkRows, rows)];
    const part = (matrix: Float32Array): Float32Array => matrix.slice(first * channels, end * channels);
    return oracle.rmsnormBackward(
      end - first,
      channels,
      part(x),
      weight,
      inverseRms.slice(first, end),
      part(dy),
    ).dweight;
  };
  return {
    title: `${rows} rows of ${channels} channels in chunks of ${chunkRows}${shapingWords(overrides)}`,
    params: { rows, channels, chunkRows },
    overrides,
    buffers: { x, inverseRms, dy, partial: poison(chunks * channels) },
    expected: () => ({ partial: Array.from({ length: chunks }, (_, k) => [...chunkGradient(k)]).flat() }),
  };
}

export const rmsnormBackwardWeight = defineKernel({
  name: 'rmsnorm_backward_weight',
  source: backwardWeightSource,
  params: { rows: 'u32', channels: 'u32', chunkRows: 'u32' },
  bindings: [read('x'), read('inverseRms'), read('dy'), write('partial')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ rows, channels, chunkRows }, { WORKGROUP }) =>
    foldGrid(Math.ceil((Math.ceil(rows / chunkRows) * (channels / 4)) / WORKGROUP)),
  tolerance: TOLERANCE,
  cases: () => [
    backwardWeightCase(1, 4, 32),
    backwardWeightCase(7, 20, 3, { WORKGROUP: 4 }),
    backwardWeightCase(65, 68, 32),
    backwardWeightCase(70_000, 4, 1, { WORKGROUP: 1 }),
  ],
});
