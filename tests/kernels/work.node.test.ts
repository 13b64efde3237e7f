import { expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { KERNELS_WITH_WORK, workOf } from '../../shaders/work.ts';
import { unionMs } from '../../src/gpu/profiler.ts';

test('every kernel of the catalogue says what it has to do', () => {
  expect([...KERNELS_WITH_WORK].toSorted()).toEqual(Object.keys(kernels).toSorted());
});

test('a matrix product is 2·m·n·k operations on its three matrices', () => {
  const params = { m: 3, n: 5, k: 7 };
  expect(workOf('matmul_nt', params, {})).toEqual({ flops: 210, bytes: 4 * (21 + 35 + 15) });
  expect(workOf('matmul_nn', params, { ACCUMULATE: 1 }).bytes).toBe(4 * (21 + 35 + 30));
});

test('attention works per head and pair that sees each other, where the program says how many', () => {
  const params = { tokens: 10, heads: 4, kvHeads: 2, scale: 1 };
  const shaping = { HEAD_SIZE: 16 };
  expect(workOf('attention_forward', params, shaping, { visiblePairs: 30 }).flops).toBe(
    4 * 30 * (4 * 16 + 5),
  );
  expect(workOf('attention_forward', params, shaping).flops).toBeNull();
});

test('an unknown kernel has unknown work', () => {
  expect(workOf('sing', {}, {})).toEqual({ flops: null, bytes: null });
});

test('overlapping intervals count once', () => {
  expect(unionMs([])).toBe(0);
  expect(unionMs([[5, 6], [0, 2], [1, 3], [1.5, 2]])).toBe(4); // prettier-ignore
});
