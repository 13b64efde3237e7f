import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import { shapingWords, wave } from '../case_data.ts';
import balanceSource from './entropy_balance.wgsl?raw';
import momentsSource from './entropy_moments.wgsl?raw';
import * as oracle from './policy_loss.oracle.ts';

const entropies = (length: number): Float32Array<ArrayBuffer> => wave(length, 0.6, 1.2).map((x) => x + 1.5);

const momentsCase = (before: number, values: Float32Array<ArrayBuffer>, overrides: Shaping = {}) => {
  const earlier = entropies(before).map((x) => x + 0.4);
  const entropy = Float32Array.of(...values, NaN); // past the end: must not leak
  return {
    title: `${values.length} after ${before}${shapingWords(overrides)}`,
    params: { scored: values.length },
    overrides,
    buffers: { entropy, moments: Float32Array.from(oracle.entropyMoments(earlier)) },
    expected: () => ({ moments: oracle.entropyMoments([...earlier, ...values]) }),
  };
};

export const entropyMoments = defineKernel({
  name: 'entropy_moments',
  source: momentsSource,
  params: { scored: 'u32' },
  bindings: [read('entropy'), write('moments')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ scored }) => [scored > 0 ? 1 : 0, 1, 1],
  tolerance: { absolute: 1e-7, relative: 4e-6, reason: 'a lane joins up to 125 values one by one in f32' },
  cases: () => [
    momentsCase(0, entropies(1)),
    momentsCase(0, new Float32Array(100).fill(0.1)), // no deviation: exactly 0
    momentsCase(0, entropies(500)),
    momentsCase(37, entropies(500), { WORKGROUP: 4 }),
    momentsCase(5, entropies(3), { WORKGROUP: 1 }),
    momentsCase(1, entropies(70)),
  ],
});

const balanceCase = (scored: number, statistics: readonly number[], overrides: Shaping = {}) => {
  const entropy = entropies(scored);
  const moments = Float32Array.from(statistics);
  const tokens = wave(4 * scored, 0.3, 2);
  const coefficient = Math.fround(0.2);
  return {
    title: `${scored} tokens, moments ${statistics.join(' ')}${shapingWords(overrides)}`,
    params: { scored, coefficient },
    overrides,
    buffers: { entropy, moments, tokens },
    expected: () => ({ tokens: oracle.entropyBalance(entropy, moments, tokens, coefficient) }),
  };
};

export const entropyBalance = defineKernel({
  name: 'entropy_balance',
  source: balanceSource,
  params: { scored: 'u32', coefficient: 'f32' },
  bindings: [read('entropy'), read('moments'), write('tokens')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ scored }, { WORKGROUP }) => foldGrid(Math.ceil(scored / WORKGROUP)),
  tolerance: { absolute: 1e-6, relative: 1e-6, reason: 'a root, a quotient and two products in f32' },
  cases: () => [
    balanceCase(33, [33, 1.4, 20]),
    balanceCase(150, [1000, 1.1, 700], { WORKGROUP: 4 }),
    balanceCase(1, [1, 1.2, 0]), // one token: deviation 1
  ],
});
