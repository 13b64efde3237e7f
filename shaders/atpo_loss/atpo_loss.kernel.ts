import { foldGrid } from '../../src/gpu/grid.ts';
import { defineKernel, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import * as oracle from './atpo_loss.oracle.ts';
import lossSource from './atpo_loss.wgsl?raw';
import ratioSource from './turn_ratio.wgsl?raw';

const POISON = 12345; // what overwritten buffers hold before

const wave = (length: number, scale: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, index) => scale * Math.sin(1.7 * index + phase));

const ratioCase = (title: string, turnLengths: readonly number[], overrides: Shaping = {}) => {
  const turns = turnLengths.length;
  const starts = turnLengths.reduce(
    (offsets, length) => [...offsets, offsets[offsets.length - 1] + length],
    [0],
  );
  const scored = starts[turns];
  const turnStart = Uint32Array.from(starts);
  const oldLogProb = wave(scored + 1, 2, 0.4).map((x) => x - 3);
  const logProb = oldLogProb.map((x, s) => x + 0.05 * Math.cos(3 * s));
  return {
    title: `${title} ${JSON.stringify(overrides)}`,
    params: { turns },
    overrides,
    buffers: { turnStart, logProb, oldLogProb, turnLogRatio: new Float32Array(turns).fill(POISON) },
    expected: () => ({ turnLogRatio: oracle.turnRatio(turnStart, logProb, oldLogProb) }),
  };
};

export const turnRatio = defineKernel({
  name: 'turn_ratio',
  source: ratioSource,
  params: { turns: 'u32' },
  bindings: [read('turnStart', 'u32'), read('logProb'), read('oldLogProb'), write('turnLogRatio')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ turns }, { WORKGROUP }) => foldGrid(Math.ceil(turns / WORKGROUP)),
  tolerance: {
    absolute: 3e-7,
    relative: 1e-6,
    reason: 'the sum of up to 300 differences of size 0.05 in f32',
  },
  cases: () => [
    ratioCase('one turn of one token', [1]),
    ratioCase('turns of many lengths, some empty', [3, 0, 1, 17, 0, 300, 2, 5]),
    ratioCase('turns of many lengths over several groups', [3, 0, 1, 17, 0, 300, 2, 5], { WORKGROUP: 4 }),
  ],
});

/** Each zero-gradient rule and its counterpart: [mean log-ratio of the turn, advantage]. */
const RULES: readonly (readonly [number, number])[] = [
  [0, 1.5], // on policy
  [0, -1.5],
  [0.0025, 1.5], // inside the band
  [-0.002, -1.5],
  [0.02, 1.5], // rule 2: A > 0 above
  [-0.02, -1.5], // rule 3: A < 0 below
  [-0.02, 1.5], // unclipped branches
  [0.02, -1.5],
  [0.02, 0], // A = 0
  [11, 0],
  [10, -1.5], // exactly at the cap: flows
  [10.000001, -1.5], // rule 4, one float32 step above
  [11, -1.5],
  [11, 1.5], // rules 2 and 4
  [-80, -1.5],
  [-80, 1.5], // ratio all but 0
];

const X_OF_KL = [0, 1e-4, -0.03, 0.3, -2, 2.2, 2.7, 50, 900, -10.5, -12]; // refLogProb − logProb; k3 over 10 from 2.6 on

const lossCase = (title: string, tokensPerTurn: number, klCoefficient: number, overrides: Shaping = {}) => {
  const turns = RULES.length;
  const scored = turns * tokensPerTurn;
  const turnIndex = Uint32Array.from({ length: scored }, (_, s) => Math.floor(s / tokensPerTurn));
  const turnLogRatio = Float32Array.from(RULES, ([logRatio]) => logRatio);
  const advantage = Float32Array.from(turnIndex, (k) => RULES[k][1]);
  const logProb = wave(scored, 1, 0.2).map((x) => x - 2);
  const refLogProb = logProb.map((x, s) => (klCoefficient ? x + X_OF_KL[s % X_OF_KL.length] : NaN));
  const weight = Float32Array.from({ length: scored }, (_, s) => 1 / (4 * (5 + (s % 7))));
  const config = {
    clipLow: Math.fround(3e-3),
    clipHigh: Math.fround(4e-3),
    logRatioCap: 10,
    klCoefficient: Math.fround(klCoefficient),
    tokenMeanWeight: Math.fround(1 / scored),
  };
  const output = () => new Float32Array(scored).fill(POISON);
  const input = { turnIndex, turnLogRatio, logProb, refLogProb, advantage, weight };
  return {
    title: `${title} ${JSON.stringify(overrides)}`,
    params: { scored, ...config },
    overrides,
    buffers: { ...input, tokenLoss: output(), dlogProb: output() },
    expected: () => oracle.atpoLoss(input, config),
  };
};

export const atpoLoss = defineKernel({
  name: 'atpo_loss',
  source: lossSource,
  params: {
    scored: 'u32',
    clipLow: 'f32',
    clipHigh: 'f32',
    logRatioCap: 'f32',
    klCoefficient: 'f32',
    tokenMeanWeight: 'f32',
  },
  bindings: [
    read('turnIndex', 'u32'),
    read('turnLogRatio'),
    read('logProb'),
    read('refLogProb'),
    read('advantage'),
    read('weight'),
    write('tokenLoss'),
    write('dlogProb'),
  ],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ scored }, { WORKGROUP }) => foldGrid(Math.ceil(scored / WORKGROUP)),
  tolerance: {
    absolute: 3e-7,
    relative: 4e-6,
    reason: 'WGSL grants e^x an error of 3 + 2|x| ulps: 2.8e-6 relative at the cap of 10',
  },
  cases: () => [
    lossCase('every zero-gradient rule, no KL, garbage as reference', 1, 0),
    lossCase('every zero-gradient rule, three tokens a turn, no KL', 3, 0, { WORKGROUP: 4 }),
    lossCase('every zero-gradient rule with KL', 11, 0.5),
  ],
});
