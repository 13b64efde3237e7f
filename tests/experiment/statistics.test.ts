/** Statistics of runs against scipy (tests/fixtures/experiment/values.py), published values and their own claims. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gumbel, keyedRandom } from '../../src/algo/random.ts';
import {
  bootstrapInterval,
  deviation,
  improvementInterval,
  interquartileMean,
  mean,
  performanceProfile,
  probabilityOfImprovement,
  quantile,
  RESAMPLING,
  StatisticsError,
  wilsonInterval,
  type Strata,
} from '../../src/experiment/statistics.ts';
import { spreadOf, varianceComponents, type VarianceComponents } from '../../src/experiment/variance.ts';
import {
  detectableDifference,
  equivalenceTest,
  holm,
  leastPairs,
  pairedDifference,
  pairsToDiffer,
  pairsToEqual,
  permutationTest,
  signFlipTest,
} from '../../src/experiment/paired.ts';

interface Values {
  readonly components: readonly (VarianceComponents & { readonly answers: number[][] })[];
  readonly sets: Readonly<
    Record<
      string,
      {
        readonly values: number[];
        readonly mean: number;
        readonly deviation: number;
        readonly iqm: number;
        readonly quantiles: number[];
      }
    >
  >;
  readonly bootstrap: Readonly<Record<string, Readonly<Record<'mean' | 'iqm', number[]>>>>;
  readonly improvement: readonly { readonly x: string; readonly y: string; readonly probability: number }[];
  readonly wilson: readonly { readonly count: number; readonly total: number; readonly interval: number[] }[];
  readonly signFlip: Readonly<
    Record<string, { readonly values: number[]; readonly above: number; readonly below: number }>
  >;
  readonly equivalence: readonly { readonly set: string; readonly band: number; readonly p: number }[];
  readonly holm: { readonly ps: number[]; readonly adjusted: number[] };
  readonly pairs: readonly { readonly deviations: number; readonly pairs: number }[];
}

const want = JSON.parse(readFileSync('tests/fixtures/experiment/values.json', 'utf8')) as Values;
const meanOf = (strata: Strata): number => mean(strata.flat());

test('mean, deviation, quantiles and interquartile mean are numpy’s and scipy’s', () => {
  for (const set of Object.values(want.sets)) {
    expect(mean(set.values)).toBeCloseTo(set.mean, 12);
    expect(deviation(set.values)).toBeCloseTo(set.deviation, 12);
    expect(interquartileMean([set.values])).toBeCloseTo(set.iqm, 12);
    expect(interquartileMean([set.values.slice(0, 2), set.values.slice(2)])).toBeCloseTo(set.iqm, 12); // over all tasks
    [0, 0.025, 0.3, 0.5, 0.975, 1].forEach((share, index) =>
      expect(quantile(set.values, share)).toBeCloseTo(set.quantiles[index], 12),
    );
  }
});

test('a drawn bootstrap interval tends to that of all resamples', () => {
  const how = { ...RESAMPLING, resamples: 10_000 };
  for (const [name, { mean: ofMean, iqm }] of Object.entries(want.bootstrap)) {
    const { values } = want.sets[name];
    const cases = [
      [bootstrapInterval([values], meanOf, how), ofMean],
      [bootstrapInterval([values], interquartileMean, how), iqm],
    ] as const;
    for (const [{ low, high }, [wantLow, wantHigh]] of cases) {
      expect(Math.abs(low - wantLow)).toBeLessThan(0.012); // steps between resamples of five scores
      expect(Math.abs(high - wantHigh)).toBeLessThan(0.012);
    }
  }
});

test('strata are resampled apart: runs of an easy task never stand in for those of a hard one', () => {
  const strata = [
    [0.1, 0.1, 0.1],
    [0.9, 0.9],
  ];
  expect(bootstrapInterval(strata, meanOf)).toEqual({ low: meanOf(strata), high: meanOf(strata) });
  const { low, high } = bootstrapInterval([strata.flat()], meanOf);
  expect(high - low).toBeGreaterThan(0.3);
});

test('one seed, one interval', () => {
  const { values } = want.sets.eight;
  const again = bootstrapInterval([values], interquartileMean);
  expect(bootstrapInterval([values], interquartileMean)).toEqual(again);
  expect(bootstrapInterval([values], interquartileMean, { ...RESAMPLING, seed: 1 })).not.toEqual(again);
});

test('probability of improvement is the Mann–Whitney share', () => {
  for (const { x, y, probability } of want.improvement) {
    const of = probabilityOfImprovement([want.sets[x].values], [want.sets[y].values]);
    expect(of).toBeCloseTo(probability, 12);
    expect(probabilityOfImprovement([want.sets[y].values], [want.sets[x].values])).toBeCloseTo(1 - of, 12);
  }
  expect(probabilityOfImprovement([[1, 2], [0]], [[0], [1]])).toBe(0.5); // mean over tasks
  const { low, high } = improvementInterval([want.sets.eleven.values], [want.sets.five.values]);
  expect([low > 0.8, high]).toEqual([true, 1]);
});

test('Wilson’s interval is scipy’s, and that of Newcombe 1998, table I', () => {
  for (const { count, total, interval } of want.wilson) {
    const { low, high } = wilsonInterval(count, total);
    expect([low, high].map((each, at) => Math.abs(each - interval[at]) < 1e-10)).toEqual([true, true]);
  }
  const published = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const;
  for (const [count, total, wantLow, wantHigh] of published) {
    const { low, high } = wilsonInterval(count, total);
    expect([low.toFixed(4), high.toFixed(4)]).toEqual([wantLow.toFixed(4), wantHigh.toFixed(4)]);
  }
});

test('the sign-flip test is scipy’s enumeration, and Fisher’s of Darwin’s maize (1935, section 21)', () => {
  for (const { values, above, below } of Object.values(want.signFlip)) {
    expect(signFlipTest(values)).toBeCloseTo(above, 12);
    expect(signFlipTest(values.map((each) => -each))).toBeCloseTo(below, 12);
    expect(permutationTest(values)).toBeCloseTo(Math.min(1, 2 * Math.min(above, below)), 12);
  }
  const maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]; // eighths of an inch
  expect(signFlipTest(maize) * 2 ** 15).toBe(863);
});

test('beyond 16 pairs patterns are drawn, and agree with the exact test', () => {
  const pairs = Array.from({ length: 16 }, (_, at) => Math.sin(at * 1.7) + 0.3);
  const exact = signFlipTest(pairs);
  expect(Math.abs(signFlipTest([...pairs, 0]) - exact)).toBeLessThan(0.006); // a zero changes nothing
});

test('equivalence is two one-sided tests, and Holm steps down', () => {
  for (const { set, band, p } of want.equivalence)
    expect(equivalenceTest(want.signFlip[set].values, band)).toBeCloseTo(p, 12);
  holm(want.holm.ps).forEach((p, at) => expect(p).toBeCloseTo(want.holm.adjusted[at], 12));
  expect(holm([])).toEqual([]);
});

test('seeds that are asked for are those of the exact power of the paired t test, within one', () => {
  for (const { deviations, pairs } of want.pairs)
    expect(Math.abs(pairsToDiffer(deviations, 1) - pairs), `${deviations}`).toBeLessThanOrEqual(1);
  expect(pairsToDiffer(0, 0.1)).toBe(Infinity);
  expect(pairsToDiffer(9, 0.1)).toBe(leastPairs(2)); // exact tests need six pairs, however clear it is
  expect([leastPairs(1), leastPairs(2), leastPairs(6)]).toEqual([5, 6, 7]);
  expect(permutationTest([1, 1, 1, 1, 1])).toBeGreaterThan(0.05);
  expect(permutationTest([1, 1, 1, 1, 1, 1])).toBeLessThan(0.05);
  expect([pairsToEqual(0.2, 0.1, 0.1), pairsToEqual(0, 0, 0.1)]).toEqual([Infinity, 5]);
  expect(detectableDifference(0.1, 4)).toBeCloseTo((1.959964 + 0.841621) * 0.05, 6);
});

/** Standard normal numbers. */
function normals(seed: number, count: number): number[] {
  const random = keyedRandom({ seed, update: 0 }, 0);
  return Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(random.uniform()));
    return radius * Math.cos(2 * Math.PI * random.uniform());
  });
}

