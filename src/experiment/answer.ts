/** Whether one arm is better than another: an answer with its uncertainty, in a sentence. Pure. */
import { capital, countWords, plural } from '../units.ts';
import { armTitle, comparisonsOf, type Arm, type Experiment } from './experiment.ts';
import {
  ALPHA,
  detectableDifference,
  equivalenceTest,
  holm,
  leastPairs,
  pairedDifference,
  pairsToDiffer,
  pairsToEqual,
  permutationTest,
  type PairedDifference,
} from './paired.ts';
import { pairsOf, survivalPairs, type ArmSummary } from './results.ts';
import { improvementInterval, probabilityOfImprovement, type Interval } from './statistics.ts';

/** `identical`: the same score in every pair; `open`: not known yet. */
export type Verdict = 'better' | 'worse' | 'equal' | 'identical' | 'open';

export interface Comparison {
  readonly arm: string; // as it is called
  readonly base: string; // what it is compared with
  readonly difference: PairedDifference | null; // arm − base; null without a pair
  readonly adjusted: number | null; // p after Holm, over all comparisons of the experiment
  readonly improvement: number | null; // probability that a run of the arm beats one of its base
  readonly improvementInterval: Interval | null;
  readonly detectable: number | null; // difference that so many pairs would find four times in five
  readonly equivalence: number | null; // p of "they differ by more than the band"; null without a band
  /** p of "both survive as often": the exact McNemar test of pairs (sign flips of ±1), after Holm; null where no pair can tell. */
  readonly survival: number | null;
  readonly verdict: Verdict;
  readonly moreSeeds: number | null; // that would settle it, about; null where it is settled or cannot be told
  readonly sentence: string;
}

export const fixed = (value: number | null, digits = 3): string =>
  value === null || !Number.isFinite(value) ? '–' : value.toFixed(digits).replace('-', '−');
export const signed = (value: number, digits = 3): string =>
  `${value >= 0 ? '+' : ''}${fixed(value, digits)}`;
