import { describe, expect, test } from 'vitest';
import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { clipStateOf } from '../../src/algo/loss/loss_terms.ts';
import { LossInputError, objective, policyLoss, surrogates } from '../../src/algo/loss/loss.ts';
import { lossMetrics } from '../../src/algo/loss/metrics.ts';
import { entropyMoments, klTerm, tokenMeanWeight } from '../../src/algo/loss/penalties.ts';
import {
  KL_KINDS,
  NO_EXTRAS,
  RATIO_LEVELS,
  SURROGATES,
  settingsOfSurrogate,
  type LossConfig,
  type LossExtras,
  type SurrogateSetting,
} from '../../src/units.ts';
import { randomTokens } from '../support/loss_tokens.ts';

const SCORED = 19;
const STEP = 1e-5;
const WIDE: LossConfig = { ...TURN_LOSS, clipLow: 0.2, clipHigh: 0.2 };
const SOFT = { lowerEdge: 'soft', upperEdge: 'soft' } as const;

const EXTRAS: LossExtras = {
  ...NO_EXTRAS,
  clipScale: Float32Array.from({ length: SCORED }, (_, s) => 0.7 + 0.2 * (s % 4)),
  ratioFactor: Float32Array.of(1, 1.05, 0.95),
};

const RATIO_LOSSES: readonly (readonly [string, LossConfig, LossExtras])[] = [
  ...RATIO_LEVELS.map((ratioLevel) => [`${ratioLevel} ratios`, { ...WIDE, ratioLevel }, NO_EXTRAS] as const),
  ...RATIO_LEVELS.map(
    (ratioLevel) =>
      [`soft edges on ${ratioLevel} ratios`, { ...WIDE, ...SOFT, ratioLevel }, NO_EXTRAS] as const,
  ),
  ['PPO with dual clip', TOKEN_LOSS, NO_EXTRAS],
  ['GPPO', { ...TOKEN_LOSS, ...SOFT }, NO_EXTRAS],
  ['CE-GPPO', { ...TOKEN_LOSS, ...SOFT, lowerFactor: 0.75, upperFactor: 0.5 }, NO_EXTRAS],
  ['soft edges that keep nothing', { ...TOKEN_LOSS, ...SOFT, lowerFactor: 0, upperFactor: 0 }, NO_EXTRAS],
  ['half GPPO', { ...TOKEN_LOSS, upperEdge: 'soft', clipHigh: 0.28 }, NO_EXTRAS],
  ['a cap that cuts', { ...WIDE, logRatioCap: 0.3, ...SOFT }, NO_EXTRAS],
  [
    'a cap that cuts tokens at both ends',
    { ...TOKEN_LOSS, logRatioCap: 0.3, ...SOFT, dualClip: 0 },
    NO_EXTRAS,
  ],
  ['scaled bands and ratios', WIDE, EXTRAS],
  ['SAPO', { ...TOKEN_LOSS, surrogate: 'gate' }, NO_EXTRAS],
  ['a gate on turns', { ...WIDE, surrogate: 'gate', gatePositive: 2, gateNegative: 3 }, EXTRAS],
];

/** Mean log-ratio at a level, by the definition and not by the code under test. */
function levelLogRatio(
  tokens: ReturnType<typeof randomTokens>,
  level: LossConfig['ratioLevel'],
  s: number,
): number {
  const group = (t: number): number =>
    level === 'token' ? t : level === 'turn' ? tokens.turnIndex[t] : tokens.turnRow[tokens.turnIndex[t]];
  const own = tokens.logProb.map((_, t) => t).filter((t) => group(t) === group(s));
  return own.reduce((sum, t) => sum + tokens.logProb[t] - tokens.oldLogProb[t], 0) / own.length;
}

/**
 * The surrogate of one token as a function of a nudge to its own log-probability. The ratio is r0·e^nudge with r0 held;
 * a soft edge is bound·(1 + β·(e^nudge − 1)), a hard edge or a cut log-ratio does not move.
 */
