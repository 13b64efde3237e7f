import { defineKernel, read, write, type Kernel, type Shaping } from '../../src/gpu/kernel.ts';
import { readsBfloat16 } from '../bfloat16.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import source from './matmul_swiglu.wgsl?raw';
import rowsSource from './matmul_swiglu_rows.wgsl?raw';
import quadsSource from './matmul_swiglu_quads.wgsl?raw';
import * as oracle from './swiglu.oracle.ts';

const params = { rows: 'u32', hidden: 'u32', inputs: 'u32' } as const;
type Params = typeof params;

const WIDTH = 4; // columns of h per lane
const HEIGHT = 8; // rows of h per lane

/** rows, hidden, inputs, size of x; a size of 40 makes gates of some hundred, which would overflow a naive exp(−gate). */
const SHAPES: readonly (readonly [number, number, number, number])[] = [
  [1, 4, 4, 1],
  [7, 20, 12, 1],
  [8, 8, 4, 1],
  [17, 36, 68, 1],
  [16, 64, 32, 40],
  [40, 52, 64, 1],
];

interface Variant {
  readonly name: string;
  readonly source: string;
  readonly group: readonly [string, string]; // the overrides that shape a group
  readonly defaults: readonly [number, number];
  readonly odd: readonly [number, number]; // a group that no shape fills
  readonly lanes: number; // of a unit of the group, along each side
}

const TOLERANCE = {
  absolute: 2e-4,
  relative: 2e-5,
  reason:
    'f32 sums of up to 68 terms of size up to 20, multiplied; WGSL allows exp(−|z|) an error of (3 + 2|z|) ulp',
};

const caseOf = ([rows, hidden, inputs, size]: (typeof SHAPES)[number], overrides: Shaping = {}) => {
  const x = wave(rows * inputs, 0.3, size);
  const weight = wave(2 * hidden * inputs, 0.7, 0.5);
  return {
    title: `${rows} rows, ${inputs} to ${hidden}, x of size ${size}${shapingWords(overrides)}`,
    params: { rows, hidden, inputs },
    overrides,
    buffers: { x, weight, h: poison(rows * hidden) },
    expected: () => ({ h: oracle.matmulSwiglu({ rows, hidden, inputs }, x, weight) }),
  };
};

const kernelOf = (
  { name, source: text, group, defaults, odd, lanes }: Variant,
  more: Pick<Kernel<Params>, 'feature' | 'faster' | 'onCpu' | 'onCards'>,
): Kernel<Params> => {
  const shaped = ([x, y]: readonly [number, number]): Shaping => ({ [group[0]]: x, [group[1]]: y });
  return defineKernel({
    name,
    source: text,
    params,
    bindings: [read('x'), read('weight'), write('h')],
    overrides: shaped(defaults),
    constants: {},
    grid: ({ rows, hidden }, shaping) => [
      Math.ceil(hidden / (WIDTH * lanes * shaping[group[0]])),
      Math.ceil(rows / (HEIGHT * lanes * shaping[group[1]])),
      1,
    ],
    ...more,
    tolerance: TOLERANCE,
    cases: () => [...SHAPES.map((shape) => caseOf(shape)), caseOf([17, 36, 68, 1], shaped(odd))],
  });
};

export const matmulSwigluQuads = kernelOf(
  {
    name: 'matmul_swiglu_quads',
    source: quadsSource,
    group: ['QUADS_X', 'QUADS_Y'],
    defaults: [4, 1],
    odd: [1, 3],
    lanes: 2,
  },
  { feature: 'subgroups', onCpu: { QUADS_X: 2, QUADS_Y: 1 } },
);

export const matmulSwigluRows = defineKernel<Params>({
  name: 'matmul_swiglu_rows',
  source: rowsSource,
  params,
  bindings: [read('x'), read('weight'), write('h')],
  overrides: {},
  constants: {},
  grid: ({ rows, hidden }) => [Math.ceil(hidden / 8), Math.ceil(rows / 8), 1],
  tolerance: TOLERANCE,
  cases: () => [...SHAPES, [9, 12, 132, 1] as const].map((shape) => caseOf(shape)),
});

export const matmulSwiglu = kernelOf(
  {
    name: 'matmul_swiglu',
    source,
    group: ['GROUP_X', 'GROUP_Y'],
    defaults: [8, 2],
    odd: [3, 1],
    lanes: 1,
  },
  { faster: matmulSwigluQuads, onCards: [{ kernel: matmulSwigluRows }] },
);

export const matmulSwigluQuadsBf16 = readsBfloat16(matmulSwigluQuads, 'weight');
export const matmulSwigluBf16 = readsBfloat16(matmulSwiglu, 'weight', matmulSwigluQuadsBf16);
