import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import backwardSource from './gather_values_backward.wgsl?raw';
import forwardSource from './gather_values_forward.wgsl?raw';
import * as oracle from './gather_values.oracle.ts';

const POISON = 12345; // what overwritten buffers hold before

const wave = (length: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, index) => Math.sin(1.7 * index + phase));

const forwardCase = (ids: readonly number[], WORKGROUP: number) => {
  const values = wave(7, 0.3);
  return {
    title: `${ids.length} readers, WORKGROUP ${WORKGROUP}`,
    params: { count: ids.length },
    overrides: { WORKGROUP },
    buffers: { values, ids: Uint32Array.from(ids), y: new Float32Array(ids.length).fill(POISON) },
    expected: () => ({ y: oracle.gatherValuesForward(values, ids) }),
  };
};

/** More groups of one than one dimension holds: they fold over y. */
const many = (): number[] => Array.from({ length: 70_000 }, (_, n) => (n * 5) % 7);

export const gatherValuesForward = defineKernel({
  name: 'gather_values_forward',
  source: forwardSource,
  params: { count: 'u32' },
  bindings: [read('values'), read('ids', 'u32'), write('y')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ count }, { WORKGROUP }) => foldGrid(Math.ceil(count / WORKGROUP)),
  tolerance: { absolute: 0, relative: 0, reason: 'values are copied' },
  cases: () => [forwardCase([6], 64), forwardCase([3, 0, 4, 4, 6, 1, 0], 4), forwardCase(many(), 1)],
});

const backwardCase = (readers: readonly (readonly number[])[], WORKGROUP: number) => {
  const count = readers.length;
  const sources = Uint32Array.from(readers.flat());
  const ends = readers.map((_, u) => readers.slice(0, u + 1).flat().length);
  const offsets = Uint32Array.from([0, ...ends]);
  const dy = wave(9, 0.9);
  return {
    title: `${count} values, WORKGROUP ${WORKGROUP}`,
    params: { count },
    overrides: { WORKGROUP },
    buffers: { dy, offsets, sources, dvalues: new Float32Array(count).fill(POISON) },
    expected: () => ({ dvalues: oracle.gatherValuesBackward(count, dy, offsets, sources) }),
  };
};

const uneven = [[5, 0, 3], [], [1, 6, 8, 2], [4], [], [7]];

export const gatherValuesBackward = defineKernel({
  name: 'gather_values_backward',
  source: backwardSource,
  params: { count: 'u32' },
  bindings: [read('dy'), read('offsets', 'u32'), read('sources', 'u32'), write('dvalues')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ count }, { WORKGROUP }) => foldGrid(Math.ceil(count / WORKGROUP)),
  tolerance: { absolute: 1e-6, relative: 1e-6, reason: 'sums of a few terms of size 1 in f32' },
  cases: () => [backwardCase([[0]], 64), backwardCase(uneven, 64), backwardCase(uneven, 4)],
});