function surrogate(
  nudge: number,
  { logRatio, A, c, f }: { logRatio: number; A: number; c: number; f: number },
  config: LossConfig,
): number {
  const isCut =
    logRatio > config.logRatioCap || (config.ratioLevel === 'token' && logRatio < -config.logRatioCap);
  const floor = config.ratioLevel === 'token' ? -config.logRatioCap : -Infinity;
  const held = f * Math.exp(Math.max(floor, Math.min(logRatio, config.logRatioCap)));
  const move = isCut ? 1 : Math.exp(nudge);
  const ratio = held * move;
  if (config.surrogate === 'gate') {
    const tau = A > 0 ? config.gatePositive : config.gateNegative;
    return (-A * 4) / tau / (1 + Math.exp(-tau * (ratio - 1)));
  }
  const [low, high] = [1 - c * config.clipLow, 1 + c * config.clipHigh];
  const bound = ratio > high ? high : ratio < low ? low : ratio;
  const edge = ratio > high ? config.upperEdge : config.lowerEdge;
  const kept = ratio > high ? config.upperFactor : config.lowerFactor;
  const clipped = bound === ratio ? ratio : bound * (edge === 'soft' ? 1 + kept * (move - 1) : 1);
  const isActive = -A * bound > -A * ratio; // decided without the moving edge
  const loss = isActive ? -A * clipped : -A * ratio;
  const limited = A < 0 && config.dualClip > 0 && loss > -A * config.dualClip;
  return limited ? -A * config.dualClip : loss;
}

describe.each(RATIO_LOSSES)('%s', (_, config, extras) => {
  test('has the gradient of its surrogate by central differences, other tokens held', () => {
    for (const seed of [1, 2, 3, 4]) {
      const tokens = randomTokens(seed);
      const { loss, dlogProb } = policyLoss(tokens, config, extras);
      let total = 0;
      for (let s = 0; s < SCORED; s += 1) {
        const at = {
          logRatio: levelLogRatio(tokens, config.ratioLevel, s),
          A: tokens.advantage[s],
          c: extras.clipScale?.[s] ?? 1,
          f: extras.ratioFactor?.[tokens.turnRow[tokens.turnIndex[s]]] ?? 1,
        };
        const value = (nudge: number) => tokens.weight[s] * surrogate(nudge, at, config);
        const slope = (value(STEP) - value(-STEP)) / (2 * STEP);
        expect(Math.abs(slope - dlogProb[s])).toBeLessThan(1e-8);
        total += value(0);
      }
      expect(loss).toBeCloseTo(total, 12);
    }
  });
});

test('CE-GPPO lies between PPO, which keeps nothing at the bounds, and GPPO, which keeps all', () => {
  const gradient = (change: Partial<LossConfig>) =>
    policyLoss(randomTokens(2), { ...TOKEN_LOSS, dualClip: 0, ...change }, NO_EXTRAS).dlogProb;
  const ppo = gradient({});
  const gppo = gradient(SOFT);
  expect(gradient({ ...SOFT, lowerFactor: 0, upperFactor: 0 })).toEqual(ppo);
  expect(gppo).not.toEqual(ppo);
  const half = gradient({ ...SOFT, lowerFactor: 0.5, upperFactor: 0.5 });
  half.forEach((slope, s) => expect(slope).toBeCloseTo((ppo[s] + gppo[s]) / 2, 12));
  expect(gradient({ lowerFactor: 0.5, upperFactor: 0.5 })).toEqual(ppo); // hard bounds keep nothing anyway
});

