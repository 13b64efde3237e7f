import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import backwardWeightSource from './qk_norm_rotary_backward_weight.wgsl?raw';
import backwardSource from './qk_norm_rotary_backward.wgsl?raw';
import forwardSource from './qk_norm_rotary_forward.wgsl?raw';
import * as oracle from './qk_norm_rotary.oracle.ts';
import type { Inputs, Shape } from './qk_norm_rotary.oracle.ts';

const MAX_POSITION = 97;
const TOLERANCE = {
  absolute: 1e-5,
  relative: 1e-5,
  reason:
    'sums of at most 96 products of size 1 in f32; inverseSqrt is good to 2 ulp; the weight sums cancel',
};
const PARAMS = { rows: 'u32', heads: 'u32', kvHeads: 'u32', normalise: 'u32', epsilon: 'f32' } as const;

type Overrides = Record<string, number>;
type CaseShape = readonly [shape: Shape, overrides: Overrides];
const shapeOf = (rows: number, heads: number, kvHeads: number, headSize: number, normalise = 1): Shape => ({
  rows,
  heads,
  kvHeads,
  headSize,
  normalise,
  epsilon: 2 ** -20, // exact in f32
});

const SHAPES: readonly CaseShape[] = [
  [shapeOf(1, 1, 1, 4), {}],
  [shapeOf(9, 4, 2, 16), {}],
  [shapeOf(9, 4, 2, 16, 0), {}],
  [shapeOf(5, 6, 2, 8), { WORKGROUP: 3 }],
  [shapeOf(7, 3, 3, 20), { WORKGROUP: 4 }],
  [shapeOf(3, 2, 1, 64), {}],
  [shapeOf(35_000, 1, 1, 4), { WORKGROUP: 1 }], // more groups than one grid dimension holds
];

function rotaryTable(headSize: number): Float32Array<ArrayBuffer> {
  const angle = (position: number, j: number): number => position * 1e4 ** (-(2 * j) / headSize);
  return Float32Array.from({ length: MAX_POSITION * headSize }, (_, index) => {
    const [position, j] = [Math.floor(index / headSize), index % headSize];
    return j < headSize / 2 ? Math.cos(angle(position, j)) : Math.sin(angle(position, j - headSize / 2));
  });
}

function inputsOf({ rows, heads, kvHeads, headSize }: Shape) {
  return {
    qkv: wave(rows * (heads + 2 * kvHeads) * headSize, 0.3),
    queryWeight: wave(headSize, 2.1, 0.5).map((w) => 1 + w),
    keyWeight: wave(headSize, 0.2, 0.5).map((w) => 1 + w),
    positions: Uint32Array.from({ length: rows }, (_, n) => (n * 11 + MAX_POSITION - 1) % MAX_POSITION),
    rotary: rotaryTable(headSize),
  } satisfies Inputs;
}

const dqkOf = ({ rows, heads, kvHeads, headSize }: Shape) => wave(rows * (heads + kvHeads) * headSize, 0.9);

const titleOf = ({ rows, heads, kvHeads, headSize, normalise }: Shape, overrides: Overrides): string =>
  `${rows} rows, ${heads} query and ${kvHeads} key heads of ${headSize}, ${normalise ? 'norm' : 'no norm'}${shapingWords(overrides)}`;

/** What every case of the three kernels has in common. */
function caseOf([shape, overrides]: CaseShape) {
  const { rows, heads, kvHeads, headSize, normalise, epsilon } = shape;
  return {
    title: titleOf(shape, overrides),
    params: { rows, heads, kvHeads, normalise, epsilon },
    overrides,
    constants: { HEAD_SIZE: headSize },
  };
}

const grid = (
  { rows, heads, kvHeads }: { rows: number; heads: number; kvHeads: number },
  { WORKGROUP }: Overrides,
) => foldGrid(Math.ceil((rows * (heads + kvHeads)) / WORKGROUP));

export const qkNormRotaryForward = defineKernel({
  name: 'qk_norm_rotary_forward',
  source: forwardSource,
  params: PARAMS,
  bindings: [
    read('qkv'),
    read('queryWeight'),
    read('keyWeight'),
    read('positions', 'u32'),
    read('rotary'),
    write('qk'),
  ],
  overrides: { WORKGROUP: 64 },
  onCpu: { WORKGROUP: 16 },
  constants: { HEAD_SIZE: 16 },
  grid,
  tolerance: TOLERANCE,
  cases: () =>
    SHAPES.map((caseShape) => {
      const [shape] = caseShape;
      const inputs = inputsOf(shape);
      return {
        ...caseOf(caseShape),
        buffers: { ...inputs, qk: poison(dqkOf(shape).length) },
        expected: () => ({ qk: oracle.qkNormRotaryForward(shape, inputs) }),
      };
    }),
});