test.each([
  [5, 0.76, 0.89], // 0.84 and 0.90 of 3000 trials, give or take three standard errors of these
  [10, 0.84, 0.96],
])('the interval of %i normal scores holds the truth as often as README.md says', (count, least, most) => {
  const trials = 250;
  let held = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const how = { seed: trial, resamples: 200, level: 0.95 };
    const { low, high } = bootstrapInterval([normals(trial * 100 + count, count)], meanOf, how);
    held += Number(low <= 0 && high >= 0);
  }
  expect(held / trials).toBeGreaterThan(least);
  expect(held / trials).toBeLessThan(most);
});

test('the exact test errs as often as it says, also where differences are far from normal', () => {
  const trials = 600;
  let refused = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const random = keyedRandom({ seed: trial, update: 0 }, 0);
    const skewless = Array.from({ length: 8 }, () => gumbel(random.next()) - gumbel(random.next())); // symmetric, heavy tails
    refused += Number(permutationTest(skewless) <= 0.05);
  }
  expect(refused / trials).toBeLessThan(0.065);
  expect(refused / trials).toBeGreaterThan(0.02);
});

test('numbers that are none are refused with what and where; equal and single scores are not', () => {
  expect(() => interquartileMean([[0.1, NaN]])).toThrow(StatisticsError);
  expect(() => interquartileMean([[0.1, NaN]])).toThrow(/mean.*got NaN, wanted finite numbers/);
  expect(() => bootstrapInterval([[]], meanOf)).toThrow(/got \[\], wanted at least one number/);
  expect(() => wilsonInterval(3, 2)).toThrow(/3 of 2/);
  expect(() => wilsonInterval(0, 0)).toThrow(StatisticsError);
  expect(() => probabilityOfImprovement([[]], [[1]])).toThrow(StatisticsError);
  expect(interquartileMean([[0.4]])).toBe(0.4);
  expect(deviation([0.4])).toBe(0);
  expect(bootstrapInterval([[0.4]], interquartileMean)).toEqual({ low: 0.4, high: 0.4 });
  expect(probabilityOfImprovement([[0, 0]], [[0, 0, 0]])).toBe(0.5);
  expect(pairedDifference([[0, 0, 0]])).toMatchObject({ mean: 0, deviation: 0, p: 1 });
  expect(performanceProfile([[0.2, 0.6], [0.9]], [0.1, 0.5, 0.9])).toEqual([1, 0.75, 0]);
});

