import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import type { TermConfig } from '../../src/algo/loss/loss_terms.ts';
import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import { KL_KINDS, type KlKind } from '../../src/units.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import klSource from './kl_penalty.wgsl?raw';
import { termParams } from './packing.ts';
import * as oracle from './policy_loss.oracle.ts';
import lossSource from './policy_loss.wgsl?raw';
import ratioSource from './segment_log_ratio.wgsl?raw';

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
