import { describe, expect, it } from 'vitest';
import { adamw, clipScale, squareSum } from '../../shaders/adamw/adamw.oracle.ts';

const CONFIG = { learningRate: 0.1, epsilon: 1e-8, weightDecay: 0.01, beta1: 0.9, beta2: 0.999 };

describe('optimiser oracle', () => {
  it('takes a first step of the learning rate against the sign of the gradient', () => {
    const zero = { parameters: [2, -2, 0], firstMoment: [0, 0, 0], secondMoment: [0, 0, 0] };
    const after = adamw(zero, [0.3, -40, 0], [1, 1, 1, 0], CONFIG, 1, 3);
    expect(after.parameters[0]).toBeCloseTo(2 - 0.1 * 0.01 * 2 - 0.1, 6);
    expect(after.parameters[1]).toBeCloseTo(-2 + 0.1 * 0.01 * 2 + 0.1, 6);
    expect(after.parameters[2]).toBe(0);
  });

  it('follows three steps worked out by the sums of past gradients', () => {
    const gradients = [0.5, -0.2, 0.9];
    let state: Parameters<typeof adamw>[0] = { parameters: [1], firstMoment: [0], secondMoment: [0] };
    let weight = 1;
    gradients.forEach((g, at) => {
      const step = at + 1;
      state = adamw(state, [2 * g], [1, 0.5, 1, 0], CONFIG, step, 1);
      const past = gradients.slice(0, step);
      const first = past.reduce((sum, x, t) => sum + 0.9 ** (at - t) * 0.1 * x, 0) / (1 - 0.9 ** step);
      const second =
        past.reduce((sum, x, t) => sum + 0.999 ** (at - t) * 0.001 * x * x, 0) / (1 - 0.999 ** step);
      weight = weight * (1 - 0.1 * 0.01) - (0.1 * first) / (Math.sqrt(second) + 1e-8);
      expect(state.parameters[0]).toBeCloseTo(weight, 12);
    });
  });

  it('decays only the blocks it is told to', () => {
    const before = { parameters: [1, 1, 1, 1], firstMoment: [0, 0, 0, 0], secondMoment: [0, 0, 0, 0] };
    const after = adamw(before, [0, 0, 0, 0], [0, 1, 1, 0], CONFIG, 1, 4, [0, 1], 2);
    expect(Array.from(after.parameters)).toEqual([1, 1, 0.999, 0.999]);
  });

  it('changes nothing when the gradient norm is not finite', () => {
    const before = { parameters: [1, 2], firstMoment: [3, 4], secondMoment: [5, 6] };
    const state = clipScale(squareSum([NaN, 1], 2, 4), 1);
    expect(state).toEqual([NaN, 0, 0, 0]);
    const after = adamw(before, [NaN, 1], state, CONFIG, 4, 2);
    expect(Array.from(after.parameters)).toEqual([1, 2]);
    expect(Array.from(after.firstMoment)).toEqual([3, 4]);
    expect(Array.from(after.secondMoment)).toEqual([5, 6]);
  });

  it('scales to the clip norm, and leaves a smaller norm alone', () => {
    expect(Array.from(squareSum([1, 2, 3, 4, 5], 5, 4))).toEqual([30, 25]);
    const [norm, scale] = clipScale([9, 16], 1);
    expect(norm).toBe(5);
    expect(scale).toBeCloseTo(1 / (5 + 1e-6), 15);
    expect(clipScale([9, 16], 5.1)[1]).toBe(1);
  });
});
