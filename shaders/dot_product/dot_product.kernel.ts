import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import * as oracle from './dot_product.oracle.ts';
import source from './dot_product.wgsl?raw';

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
  source,
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
