import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import { pairWeights } from './packing.ts';
import * as oracle from './policy_loss.oracle.ts';
import lossSource from './row_loss.wgsl?raw';

const LOG_RATIOS = [0, 0.3, -2, 4, 90, -700, 12, 0.5, -0.5]; // nats, Δ of each row
const TOKENS = [1, 0, 3, 40, 2, 5, 1, 7, 2]; // of each row
/** Pairs 0–3, 1–2 (the worse row comes first), 4–5 and 6–8; row 7 has none. */
const PARTNERS = [3, -3, 1, -1, 5, -5, 8, 7, -7];

const rowCase = (isPreference: boolean, beta: number, overrides: Shaping = {}) => {
  const row = Uint32Array.from(TOKENS.flatMap((count, i) => new Array<number>(count).fill(i)));
  const logRatio = Float32Array.from(LOG_RATIOS);
  const rowTarget = wave(TOKENS.length, 0.5);
  const partner = Int32Array.from(PARTNERS);
  const share = Float32Array.from(TOKENS, (count, i) => 1 / (9 + i + count));
  const weight = isPreference ? pairWeights(share, partner) : share;
  const rounded = Math.fround(beta);
  const inputs = { logRatio, weight: share, target: rowTarget, partner };
  return {
    title: `${isPreference ? 'preference' : 'regression'}, beta ${beta}${shapingWords(overrides)}`,
    params: { scored: row.length, isPreference: Number(isPreference), beta: rounded },
    overrides,
    buffers: {
      ...{ row, logRatio, rowTarget, partner, weight },
      ...{ tokenLoss: poison(row.length), dlogProb: poison(row.length) },
    },
    expected: () => oracle.rowLoss(row, inputs, isPreference ? 'preference' : 'regression', rounded),
  };
};

export const rowLoss = defineKernel({
  name: 'row_loss',
  source: lossSource,
  params: { scored: 'u32', isPreference: 'u32', beta: 'f32' },
  bindings: [
    read('row', 'u32'),
    read('logRatio'),
    read('rowTarget'),
    read('partner', 'i32'),
    read('weight'),
    write('tokenLoss'),
    write('dlogProb'),
  ],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ scored }, { WORKGROUP }) => foldGrid(Math.ceil(scored / WORKGROUP)),
  tolerance: {
    absolute: 3e-7,
    relative: 6e-6,
    reason:
      'e^x in f32 at arguments up to 20 (beyond, the result is under the absolute part), and a residual squared',
  },
  cases: () => [
    rowCase(false, 1e-3),
    rowCase(false, 0.1, { WORKGROUP: 4 }),
    rowCase(true, 0.1),
    rowCase(true, 1, { WORKGROUP: 4 }),
  ],
});