describe('losses of whole rows', () => {
  const rowTarget = Float32Array.of(0.5, -0.25, 1);
  const cases: readonly (readonly [string, LossConfig, LossExtras])[] = [
    ['regression', { ...WIDE, surrogate: 'regression', beta: 0.3 }, { ...NO_EXTRAS, rowTarget }],
    [
      'preference',
      { ...WIDE, surrogate: 'preference', beta: 0.3 },
      { ...NO_EXTRAS, partner: Int32Array.of(2, 1, -1) }, // row 0 over row 2; row 1 has no partner
    ],
  ];

  test.each(cases)('%s has the gradient of its total by central differences', (_, config, extras) => {
    for (const seed of [1, 2, 3, 4]) {
      const tokens = randomTokens(seed);
      const { dlogProb } = policyLoss(tokens, config, extras);
      for (let s = 0; s < SCORED; s += 1) {
        const at = (nudge: number) => {
          const logProb = tokens.logProb.map((x, t) => (t === s ? x + nudge : x));
          return policyLoss({ ...tokens, logProb }, config, extras).loss;
        };
        const slope = (at(STEP) - at(-STEP)) / (2 * STEP);
        expect(Math.abs(slope - dlogProb[s])).toBeLessThan(1e-9);
      }
    }
  });

  const rowSums = (tokens: ReturnType<typeof randomTokens>): number[] =>
    [0, 1, 2].map((row) =>
      tokens.logProb.reduce(
        (sum, x, s) => sum + (tokens.turnRow[tokens.turnIndex[s]] === row ? x - tokens.refLogProb[s] : 0),
        0,
      ),
    );

  test('regression is the mean over rows of (β·Σ log-ratio − target)²', () => {
    const tokens = randomTokens(5);
    const want = rowSums(tokens).reduce((sum, d, row) => sum + (0.3 * d - rowTarget[row]) ** 2 / 3, 0);
    expect(policyLoss(tokens, cases[0][1], cases[0][2]).loss).toBeCloseTo(want, 12);
  });

  test('preference weighs a pair as its two rows and leaves a row without a partner alone', () => {
    const tokens = randomTokens(6);
    const [better, , worse] = rowSums(tokens);
    const { loss, dlogProb, tokenLoss } = policyLoss(tokens, cases[1][1], cases[1][2]);
    expect(loss).toBeCloseTo((2 / 3) * Math.log1p(Math.exp(-0.3 * (better - worse))), 12);
    expect(Array.from(dlogProb.subarray(5, 13)).every((d) => d === 0)).toBe(true);
    expect(Array.from(tokenLoss.subarray(5, 13)).every((term) => term === 0)).toBe(true);
    expect(Array.from(dlogProb.subarray(0, 5)).every((d) => d < 0)).toBe(true);
    expect(Array.from(dlogProb.subarray(13)).every((d) => d > 0)).toBe(true);
  });

  test('preference stays finite when a pair is far apart', () => {
    const tokens = randomTokens(7);
    const logProb = tokens.logProb.map((x, s) => (s >= 13 ? x + 1e4 : x));
    const { loss, dlogProb } = policyLoss({ ...tokens, logProb }, cases[1][1], cases[1][2]);
    expect(Number.isFinite(loss)).toBe(true);
    expect(dlogProb[0]).toBeCloseTo(-(2 / 3) * 0.3, 12);
  });

  test('refuse to run without what they read', () => {
    const tokens = randomTokens(8);
    const [, config] = cases[0];
    expect(() => policyLoss(tokens, config)).toThrow(/rowTarget.*got none, wanted 3 values/);
    expect(() => policyLoss({ ...tokens, refLogProb: null }, config, { ...NO_EXTRAS, rowTarget })).toThrow(
      /refLogProb.*got none/,
    );
    const partner = Int32Array.of(7, 0, 0);
    expect(() => policyLoss(tokens, cases[1][1], { ...NO_EXTRAS, partner })).toThrow(LossInputError);
  });
});

describe('AEPO’s advantages', () => {
  test('grow with the z-score of the entropy over all scored tokens', () => {
    const tokens = randomTokens(9);
    const mean = tokens.entropy.reduce((sum, h) => sum + h, 0) / SCORED;
    const deviation = Math.sqrt(tokens.entropy.reduce((sum, h) => sum + (h - mean) ** 2, 0) / (SCORED - 1));
    const advantage = tokens.advantage.map(
      (A, s) => A * (1 + (0.2 * (tokens.entropy[s] - mean)) / deviation),
    );
    const balanced = policyLoss(tokens, { ...TOKEN_LOSS, entropyAdvantage: 0.2 });
    const plain = policyLoss({ ...tokens, advantage }, TOKEN_LOSS);
    for (let s = 0; s < SCORED; s += 1) expect(balanced.dlogProb[s]).toBeCloseTo(plain.dlogProb[s], 12);
    expect(balanced.loss).toBeCloseTo(plain.loss, 12);
  });

  test('stay as they are where entropies do not differ, and need entropies', () => {
    const tokens = randomTokens(10);
    const flat = { ...tokens, entropy: tokens.entropy.map(() => 0.1) };
    expect(entropyMoments(flat.entropy).deviation).toBe(1);
    const config = { ...TOKEN_LOSS, entropyAdvantage: 0.2 };
    expect(policyLoss(flat, config).dlogProb).toEqual(policyLoss(tokens, TOKEN_LOSS).dlogProb);
    const without = { ...tokens, entropy: [] };
    expect(() => policyLoss(without, config)).toThrow(/entropy.*got 0/);
  });
});

test('no loss trains nothing, but the KL term and the entropy bonus stay', () => {
  const tokens = randomTokens(11);
  const config: LossConfig = { ...WIDE, surrogate: 'none' };
  expect(policyLoss(tokens, config).loss).toBe(0);
  expect(policyLoss(tokens, config).dlogProb.every((d) => d === 0)).toBe(true);
  const { dlogProb, dentropy } = objective(tokens, {
    ...config,
    klCoefficient: 0.1,
    entropyCoefficient: 0.01,
  });
  expect(dlogProb.some((d) => d !== 0)).toBe(true);
  expect(dentropy).toBeLessThan(0);
});

test.each(KL_KINDS)('the %s penalty enters the objective as a token mean', (klKind) => {
  const tokens = randomTokens(12);
  const { kl, dlogProb, policy } = objective(tokens, { ...WIDE, klCoefficient: 0.2, klKind });
  const terms = tokens.logProb.map((x, s) => klTerm(klKind, x, tokens.refLogProb[s]));
  const share = tokenMeanWeight(SCORED);
  expect(kl).toBeCloseTo(
    terms.reduce((sum, term) => sum + share * term.kl, 0),
    12,
  );
  terms.forEach((term, s) =>
    expect(dlogProb[s] - policy.dlogProb[s]).toBeCloseTo(0.2 * share * term.dlogProb, 12),
  );
});

