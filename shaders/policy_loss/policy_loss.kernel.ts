import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import type { TermConfig } from '../../src/algo/loss/loss_terms.ts';
import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import { KL_KINDS, type KlKind } from '../../src/units.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import klSource from './kl_penalty.wgsl?raw';
import { termParams, pairWeights } from './packing.ts';
import * as oracle from './policy_loss.oracle.ts';
import lossSource from './policy_loss.wgsl?raw';
import ratioSource from './segment_log_ratio.wgsl?raw';
import rowLossSource from './row_loss.wgsl?raw';
import balanceSource from './entropy_balance.wgsl?raw';
import momentsSource from './entropy_moments.wgsl?raw';

const LENGTHS = [3, 0, 1, 17, 0, 300, 2, 5]; // tokens of each segment

const ratioCase = (title: string, lengths: readonly number[], isMean: boolean, overrides: Shaping = {}) => {
  const segments = lengths.length;
  const start = Uint32Array.from({ length: segments + 1 }, (_, k) =>
    lengths.slice(0, k).reduce((sum, length) => sum + length, 0),
  );
  const scored = start[segments];
  const otherLogProb = wave(scored + 1, 0.4, 2).map((x) => x - 3);
  const logProb = otherLogProb.map((x, s) => x + 0.05 * Math.cos(3 * s));
  const first = isMean ? 0 : 3;
  const logRatio = poison(first + segments);
  return {
    title: `${title}${shapingWords(overrides)}`,
    params: { segments, first, isMean: Number(isMean) },
    overrides,
    buffers: { start, logProb, otherLogProb, logRatio },
    expected: () => ({
      logRatio: oracle.segmentLogRatio(logRatio, first, isMean, start, logProb, otherLogProb),
    }),
  };
};

export const segmentLogRatio = defineKernel({
  name: 'segment_log_ratio',
  source: ratioSource,
  params: { segments: 'u32', first: 'u32', isMean: 'u32' },
  bindings: [read('start', 'u32'), read('logProb'), read('otherLogProb'), write('logRatio')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ segments }, { WORKGROUP }) => foldGrid(Math.ceil(segments / WORKGROUP)),
  tolerance: {
    absolute: 3e-6,
    relative: 1e-6,
    reason: 'the sum of up to 300 differences of size 0.05 in f32',
  },
  cases: () => [
    ratioCase('one segment of one token', [1], true),
    ratioCase('means of many lengths, some empty', LENGTHS, true),
    ratioCase('means over several groups', LENGTHS, true, { WORKGROUP: 4 }),
    ratioCase('sums behind those of earlier segments', LENGTHS, false, { WORKGROUP: 4 }),
  ],
});

/** Each rule and its counterpart: [log-ratio, advantage]. */
const RULES: readonly (readonly [number, number])[] = [
  [0, 1.5], // on policy
  [0, -1.5],
  [0.0025, 1.5], // inside the narrow band
  [-0.002, -1.5],
  [0.02, 1.5], // A > 0 above the narrow band
  [-0.02, -1.5], // A < 0 below it
  [-0.02, 1.5], // unclipped branches
  [0.02, -1.5],
  [0.4, 1.5], // A > 0 above the wide band
  [-0.4, -1.5], // A < 0 below it
  [0.9, -1.5], // ratio 2.5: under the dual clip
  [1.3, -1.5], // ratio 3.7: over it
  [0.02, 0], // A = 0
  [11, 0],
  [10, -1.5], // exactly at the turn cap: flows
  [10.000001, -1.5], // one float32 step above
  [11, -1.5],
  [11, 1.5], // above the band and over the cap
  [20, -1.5], // exactly at the token cap
  [20.00001, -1.5],
  [25, 1.5],
  [-20.00001, 1.5], // under the token cap
  [-20.00001, -1.5],
  [-25, 1.5],
  [-80, -1.5],
  [-80, 1.5], // ratio all but 0
];

/** Settings as the kernel reads them. */
const asFloat32 = (config: TermConfig): TermConfig => ({
  ...config,
  clipLow: Math.fround(config.clipLow),
  clipHigh: Math.fround(config.clipHigh),
  gateNegative: Math.fround(config.gateNegative),
});

const lossCase = (
  title: string,
  change: Partial<TermConfig>,
  tokensPerSegment = 1,
  overrides: Shaping = {},
  shaped = false,
) => {
  const given: TermConfig = { ...(change.ratioLevel === 'token' ? TOKEN_LOSS : TURN_LOSS), ...change };
  const config = asFloat32(given);
  const scored = RULES.length * tokensPerSegment;
  const segment = Uint32Array.from({ length: scored }, (_, s) => Math.floor(s / tokensPerSegment));
  const logRatio = Float32Array.from(RULES, ([value]) => value);
  const tokens = Float32Array.from({ length: 4 * scored }, (_, at) => {
    const s = Math.floor(at / 4);
    const weight = 1 / (4 * (5 + (s % 7)));
    const scale = shaped ? 0.7 + 0.2 * (s % 3) : 1;
    const factor = shaped ? 1 + 0.01 * (s % 4) : 1;
    return [RULES[segment[s]][1], weight, scale, factor][at % 4];
  });
  return {
    title: `${title}${shapingWords(overrides)}`,
    params: { scored, ...termParams(config) },
    overrides,
    buffers: { segment, logRatio, tokens, tokenLoss: poison(scored), dlogProb: poison(scored) },
    expected: () => oracle.policyLoss(segment, logRatio, tokens, config),
  };
};

