import { expect, test } from 'vitest';
import { rmsnormBackward, rmsnormForward } from '../../shaders/rmsnorm/rmsnorm.oracle.ts';
import { wave } from '../../shaders/case_data.ts';
import { gradientError, inner } from '../support/central_difference.ts';

const [N, C, EPSILON] = [5, 12, 1e-3];
const x = Float64Array.from(wave(N * C, 0.3));
const weight = Float64Array.from(wave(C, 2.1));
const dy = Float64Array.from(wave(N * C, 0.9));
const loss = (): number => inner(dy, rmsnormForward(N, C, EPSILON, x, weight).y);
const gradients = () =>
  rmsnormBackward(N, C, x, weight, rmsnormForward(N, C, EPSILON, x, weight).inverseRms, dy);

test('a normalised row has a mean square of 1 where weights are 1 and ε is 0', () => {
  const { y } = rmsnormForward(N, C, 0, x, new Float64Array(C).fill(1));
  for (let n = 0; n < N; n++) {
    const row = y.subarray(n * C, (n + 1) * C);
    expect(inner(row, row) / C).toBeCloseTo(1, 12);
  }
});

test('the gradient of x agrees with central differences', () => {
  expect(gradientError(loss, x, gradients().dx)).toBeLessThan(1e-6);
});

test('the gradient of the weight agrees with central differences', () => {
  expect(gradientError(loss, weight, gradients().dweight)).toBeLessThan(1e-6);
});