describe('clip states', () => {
  const token = (logRatio: number, advantage: number, change: Partial<LossConfig> = {}) =>
    clipStateOf(logRatio, { advantage, clipScale: 1, ratioFactor: 1 }, { ...TOKEN_LOSS, ...change });
  test.each([
    ['inside', 0.1, 1, {}, 0],
    ['above a hard edge', 0.5, 1, {}, 1],
    ['below a hard edge', -0.5, -1, {}, 2],
    ['over the dual clip', 1.2, -1, {}, 4],
    ['over the cap without dual clip', 21, -1, { dualClip: 0 }, 3],
    ['under the cap of token ratios', -21, 1, {}, 3],
    ['under the cap of turn ratios, where there is none', -21, 1, { ratioLevel: 'turn' }, 0],
    ['above a soft edge', 0.5, 1, SOFT, 5],
    ['below a soft edge', -0.5, -1, SOFT, 6],
    ['above a soft edge and over the cap', 21, 1, SOFT, 3],
    ['a gate over its cap', 21, 1, { surrogate: 'gate' }, 3],
    ['a loss of whole rows', 21, 1, { surrogate: 'preference' }, 0],
  ] as const)('%s', (_, logRatio, advantage, change, state) => {
    expect(token(logRatio, advantage, change)).toBe(state);
  });
});

test('metrics count soft edges as clipped and the dual clip by itself', () => {
  const tokens = { ...randomTokens(13), advantage: new Array<number>(SCORED).fill(-1) };
  const { clipFraction, clipFractionLower } = lossMetrics(tokens, TOKEN_LOSS);
  expect(clipFraction).toBeCloseTo(2 / SCORED, 8); // the turn of log-ratio −0.5
  expect(clipFractionLower).toBeCloseTo(6 / SCORED, 8); // the turn of log-ratio 1.3
  expect(lossMetrics(tokens, { ...TOKEN_LOSS, ...SOFT }).clipFraction).toBe(clipFraction);
  expect(lossMetrics(tokens, { ...TOKEN_LOSS, surrogate: 'gate' }).clipFraction).toBe(0);
});

/** Of each setting another value, or what it makes of the extras. */
const OTHERWISE: Readonly<Record<SurrogateSetting, Partial<LossConfig> | LossExtras>> = {
  ratioLevel: { ratioLevel: 'token' },
  clipLow: { clipLow: 0.05 },
  clipHigh: { clipHigh: 0.05 },
  lowerEdge: { lowerEdge: 'hard' },
  upperEdge: { upperEdge: 'hard' },
  lowerFactor: { lowerFactor: 0.5 },
  upperFactor: { upperFactor: 0.5 },
  dualClip: { dualClip: 1.2 },
  logRatioCap: { logRatioCap: 0.05 },
  gatePositive: { gatePositive: 2 },
  gateNegative: { gateNegative: 3 },
  beta: { beta: 0.5 },
  entropyAdvantage: { entropyAdvantage: 0.2 },
  clipAdaptation: { ...NO_EXTRAS, clipScale: EXTRAS.clipScale },
  retrievalRatio: { ...NO_EXTRAS, ratioFactor: EXTRAS.ratioFactor },
};

test.each(SURROGATES)('%s reads the settings that it declares, and no other', (surrogate) => {
  const ofRows = { rowTarget: Float32Array.of(0.5, -0.2, 1), partner: Int32Array.of(1, -1, 2) };
  const config: LossConfig = { ...WIDE, ...SOFT, dualClip: 3, surrogate };
  const trained = (seed: number, change: Partial<LossConfig> | LossExtras) => {
    const tokens = randomTokens(seed);
    const refLogProb = surrogates[surrogate].readsReference ? tokens.refLogProb : null;
    const extras = 'clipScale' in change ? change : NO_EXTRAS;
    const { loss, dlogProb } = policyLoss({ ...tokens, refLogProb }, { ...config, ...change }, { ...extras, ...ofRows }); // prettier-ignore
    return [loss, ...dlogProb];
  };
  const seeds = [1, 2, 3, 4, 5, 6];
  const moving = Object.entries(OTHERWISE).filter(([, change]) =>
    seeds.some((seed) => trained(seed, change).some((value, at) => value !== trained(seed, {})[at])),
  );
  expect(moving.map(([setting]) => setting).toSorted()).toEqual([...settingsOfSurrogate(surrogate)].sort());
});