export const qkNormRotaryBackward = defineKernel({
  name: 'qk_norm_rotary_backward',
  source: backwardSource,
  params: PARAMS,
  bindings: [
    read('qkv'),
    read('queryWeight'),
    read('keyWeight'),
    read('positions', 'u32'),
    read('rotary'),
    read('dqk'),
    write('dqkv'),
  ],
  overrides: { WORKGROUP: 64 },
  constants: { HEAD_SIZE: 16 },
  grid,
  tolerance: TOLERANCE,
  cases: () =>
    SHAPES.map((caseShape) => {
      const [shape] = caseShape;
      const inputs = inputsOf(shape);
      const dqk = dqkOf(shape);
      const before = poison(inputs.qkv.length);
      return {
        ...caseOf(caseShape),
        buffers: { ...inputs, dqk, dqkv: before },
        expected: () => ({
          dqkv: keepValueColumns(shape, oracle.qkNormRotaryBackward(shape, inputs, dqk).dqkv, before),
        }),
      };
    }),
});

/** The value columns belong to the attention's backward pass: they must come out as they went in. */
function keepValueColumns(
  { heads, kvHeads, headSize }: Shape,
  dqkv: Float64Array,
  before: Float32Array,
): Float64Array {
  const width = (heads + 2 * kvHeads) * headSize;
  return dqkv.map((gradient, index) =>
    index % width < (heads + kvHeads) * headSize ? gradient : before[index],
  );
}

const CHUNKED: readonly (readonly [...CaseShape, chunkRows: number])[] = [
  [shapeOf(1, 1, 1, 4), {}, 32],
  [shapeOf(33, 4, 2, 16), {}, 8],
  [shapeOf(9, 4, 2, 16, 0), {}, 4],
  [shapeOf(7, 6, 2, 8), { WORKGROUP: 3 }, 3],
  [shapeOf(5, 3, 3, 20), { WORKGROUP: 4 }, 5],
  [shapeOf(17, 2, 1, 64), {}, 16],
  [shapeOf(35_000, 1, 1, 4), { WORKGROUP: 1 }, 1],
];

/** The oracle's weight gradient over the rows of each chunk. */
function chunkGradients(shape: Shape, inputs: Inputs, dqk: Float32Array, chunkRows: number): number[] {
  const { rows, heads, kvHeads, headSize } = shape;
  const qkvWidth = (heads + 2 * kvHeads) * headSize;
  const qkWidth = (heads + kvHeads) * headSize;
  const part = (all: ArrayLike<number>, k: number, width: number): number[] =>
    Array.prototype.slice.call(all, k * chunkRows * width, (k + 1) * chunkRows * width) as number[];
  return Array.from({ length: Math.ceil(rows / chunkRows) }, (_, k) => {
    const positions = part(inputs.positions, k, 1);
    const chunk = { ...inputs, qkv: part(inputs.qkv, k, qkvWidth), positions };
    const chunkShape = { ...shape, rows: positions.length };
    return [...oracle.qkNormRotaryBackward(chunkShape, chunk, part(dqk, k, qkWidth)).dweight];
  }).flat();
}

export const qkNormRotaryBackwardWeight = defineKernel({
  name: 'qk_norm_rotary_backward_weight',
  source: backwardWeightSource,
  params: { ...PARAMS, chunkRows: 'u32' },
  bindings: [read('qkv'), read('positions', 'u32'), read('rotary'), read('dqk'), write('partial')],
  overrides: { WORKGROUP: 64 },
  constants: { HEAD_SIZE: 16 },
  grid: ({ rows, chunkRows }, { WORKGROUP, HEAD_SIZE }) =>
    foldGrid(Math.ceil((Math.ceil(rows / chunkRows) * (HEAD_SIZE / 2)) / WORKGROUP)),
  tolerance: TOLERANCE,
  cases: () =>
    CHUNKED.map(([shape, overrides, chunkRows]) => {
      const { params, ...rest } = caseOf([shape, overrides]);
      const inputs = inputsOf(shape);
      const { qkv, positions, rotary } = inputs;
      const dqk = dqkOf(shape);
      return {
        ...rest,
        title: `${rest.title}, chunks of ${chunkRows}`,
        params: { ...params, chunkRows },
        buffers: {
          qkv,
          positions,
          rotary,
          dqk,
          partial: poison(Math.ceil(shape.rows / chunkRows) * 2 * shape.headSize),
        },
        expected: () => ({ partial: chunkGradients(shape, inputs, dqk, chunkRows) }),
      };
    }),
});
