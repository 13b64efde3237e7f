import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import copySource from './probe_copy.wgsl?raw';
import fmaSource from './probe_fma.wgsl?raw';
import * as oracle from './probe.oracle.ts';

/** length, rounds, scale, shift, overrides. Scales near 1 keep the start visible; 0.5 forgets it. */
const FMA_SHAPES: readonly (readonly [number, number, number, number, Record<string, number>])[] = [
  [1, 1, 0.5, 0.25, {}],
  [70, 0, 0.5, 0.25, {}],
  [130, 3, 0.96875, -0.25, {}],
  [70_000, 1, -0.75, 1, { WORKGROUP: 1 }], // more groups than one grid dimension holds
];

export const probeFma = defineKernel({
  name: 'probe_fma',
  source: fmaSource,
  params: { length: 'u32', rounds: 'u32', scale: 'f32', shift: 'f32' },
  bindings: [write('y')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ length }, { WORKGROUP }) => foldGrid(Math.ceil(length / WORKGROUP)),
  tolerance: { absolute: 1e-6, relative: 4e-6, reason: 'at most 24 roundings per chain of values up to 70' },
  cases: () =>
    FMA_SHAPES.map(([length, rounds, scale, shift, overrides]) => ({
      title: `${length} elements, ${rounds} rounds, scale ${scale}${shapingWords(overrides)}`,
      params: { length, rounds, scale, shift },
      overrides,
      buffers: { y: poison(length) },
      expected: () => ({ y: oracle.probeFma(length, rounds, scale, shift) }),
    })),
});

const COPY_SHAPES: readonly (readonly [number, Record<string, number>])[] = [
  [4, {}],
  [260, { WORKGROUP: 3 }],
  [280_000, { WORKGROUP: 1 }],
];

export const probeCopy = defineKernel({
  name: 'probe_copy',
  source: copySource,
  params: { length: 'u32' },
  bindings: [read('x'), write('y')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ length }, { WORKGROUP }) => foldGrid(Math.ceil(length / 4 / WORKGROUP)),
  tolerance: { absolute: 0, relative: 0, reason: 'a copy is exact' },
  cases: () =>
    COPY_SHAPES.map(([length, overrides]) => {
      const x = wave(length, 0.4);
      return {
        title: `${length} elements${shapingWords(overrides)}`,
        params: { length },
        overrides,
        buffers: { x, y: poison(length) },
        expected: () => ({ y: oracle.probeCopy(x) }),
      };
    }),
});
