import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { shapingWords, wave } from '../case_data.ts';
import * as oracle from './column_sum.oracle.ts';
import source from './column_sum.wgsl?raw';

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
  source,
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