export const policyLoss = defineKernel({
  name: 'policy_loss',
  source: lossSource,
  params: {
    scored: 'u32',
    surrogate: 'u32',
    clipLow: 'f32',
    clipHigh: 'f32',
    isLowerSoft: 'u32',
    isUpperSoft: 'u32',
    lowerFactor: 'f32',
    upperFactor: 'f32',
    dualClip: 'f32',
    logRatioCap: 'f32',
    capBelow: 'u32',
    gatePositive: 'f32',
    gateNegative: 'f32',
  },
  bindings: [read('segment', 'u32'), read('logRatio'), read('tokens'), write('tokenLoss'), write('dlogProb')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ scored }, { WORKGROUP }) => foldGrid(Math.ceil(scored / WORKGROUP)),
  tolerance: {
    absolute: 3e-7,
    relative: 8e-6,
    reason: 'WGSL grants e^x an error of 3 + 2|x| ulps: 5.2e-6 relative at the token cap of 20',
  },
  cases: () => [
    lossCase('AT²PO: turn ratios, hard edges', {}),
    lossCase('AT²PO, three tokens a turn', {}, 3, { WORKGROUP: 4 }),
    lossCase('GSPO: the band of sequences', { ratioLevel: 'sequence', clipLow: 3e-4, clipHigh: 4e-4 }),
    lossCase('soft edges on turn ratios', { lowerEdge: 'soft', upperEdge: 'soft' }),
    lossCase('PPO with dual clip on token ratios', { ratioLevel: 'token' }),
    lossCase('GPPO: soft edges and dual clip', { ratioLevel: 'token', lowerEdge: 'soft', upperEdge: 'soft' }),
    lossCase('CE-GPPO: soft edges that keep part of the gradient', {
      ratioLevel: 'token',
      lowerEdge: 'soft',
      upperEdge: 'soft',
      lowerFactor: 0.75,
      upperFactor: 0.5,
    }),
    lossCase('half GPPO: soft above', { ratioLevel: 'token', upperEdge: 'soft', clipHigh: 0.28 }),
    lossCase('soft below only, no dual clip', { ratioLevel: 'token', lowerEdge: 'soft', dualClip: 0 }),
    lossCase('A²TGPO and RAPO: scaled bands and ratios', {}, 5, { WORKGROUP: 4 }, true),
    lossCase('SAPO’s gate on token ratios', { ratioLevel: 'token', surrogate: 'gate' }),
    lossCase(
      'a gate on scaled turn ratios',
      { surrogate: 'gate', gatePositive: 2, gateNegative: 3 },
      2,
      {},
      true,
    ),
    lossCase('no loss', { surrogate: 'none' }),
  ],
});

const X_OF_KL = [0, 1e-4, -0.03, 0.3, -2, 2.2, 2.7, 50, 900, -10.5, -12]; // refLogProb − logProb; k3 over 10 from 2.6 on

const klCase = (kind: KlKind, scored: number, overrides: Shaping = {}) => {
  const logProb = wave(scored, 0.2).map((x) => x - 2);
  const refLogProb = logProb.map((x, s) => x + X_OF_KL[s % X_OF_KL.length]);
  const dlogProb = wave(scored, 0.7);
  const coefficient = Math.fround(0.5 / scored);
  return {
    title: `${kind} of ${scored} tokens${shapingWords(overrides)}`,
    params: { scored, kind: KL_KINDS.indexOf(kind), coefficient },
    overrides,
    buffers: { logProb, refLogProb, dlogProb },
    expected: () => ({ dlogProb: oracle.klPenalty(logProb, refLogProb, dlogProb, kind, coefficient) }),
  };
};

export const klPenalty = defineKernel({
  name: 'kl_penalty',
  source: klSource,
  params: { scored: 'u32', kind: 'u32', coefficient: 'f32' },
  bindings: [read('logProb'), read('refLogProb'), write('dlogProb')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ scored }, { WORKGROUP }) => foldGrid(Math.ceil(scored / WORKGROUP)),
  tolerance: { absolute: 3e-7, relative: 1e-6, reason: 'e^x up to 13 times half a token’s share, in f32' },
  cases: () => [
    ...KL_KINDS.map((kind) => klCase(kind, 33)),
    klCase('k3', 1),
    klCase('k3', 150, { WORKGROUP: 4 }),
  ],
});

const ROW_LOG_RATIOS = [0, 0.3, -2, 4, 90, -700, 12, 0.5, -0.5]; // nats, Δ of each row
const ROW_TOKENS = [1, 0, 3, 40, 2, 5, 1, 7, 2]; // of each row
/** Pairs 0–3, 1–2 (the worse row comes first), 4–5 and 6–8; row 7 has none. */
const ROW_PARTNERS = [3, -3, 1, -1, 5, -5, 8, 7, -7];

const rowCase = (isPreference: boolean, beta: number, overrides: Shaping = {}) => {
  const row = Uint32Array.from(ROW_TOKENS.flatMap((count, i) => new Array<number>(count).fill(i)));
  const logRatio = Float32Array.from(ROW_LOG_RATIOS);
  const rowTarget = wave(ROW_TOKENS.length, 0.5);
  const partner = Int32Array.from(ROW_PARTNERS);
  const share = Float32Array.from(ROW_TOKENS, (count, i) => 1 / (9 + i + count));
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
  source: rowLossSource,
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
