/** Two arms whose runs share task and seed, and so their questions: differences, exact tests, and how many seeds would do. Pure. */
import { keyedRandom, STREAMS } from '../algo/random.ts';
import {
  bootstrapInterval,
  checkScores,
  deviation,
  mean,
  RESAMPLING,
  Z_975,
  type Interval,
  type Resampling,
  type Strata,
} from './statistics.ts';

/** What a difference may be mistaken for one by chance, two-sided. */
export const ALPHA = 0.05;
/** 0.95 and 0.8 quantiles of the standard normal distribution. */
const Z_95 = 1.6448536269514722;
const Z_80 = 0.8416212335729143;

const MOST_EXACT = 16; // pairs: 65,536 sign patterns
const DRAWN = 65_536; // patterns beyond that

/** Differences are shares of questions; equal sums must not differ by how they were added up. */
const ROUNDING = 1e-12;

/**
 * Share of sign patterns under which the sum of the differences is at least as large as it is: the exact one-sided p of "no difference, or
 * a negative one", if differences are symmetric around their centre (Fisher's randomisation test). With more than 16 pairs 65,536 patterns are drawn.
 * @throws StatisticsError
 */
export function signFlipTest(differences: readonly number[]): number {
  checkScores(differences, 'paired differences');
  const sumOf = (isFlipped: (at: number) => boolean): number =>
    differences.reduce((total, each, at) => total + (isFlipped(at) ? -each : each), 0);
  const least = sumOf(() => false) - ROUNDING;
  if (differences.length > MOST_EXACT) {
    const random = keyedRandom({ seed: 0, update: 0 }, STREAMS.resampling, 1);
    let count = 1; // the pattern that was seen
    for (let draw = 0; draw < DRAWN; draw += 1)
      count += Number(sumOf(() => random.next() % 2 === 1) >= least);
    return count / (DRAWN + 1);
  }
  const patterns = 2 ** differences.length;
  let count = 0;
  for (let pattern = 0; pattern < patterns; pattern += 1)
    count += Number(sumOf((at) => ((pattern >> at) & 1) === 1) >= least);
  return count / patterns;
}

const negated = (values: readonly number[]): readonly number[] => values.map((value) => -value);

/** Two-sided p of "no difference": twice the smaller of both sides, at most 1. */
export const permutationTest = (differences: readonly number[]): number =>
  Math.min(1, 2 * Math.min(signFlipTest(differences), signFlipTest(negated(differences))));

/**
 * p of "the arms differ by more than the band": the larger of two one-sided tests (TOST; Schuirmann 1987), each a sign-flip test of
 * the differences moved by the band. Small: they are equal within it.
 * @param band above 0, in the score's unit
 */
export const equivalenceTest = (differences: readonly number[], band: number): number =>
  Math.max(
    signFlipTest(differences.map((each) => each + band)),
    signFlipTest(differences.map((each) => band - each)),
  );

/** Of several comparisons each p as if it were the only one: Holm 1979, step down. */
export function holm(ps: readonly number[]): readonly number[] {
  const order = ps.map((_, index) => index).sort((a, b) => ps[a] - ps[b]);
  const adjusted = [...ps];
  let least = 0;
  order.forEach((index, place) => {
    least = Math.max(least, Math.min(1, ps[index] * (ps.length - place)));
    adjusted[index] = least;
  });
  return adjusted;
}

export interface PairedDifference {
  readonly pairs: number;
  readonly mean: number; // second arm − first, mean over all pairs
  readonly interval: Interval; // stratified bootstrap of the mean, pairs drawn within their task
  readonly range: Interval; // of the pairs: holds the median difference with probability 1 − 2¹⁻ⁿ, whatever their distribution
  readonly deviation: number; // of one difference
  readonly p: number; // two-sided, not adjusted
}

/** @param strata differences by task: strata[task][pair] @throws StatisticsError */
export function pairedDifference(strata: Strata, how: Resampling = RESAMPLING): PairedDifference {
  const all = strata.flat();
  const drawn = strata.filter((pairs) => pairs.length > 0);
  const interval = bootstrapInterval(drawn, (each) => mean(each.flat()), how);
  const range = { low: Math.min(...all), high: Math.max(...all) };
  const [centre, spread, p] = [mean(all), deviation(all), permutationTest(all)];
  return { pairs: all.length, mean: centre, interval, range, deviation: spread, p };
}

/**
 * Pairs that a two-sided test at 0.05 needs to find a difference four times in five: n ≈ (z₀.₉₇₅ + z₀.₈)²·s²/d² + z₀.₉₇₅²/2, the normal approximation of
 * the paired t test with Guenther's 1981 correction; never fewer than the exact test can reach 0.05 with.
 * @param comparisons among which it is one: the least is raised so that Holm's first step can be passed
 * @returns Infinity where the difference is 0
 */
export function pairsToDiffer(difference: number, spread: number, comparisons = 1): number {
  const wanted = ((Z_975 + Z_80) * (spread / Math.abs(difference))) ** 2 + Z_975 ** 2 / 2;
  return Math.max(leastPairs(2 * comparisons), difference === 0 ? Infinity : Math.ceil(wanted));
}

/** Pairs that find "equal within the band" four times in five, if the difference is as given. Infinity where it is outside. */
export function pairsToEqual(difference: number, spread: number, band: number): number {
  const room = band - Math.abs(difference);
  if (room <= 0) return Infinity;
  return Math.max(leastPairs(1), Math.ceil(((Z_95 + Z_80) * (spread / room)) ** 2 + Z_95 ** 2 / 2));
}

/** Pairs from which on an exact test of so many sides can reach 0.05: sides·2⁻ⁿ ≤ 0.05. */
export const leastPairs = (sides: number): number => Math.ceil(Math.log2(sides / ALPHA));

/** The least difference that so many pairs would find four times in five: (z₀.₉₇₅ + z₀.₈)·s/√n. */
export const detectableDifference = (spread: number, pairs: number): number =>
  ((Z_975 + Z_80) * spread) / Math.sqrt(pairs);