test('variance of answers is told apart by seed, by question and what is left, as numpy has it', () => {
  for (const { answers, seed, question, rest } of want.components) {
    const got = varianceComponents(answers);
    expect(got.seed).toBeCloseTo(seed, 12);
    expect(got.question).toBeCloseTo(question, 12);
    expect(got.rest).toBeCloseTo(rest, 12);
  }
});

test('seeds that differ by luck alone have no spread of their own; one that fell has', () => {
  const random = keyedRandom({ seed: 5, update: 0 }, 0);
  const hard = Array.from({ length: 400 }, () => random.uniform());
  const seeds = (lost: readonly number[]) =>
    lost.map((down) => hard.map((share) => Number(random.uniform() < share - down)));
  const [same, fallen] = [spreadOf(seeds([0, 0, 0, 0])), spreadOf(seeds([0, 0, 0, 0.4]))];
  expect(same.bySeed).toBeLessThan(0.03);
  expect(same.byQuestion).toBeCloseTo(Math.sqrt(0.25 / 400), 2); // of answers that are right half of the time
  expect(fallen.bySeed).toBeGreaterThan(0.1);
  expect(fallen.seedShare).toBeGreaterThan(0.8);
  expect(spreadOf([[1, 1], [1, 1]])).toMatchObject({ standardError: 0, seedShare: 0 }); // prettier-ignore
});

test('one seed, one question and rows of other questions tell no components', () => {
  for (const answers of [[], [[1, 0]], [[1], [0]], [[1, 0], [1]]])
    expect(() => varianceComponents(answers)).toThrow(/variance components.*wanted two seeds at least/);
});
