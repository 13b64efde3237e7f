import { expect, test } from 'vitest';
import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import {
  checkGradient,
  FLOAT32,
  FLOAT64,
  type LossPoint,
  type TokenGradient,
} from '../../src/algo/loss/loss_gradient.ts';
import { clipTerm } from '../../src/algo/loss/loss_terms.ts';

type Term = (logRatio: number, s: number) => readonly [loss: number, gradient: number];

const check = (
  logRatio: readonly number[],
  term: Term,
  isByRule: (i: number) => boolean = () => false,
  precision = FLOAT64,
): Promise<readonly TokenGradient[]> => {
  const weight = logRatio.map((_, s) => 1 / (3 + s));
  const evaluate = (at: Float64Array): LossPoint => {
    const terms = Array.from(at, (value, s) => term(value, s));
    return {
      tokenLoss: terms.map(([loss]) => precision.round(loss)),
      dlogProb: terms.map(([, gradient], s) => precision.round(weight[s] * gradient)),
    };
  };
  return checkGradient({ logRatio, weight, isByRule }, evaluate, precision);
};

const verdicts = (tokens: readonly TokenGradient[]) => tokens.map(({ verdict }) => verdict);
const ratio: Term = (x) => [-1.5 * Math.exp(x), -1.5 * Math.exp(x)];

for (const [name, precision] of [
  ['float64', FLOAT64],
  ['float32', FLOAT32],
] as const) {
  test(`in ${name} a right gradient agrees, and the numbers are close`, async () => {
    const found = await check([0, 0.3, -0.7, 2], ratio, undefined, precision);
    expect(verdicts(found)).toEqual(['agrees', 'agrees', 'agrees', 'agrees']);
    for (const { numeric, stated } of found) expect(Math.abs(numeric / stated - 1)).toBeLessThan(1e-3);
  });

  test(`in ${name} a gradient of one part in fifty too much is found`, async () => {
    const found = await check(
      [0, 0.3, -0.7],
      (x) => [ratio(x, 0)[0], 1.02 * ratio(x, 0)[1]],
      undefined,
      precision,
    );
    expect(verdicts(found)).toEqual(['differs', 'differs', 'differs']);
    expect(found[0].stated / found[0].numeric).toBeCloseTo(1.02, 3);
  });

  test(`in ${name} a token near an edge of a narrow band is checked with a smaller step`, async () => {
    const config = { ...TURN_LOSS, clipLow: 3e-3, clipHigh: 4e-3 };
    const term: Term = (x) => {
      const { tokenLoss, dlogProb } = clipTerm(x, { advantage: 1, clipScale: 1, ratioFactor: 1 }, config);
      return [tokenLoss, dlogProb];
    };
    const edge = Math.log1p(4e-3);
    const found = await check([0, 0.0038, 0.1, edge], term, undefined, precision);
    expect(verdicts(found)).toEqual(['agrees', 'agrees', 'agrees', 'edge']);
    if (precision === FLOAT32) expect(found[0].step).toBeLessThan(FLOAT32.steps[0]);
    expect(found[2].numeric).toBe(0);
  });

  test(`in ${name} a jump of the loss is told from an edge`, async () => {
    const found = await check(
      [0, 0],
      (x, s) => (s === 0 ? [x > 0 ? 5 : 1, 0] : [Math.abs(x), 0]),
      undefined,
      precision,
    );
    expect(verdicts(found)).toEqual(['jump', 'edge']);
  });
}

test('an edge just within a step, whose bend the curvature hides, is no difference', async () => {
  const edge = 0.985 * FLOAT32.steps[0];
  const term: Term = (x) => [-Math.exp(Math.min(Math.max(x, -edge), edge)), -Math.exp(x)];
  expect(verdicts(await check([0, 0, 0, 0], term, undefined, FLOAT32))).not.toContain('differs');
  const oneSided: Term = (x) => [-Math.exp(Math.min(x, edge)), -Math.exp(x)];
  expect(verdicts(await check([0, 0, 0, 0], oneSided, undefined, FLOAT32))).not.toContain('differs');
});

test('a token whose gradient is not the derivative by rule is left out, but not where it agrees', async () => {
  const term: Term = (x, s) => (s === 0 ? [2, 2] : [Math.exp(x), Math.exp(x)]);
  expect(verdicts(await check([0.1, 0.1], term, () => true))).toEqual(['by-rule', 'agrees']);
});

test('a loss that reads another token’s ratio is found out', async () => {
  const logRatio = Array.from({ length: 32 }, (_, s) => 0.01 * s);
  const evaluate = (at: Float64Array): LossPoint => ({
    tokenLoss: Array.from(at, (x, s) => Math.exp(x + at[(s + 1) % at.length])),
    dlogProb: Array.from(at, (x, s) => Math.exp(x + at[(s + 1) % at.length])),
  });
  const weight = logRatio.map(() => 1);
  const found = await checkGradient({ logRatio, weight, isByRule: () => false }, evaluate, FLOAT64);
  expect(found.filter(({ verdict }) => verdict !== 'agrees').length).toBeGreaterThan(8);
});

test('what is not a number is said to be so', async () => {
  expect(verdicts(await check([0, 0], (x, s) => (s === 0 ? [NaN, 1] : [x, 1])))).toEqual([
    'not-finite',
    'agrees',
  ]);
});
