import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import backwardSource from './swiglu_backward.wgsl?raw';
import forwardSource from './swiglu_forward.wgsl?raw';
import * as oracle from './swiglu.oracle.ts';

const TOLERANCE = {
  absolute: 1e-6,
  relative: 5e-6,
  reason:
    'a few products in f32; WGSL allows exp(−|z|) an error of (3 + 2|z|) ulp, z within 10 where it matters',
};
/** rows, hidden, size of the gates, overrides; gates of size 200 would overflow a naive exp(−gate). */
type Shape = readonly [number, number, number, Record<string, number>];
const SHAPES: readonly Shape[] = [
  [1, 4, 3, {}],
  [7, 20, 3, { WORKGROUP: 3 }],
  [5, 12, 200, {}],
  [33, 68, 3, {}],
  [70_000, 4, 3, { WORKGROUP: 1 }],
];

const grid = (
  { rows, hidden }: { rows: number; hidden: number },
  { WORKGROUP }: Readonly<Record<string, number>>,
) => foldGrid(Math.ceil((rows * (hidden / 4)) / WORKGROUP));

const titleOf = (rows: number, hidden: number, size: number, overrides: Record<string, number>): string =>
  `${rows} rows of ${hidden} hidden, gates within ±${size}${shapingWords(overrides)}`;

export const forwardCase = ([rows, hidden, size, overrides]: Shape) => {
  const gateUp = wave(rows * 2 * hidden, 0.3, size);
  return {
    title: titleOf(rows, hidden, size, overrides),
    params: { rows, hidden },
    overrides,
    buffers: { gateUp, h: poison(rows * hidden) },
    expected: () => ({ h: oracle.swigluForward(rows, hidden, gateUp) }),
  };
};

export const swigluForward = defineKernel({
  name: 'swiglu_forward',
  source: forwardSource,
  params: { rows: 'u32', hidden: 'u32' },
  bindings: [read('gateUp'), write('h')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid,
  tolerance: TOLERANCE,
  cases: () => SHAPES.map(forwardCase),
});

export const backwardCase = ([rows, hidden, size, overrides]: Shape) => {
  const gateUp = wave(rows * 2 * hidden, 0.3, size);
  const dh = wave(rows * hidden, 0.9);
  return {
    title: titleOf(rows, hidden, size, overrides),
    params: { rows, hidden },
    overrides,
    buffers: { gateUp, dh, dgateUp: poison(rows * 2 * hidden) },
    expected: () => ({ dgateUp: oracle.swigluBackward(rows, hidden, gateUp, dh) }),
  };
};

export const swigluBackward = defineKernel({
  name: 'swiglu_backward',
  source: backwardSource,
  params: { rows: 'u32', hidden: 'u32' },
  bindings: [read('gateUp'), read('dh'), write('dgateUp')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid,
  tolerance: TOLERANCE,
  cases: () => SHAPES.map(backwardCase),
});
