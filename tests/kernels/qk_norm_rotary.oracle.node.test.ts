import { describe, expect, test } from 'vitest';
import { wave } from '../../shaders/case_data.ts';
import {
  qkNormRotaryBackward,
  qkNormRotaryForward,
} from '../../shaders/qk_norm_rotary/qk_norm_rotary.oracle.ts';
import { gradientError, inner } from '../support/central_difference.ts';

const HS = 8;
const shape = { rows: 3, heads: 4, kvHeads: 2, headSize: HS, normalise: 1, epsilon: 1e-3 };
const angles = (position: number) =>
  Array.from({ length: HS / 2 }, (_, j) => position * 100 ** ((-2 * j) / HS));
const rotary = Float64Array.from(
  [0, 1, 2, 3].flatMap((position) => [...angles(position).map(Math.cos), ...angles(position).map(Math.sin)]),
);
const inputs = {
  qkv: Float64Array.from(wave(3 * 8 * HS, 0.3)),
  queryWeight: Float64Array.from(wave(HS, 2.1)),
  keyWeight: Float64Array.from(wave(HS, 0.2)),
  positions: [2, 0, 3],
  rotary,
};
const dqk = Float64Array.from(wave(3 * 6 * HS, 0.9));

test('one pair at position p turns by p radians', () => {
  const single = { rows: 1, heads: 1, kvHeads: 1, headSize: 2, normalise: 0, epsilon: 0 };
  const table = [1, 0, Math.cos(1), Math.sin(1)];
  const qk = qkNormRotaryForward(single, {
    ...inputs,
    qkv: [1, 0, 0, 2, 9, 9],
    positions: [1],
    rotary: table,
  });
  const expected = [Math.cos(1), Math.sin(1), -2 * Math.sin(1), 2 * Math.cos(1)];
  expected.forEach((value, index) => expect(qk[index]).toBeCloseTo(value, 12));
});

describe.each([0, 1])('with normalise = %i', (normalise) => {
  const variant = { ...shape, normalise };
  const loss = (): number => inner(dqk, qkNormRotaryForward(variant, inputs));
  const { dqkv, dweight } = qkNormRotaryBackward(variant, inputs, dqk);

  test('the gradient of qkv agrees with central differences', () => {
    expect(gradientError(loss, inputs.qkv, dqkv)).toBeLessThan(1e-6);
  });

  test('the gradients of both weights agree with central differences', () => {
    const weights = [
      [inputs.queryWeight, dweight.subarray(0, HS)],
      [inputs.keyWeight, dweight.subarray(HS)],
    ] as const;
    if (normalise) {
      for (const [weight, gradient] of weights)
        expect(gradientError(loss, weight, gradient)).toBeLessThan(1e-6);
    } else {
      expect([...dweight]).toEqual(Array<number>(2 * HS).fill(0));
    }
  });
});
