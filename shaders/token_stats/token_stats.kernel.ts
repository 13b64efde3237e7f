import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import backwardSource from './token_stats_backward.wgsl?raw';
import forwardSource from './token_stats_forward.wgsl?raw';
import * as oracle from './token_stats.oracle.ts';

const POISON = 12345; // what overwritten buffers hold before

interface Shape {
  readonly rows: number;
  readonly vocab: number;
  readonly inverseTemperature: number;
  readonly spread: number; // logits lie in about ±spread
  readonly offset?: number; // added to all logits
}

/** Logits with NaN in the padding columns, which must not leak; row 1 is constant, row 2 all but certain. */
function inputs({ rows, vocab, inverseTemperature, spread, offset = 0 }: Shape) {
  const stride = Math.ceil(vocab / 4) * 4;
  const logits = new Float32Array(rows * stride).fill(NaN);
  const chosen = Uint32Array.from({ length: rows }, (_, s) => (7 * s + vocab - 1) % vocab);
  for (let s = 0; s < rows; s++) {
    for (let v = 0; v < vocab; v++) {
      const wave = s === 1 ? 0.5 : Math.sin(1.3 * v * (s + 1) + 0.7 * s);
      logits[s * stride + v] = offset + spread * wave + (s === 2 && v === chosen[s] ? 5 * spread : 0);
    }
  }
  return { rows, vocab, stride, inverseTemperature, logits, chosen };
}

const describe = ({ rows, vocab, inverseTemperature, spread }: Shape, overrides: Shaping): string =>
  `${rows} rows of ${vocab}, inverse temperature ${inverseTemperature}, spread ${spread} ${JSON.stringify(overrides)}`;

export const forwardCase = (shape: Shape, overrides: Shaping = {}) => {
  const input = inputs(shape);
  const { rows, vocab, stride, inverseTemperature, logits, chosen } = input;
  const output = () => new Float32Array(rows).fill(POISON);
  return {
    title: describe(shape, overrides),
    params: { rows, vocab, stride, inverseTemperature: Math.fround(inverseTemperature) },
    overrides,
    buffers: { logits, chosen, lse: output(), logProb: output(), entropy: output() },
    expected: () =>
      oracle.tokenStatsForward({ ...input, inverseTemperature: Math.fround(inverseTemperature) }),
  };
};

const one = { rows: 1, vocab: 1, inverseTemperature: 1, spread: 1 };
const odd = { rows: 5, vocab: 37, inverseTemperature: 1.25, spread: 4 };
const sharp = { rows: 4, vocab: 130, inverseTemperature: 2, spread: 20, offset: 30 };

export const tokenStatsForward = defineKernel({
  name: 'token_stats_forward',
  source: forwardSource,
  params: { rows: 'u32', vocab: 'u32', stride: 'u32', inverseTemperature: 'f32' },
  bindings: [read('logits'), read('chosen', 'u32'), write('lse'), write('logProb'), write('entropy')],
  overrides: { LANES: 1, ROWS: 64 },
  onCards: [{ overrides: { LANES: 32, ROWS: 2 } }],
  constants: {},
  grid: ({ rows }, { ROWS }) => foldGrid(Math.ceil(rows / ROWS)),
  tolerance: {
    absolute: 2e-6,
    relative: 1e-6,
    reason: 'e^d has a few ulps of error and ln 2⁻²¹ near 1; scaled logits up to 200 carry half an ulp, 8e-6',
  },
  cases: () => [
    forwardCase(one),
    forwardCase(odd),
    forwardCase(odd, { LANES: 4, ROWS: 2 }),
    forwardCase(odd, { LANES: 64, ROWS: 1 }), // more lanes than blocks of four
    forwardCase(sharp, { ROWS: 1 }),
    forwardCase(sharp, { LANES: 8, ROWS: 4 }),
    forwardCase({ rows: 131, vocab: 6, inverseTemperature: 1, spread: 2 }), // a last group that is not full
    forwardCase({ rows: 66_000, vocab: 4, inverseTemperature: 1, spread: 2 }, { ROWS: 1 }), // folded grid
  ],
});

export const backwardCase = (shape: Shape, dentropy: number, overrides: Shaping = {}) => {
  const input = { ...inputs(shape), inverseTemperature: Math.fround(shape.inverseTemperature) };
  const { rows, vocab, stride, inverseTemperature, logits, chosen } = input;
  const forward = oracle.tokenStatsForward(input);
  const dlogProb = Float32Array.from({ length: rows }, (_, s) => (s % 4 === 3 ? 0 : Math.cos(2.1 * s)));
  const entropyGradient = Float32Array.from({ length: rows }, (_, s) => dentropy * (1 + (s % 3)));
  return {
    title: `${describe(shape, overrides)}, dentropy ${dentropy}`,
    params: { rows, vocab, stride, inverseTemperature },
    overrides,
    buffers: {
      logits,
      chosen,
      lse: Float32Array.from(forward.lse),
      entropy: Float32Array.from(forward.entropy),
      dlogProb,
      dentropy: entropyGradient,
      dlogits: new Float32Array(rows * stride).fill(POISON),
    },
    expected: () => ({ dlogits: oracle.tokenStatsBackward(input, dlogProb, entropyGradient) }),
  };
};

export const tokenStatsBackward = defineKernel({
  name: 'token_stats_backward',
  source: backwardSource,
  params: { rows: 'u32', vocab: 'u32', stride: 'u32', inverseTemperature: 'f32' },
  bindings: [
    read('logits'),
    read('chosen', 'u32'),
    read('lse'),
    read('entropy'),
    read('dlogProb'),
    read('dentropy'),
    write('dlogits'),
  ],
  overrides: { LANES: 1, ROWS: 64 },
  onCards: [{ overrides: { LANES: 32, ROWS: 2 } }],
  constants: {},
  grid: ({ rows }, { ROWS }) => foldGrid(Math.ceil(rows / ROWS)),
  tolerance: {
    absolute: 4e-6,
    relative: 4e-6,
    reason:
      'lse comes in f32 (half an ulp, 8e-6 at the 240 of the sharp case) and p = e^(z − lse) carries it',
  },
  cases: () => [
    backwardCase(one, 0),
    backwardCase(odd, 0),
    backwardCase(odd, -0.3, { LANES: 4, ROWS: 2 }),
    backwardCase(sharp, 0.1),
    backwardCase(sharp, 0.1, { LANES: 64, ROWS: 1 }),
    backwardCase({ rows: 66_000, vocab: 3, inverseTemperature: 1, spread: 2 }, -0.01, { ROWS: 1 }),
  ],
});
