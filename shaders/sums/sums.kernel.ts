import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import * as oracle from './sums.oracle.ts';
import dotSource from './dot_product.wgsl?raw';
import columnSource from './column_sum.wgsl?raw';

const dotCase = (length: number, overrides: Shaping = {}) => {
  const padded = 4 * Math.ceil(length / 4);
  const block = overrides.BLOCK ?? 256;
  const vector = (phase: number) => {
    const values = new Float32Array(padded).fill(NaN); // past the length: must not leak
    values.set(wave(length, phase));
    return values;
  };
  const left = vector(0.3);
  const right = vector(1.1);
  return {
    title: `${length} elements${shapingWords(overrides)}`,
    params: { length },
    overrides,
    buffers: { left, right, partial: poison(Math.ceil(length / block)) },
    expected: () => ({ partial: oracle.dotProduct(left, right, length, block) }),
  };
};

export const dotProduct = defineKernel({
  name: 'dot_product',
  source: dotSource,
  params: { length: 'u32' },
  bindings: [read('left'), read('right'), write('partial')],
  overrides: { WORKGROUP: 64, BLOCK: 256 },
  constants: {},
  grid: ({ length }, { WORKGROUP, BLOCK }) => foldGrid(Math.ceil(Math.ceil(length / BLOCK) / WORKGROUP)),
  tolerance: {
    absolute: 1e-5,
    relative: 1e-6,
    reason: 'four chains of up to 64 terms of both signs and size 1 in f32',
  },
  cases: () => [
    dotCase(1),
    dotCase(1037),
    dotCase(1037, { WORKGROUP: 4, BLOCK: 8 }),
    dotCase(512, { WORKGROUP: 1 }),
  ],
});

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
  readonly offset: number;
}

function sumCase(shape: Shape, overrides: Record<string, number> = {}) {
  const { rows, columns, stride, offset } = shape;
  const partial = wave(rows * stride, 0.3);
  const total = wave(columns, 1.1);
  return {
    title: `${columns} columns from ${offset} of ${rows} × ${stride}, added to a total${shapingWords(overrides)}`,
    params: { ...shape },
    overrides,
    buffers: { partial, total },
    expected: () => ({ total: oracle.columnSum(rows, columns, stride, offset, partial, total) }),
  };
}

export const columnSum = defineKernel({
  name: 'column_sum',
  source: columnSource,
  params: { rows: 'u32', columns: 'u32', stride: 'u32', offset: 'u32' },
  bindings: [read('partial'), write('total')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ columns }, { WORKGROUP }) => foldGrid(Math.ceil(columns / WORKGROUP)),
  tolerance: { absolute: 4e-6, relative: 1e-6, reason: 'sums of at most 64 terms of size 1 in f32' },
  cases: () => [
    sumCase({ rows: 1, columns: 1, stride: 4, offset: 0 }),
    sumCase({ rows: 5, columns: 16, stride: 32, offset: 16 }, { WORKGROUP: 3 }),
    sumCase({ rows: 64, columns: 67, stride: 72, offset: 3 }),
    sumCase({ rows: 2, columns: 70_000, stride: 70_000, offset: 0 }, { WORKGROUP: 1 }),
  ],
});
