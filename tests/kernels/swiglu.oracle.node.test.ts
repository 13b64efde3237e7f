import { expect, test } from 'vitest';
import { wave } from '../../shaders/case_data.ts';
import { swigluBackward, swigluForward } from '../../shaders/swiglu/swiglu.oracle.ts';
import { gradientError, inner } from '../support/central_difference.ts';

const [N, F] = [3, 5];
const gateUp = Float64Array.from(wave(N * 2 * F, 0.3, 3));
const dh = Float64Array.from(wave(N * F, 0.9));

test('a gate of 0 closes, a gate of ln 3 lets three quarters of itself through', () => {
  const [closed, open] = swigluForward(1, 2, [0, Math.log(3), 7, 2]);
  expect(closed).toBe(0);
  expect(open).toBeCloseTo(1.5 * Math.log(3), 12);
});

test('the gradients of gates and ups agree with central differences', () => {
  const loss = (): number => inner(dh, swigluForward(N, F, gateUp));
  expect(gradientError(loss, gateUp, swigluBackward(N, F, gateUp, dh))).toBeLessThan(1e-6);
});