export const sayP = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`);

export const between = ({ low, high }: Interval): string => `${signed(low)} to ${signed(high)}`;

/** Beyond it nobody trains so many. */
const MOST_SEEDS = 1000;

interface Case {
  readonly experiment: Experiment;
  readonly arm: string;
  readonly base: string;
  readonly difference: PairedDifference;
  readonly adjusted: number;
  readonly improvement: number;
  readonly equivalence: number | null;
  readonly comparisons: number;
}

function verdictOf({ difference, adjusted, equivalence }: Case): Verdict {
  const { pairs, mean, interval, deviation } = difference;
  if (pairs < 2) return 'open';
  if (mean === 0 && deviation === 0) return 'identical';
  const isClear = adjusted <= ALPHA && (interval.low > 0 || interval.high < 0);
  if (isClear) return mean > 0 ? 'better' : 'worse';
  return equivalence !== null && equivalence <= ALPHA ? 'equal' : 'open';
}

/** Seeds beside those that there are, for the cheaper of both answers; null where neither is within reach. */
function seedsMissing({ experiment, difference, comparisons }: Case): number | null {
  const { pairs, mean, deviation } = difference;
  if (pairs < 2) return null;
  const band = experiment.equalWithin;
  const wanted = Math.min(
    pairsToDiffer(mean, deviation, comparisons),
    band === undefined ? Infinity : pairsToEqual(mean, deviation, band),
  );
  const more = Math.max(1, Math.ceil((wanted - pairs) / experiment.tasks.length));
  return more <= MOST_SEEDS ? more : null;
}

/** On one task each pair is a seed. */
const sayPairs = ({ experiment, difference }: Case): string =>
  countWords(difference.pairs, experiment.tasks.length === 1 ? 'seed' : 'pair');

function openSentence(at: Case, more: number | null): string {
  const { arm, base, difference, comparisons } = at;
  const { pairs, mean, range } = difference;
  const isFew = pairs < leastPairs(2);
  const interval = isFew ? range : difference.interval; // a bootstrap of so few promises what it does not keep
  if (pairs < 2)
    return `One pair of runs says nothing about chance: ${arm} scored ${signed(mean)} against ${base}.`;
  const isOneSided = interval.low > 0 || interval.high < 0;
  const seen = isOneSided
    ? `${arm} looks ${mean > 0 ? 'better' : 'worse'} than ${base}, but chance is not ruled out`
    : `No difference seen between ${arm} and ${base}`;
  const facts = `(${sayPairs(at)}): it is ${between(interval)} (${isFew ? `range of the pairs, which holds the median ${Math.floor(100 * (1 - 2 ** (1 - pairs)))} times in 100` : '95 % interval'}), ${signed(mean)} in the mean`; // prettier-ignore
  const few =
    pairs < leastPairs(2 * comparisons)
      ? ` ${sayPairs(at)} cannot reach p = ${ALPHA}${comparisons > 1 ? ` among ${comparisons} comparisons` : ''}, whatever they say.`
      : '';
  const next =
    more === null
      ? ` No number of seeds up to ${MOST_SEEDS} would settle a difference as small as this.`
      : ` About ${more} more ${plural(more, 'seed')} would settle this, if it stays as it is.`;
  return `${seen} ${facts}.${few}${next}`;
}

function sentenceOf(at: Case, verdict: Verdict, more: number | null): string {
  const { experiment, arm, base, difference, adjusted, improvement, equivalence } = at;
  const { mean, interval } = difference;
  const band = `±${experiment.equalWithin}`;
  switch (verdict) {
    case 'better':
    case 'worse': {
      const small = equivalence !== null && equivalence <= ALPHA ? `, though within ${band}` : '';
      return `${arm} is ${verdict} than ${base} by ${fixed(Math.abs(mean))}${small} (95 % interval ${between(interval)}; ${sayPairs(at)}, ${sayP(adjusted)}); a run of it beats one of ${base} with probability ${fixed(improvement, 2)}.`;
    }
    case 'equal':
      return `${arm} and ${base} are equal within ${band} (${sayPairs(at)}, ${sayP(equivalence ?? NaN)} of a larger difference; 95 % interval ${between(interval)}).`;
    case 'identical':
      return `${arm} and ${base} scored the same on all ${sayPairs(at)}.`;
    case 'open':
      return openSentence(at, more);
    default:
      return verdict satisfies never;
  }
}

/** Every arm against what it is compared with, on the seeds that both have. @param arms all of the experiment's, in its order */
export function compareArms(experiment: Experiment, arms: readonly ArmSummary[]): readonly Comparison[] {
  const summaryOf = (name: string): ArmSummary => arms.find(({ arm }) => arm.name === name)!;
  const compares = comparisonsOf(experiment).map(([arm, base]) => [summaryOf(arm.name), summaryOf(base.name)] as const); // prettier-ignore
  const strata = compares.map(([arm, base]) => pairsOf(base, arm));
  const differences = strata.map((pairs) => (pairs.flat().length === 0 ? null : pairedDifference(pairs)));
  const survivals = compares.map(([arm, base]) => survivalPairs(base, arm));
  const survival = holm(survivals.map((pairs) => (pairs.length === 0 ? 1 : permutationTest(pairs))));
  const adjusted = holm(differences.map((difference) => difference?.p ?? 1)); // what is missing counts as a comparison too
  return compares.map(([arm, base], index) => {
    const names = { arm: armTitle(arm.arm), base: armTitle(base.arm) };
    const difference = differences[index];
    if (!difference) return nothingYet(names);
    const tested = {
      ...{ difference, adjusted: adjusted[index], pairs: strata[index].flat(), comparisons: compares.length },
      survival: survivals[index].length === 0 ? null : survival[index],
    };
    return compared(experiment, names, [base, arm], tested);
  });
}

/** A title is written as words are, so a sentence that begins with it has a capital; a name is left as it is. */
const began = ({ title }: Arm, sentence: string): string =>
  title === undefined ? sentence : capital(sentence);

type Names = Pick<Comparison, 'arm' | 'base'>;

const nothingYet = (names: Names): Comparison => ({
  ...names,
  ...{ difference: null, adjusted: null, improvement: null, improvementInterval: null, detectable: null },
  ...{ equivalence: null, survival: null, verdict: 'open', moreSeeds: null },
  sentence: `Nothing is known of ${names.arm} yet: no seed has a score of it and of ${names.base}.`,
});

interface Tested {
  readonly difference: PairedDifference;
  readonly adjusted: number;
  readonly survival: number | null;
  readonly pairs: readonly number[];
  readonly comparisons: number;
}

/** '' where no run of either collapsed. */
function sayCollapses(arms: readonly ArmSummary[], survival: number | null): string {
  const counts = arms.flatMap(({ arm, survived }) =>
    survived ? [{ name: armTitle(arm), ...survived }] : [],
  );
  if (survival === null || counts.every(({ count, total }) => count === total)) return '';
  const said = counts.map(({ name, count, total }) => `${total - count} of ${total} runs of ${name}`);
  return ` ${said.join(' and ')} collapsed (${sayP(survival)}).`;
}

function compared(
  experiment: Experiment,
  names: Names,
  [base, other]: readonly [ArmSummary, ArmSummary],
  { difference, adjusted, survival, pairs, comparisons }: Tested,
): Comparison {
  const band = experiment.equalWithin;
  const equivalence = band === undefined ? null : equivalenceTest(pairs, band);
  const tasks = base.scores.flatMap((_, t) => {
    const of = ({ scores }: ArmSummary): number[] => scores[t].filter((score) => score !== null);
    const both = [of(other), of(base)] as const;
    return both.some((runs) => runs.length === 0) ? [] : [both];
  });
  const [x, y] = [tasks.map(([own]) => own), tasks.map(([, second]) => second)];
  const improvement = probabilityOfImprovement(x, y);
  const at: Case = { experiment, ...names, difference, adjusted, improvement, equivalence, comparisons };
  const verdict = verdictOf(at);
  const moreSeeds = verdict === 'open' ? seedsMissing(at) : null;
  return {
    ...{ ...names, difference, adjusted, improvement, equivalence, survival, verdict, moreSeeds },
    improvementInterval: improvementInterval(x, y),
    detectable: difference.pairs < 2 ? null : detectableDifference(difference.deviation, difference.pairs),
    sentence: began(other.arm, sentenceOf(at, verdict, moreSeeds)) + sayCollapses([other, base], survival),
  };
}
