/**
 * Where the spread of held-out scores comes from: from seeds, so that another seed would train another policy, or from questions, so that
 * others of their kind would give another score. Told apart by the answers to single questions, which all runs share. Pure.
 */
import { comparisonsOf, plannedRuns, type Arm, type Experiment } from './experiment.ts';
import type { Runs } from './results.ts';
import { mean, StatisticsError } from './statistics.ts';

/** Variances of one answer (right 1, wrong 0; or a difference of two), each not negative. */
export interface VarianceComponents {
  readonly seed: number; // of what a seed adds to all its answers
  readonly question: number; // of what a question adds in every seed: some are harder
  readonly rest: number; // of what is left of a single answer, sampling among it
}

const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value * value, 0);

/**
 * Two-way crossed random effects with one answer a cell, y[s][q] = μ + a_s + b_q + e_sq, by the method of moments: mean squares of seeds, of
 * questions and of what is left have the expectations σ²_e + Q·σ²_a, σ²_e + S·σ²_b and σ²_e. Estimates below 0 are 0.
 * @param answers S rows of seeds with Q questions each, S and Q at least 2
 * @see Searle, Casella, McCulloch 1992, "Variance components", chapter 4
 * @throws StatisticsError
 */
export function varianceComponents(answers: readonly (readonly number[])[]): VarianceComponents {
  const [seeds, questions] = [answers.length, answers[0]?.length ?? 0];
  if (seeds < 2 || questions < 2 || answers.some((row) => row.length !== questions))
    throw new StatisticsError('variance components', answers.map((row) => row.length), 'two seeds at least, of the same two questions at least'); // prettier-ignore
  const rows = answers.map(mean);
  const columns = answers[0].map((_, q) => mean(answers.map((row) => row[q])));
  const all = mean(rows);
  const ofSeeds = (questions * squares(rows.map((value) => value - all))) / (seeds - 1);
  const ofQuestions = (seeds * squares(columns.map((value) => value - all))) / (questions - 1);
  const left = answers.flatMap((row, s) => row.map((value, q) => value - rows[s] - columns[q] + all));
  const rest = squares(left) / ((seeds - 1) * (questions - 1));
  return {
    seed: Math.max(0, (ofSeeds - rest) / questions),
    question: Math.max(0, (ofQuestions - rest) / seeds),
    rest,
  };
}

/** Standard deviations and errors of scores, in the unit of the score. */
export interface Spread {
  readonly seeds: number;
  readonly questions: number;
  readonly bySeed: number; // deviation between seeds, beyond what the luck of their answers explains
  readonly byQuestion: number; // deviation of one seed's score over draws of so many questions
  readonly standardError: number; // of the mean over these seeds and questions
  readonly seedShare: number; // of that error's square, what more seeds alone would lessen; 0 where there is no error
}

/** @throws StatisticsError as varianceComponents */
export function spreadOf(answers: readonly (readonly number[])[]): Spread {
  const { seed, question, rest } = varianceComponents(answers);
  const [seeds, questions] = [answers.length, answers[0].length];
  const ofSeeds = seed / seeds;
  const error = ofSeeds + question / questions + rest / (seeds * questions);
  return {
    ...{ seeds, questions, bySeed: Math.sqrt(seed), byQuestion: Math.sqrt((question + rest) / questions) },
    standardError: Math.sqrt(error),
    seedShare: error === 0 ? 0 : ofSeeds / error,
  };
}

/** The spread of an arm's scores on a task, or of its differences from what it is compared with. */
export interface ArmSpread extends Spread {
  readonly arm: string;
  readonly task: string;
  readonly less: string | null; // the arm that it is a difference from; null: of the scores themselves
}

/** Of every arm and task with the answers of two seeds at least; differences over the seeds that both arms have. */
export function spreads(experiment: Experiment, runs: Runs): readonly ArmSpread[] {
  const { tasks, seeds, evaluation } = experiment;
  const ids = new Map(
    plannedRuns(experiment).map(({ id, arm, task, seed }) => [`${arm} ${task} ${seed}`, id]),
  );
  const answersOf = (arm: string, task: string, seed: number): readonly number[] | null => {
    const right = runs.get(ids.get(`${arm} ${task} ${seed}`) ?? '')?.heldOut.after.right;
    return right ? Array.from(right[evaluation.score], Number) : null;
  };
  const spread = (arm: string, task: string, less: string | null): readonly ArmSpread[] => {
    const rows = seeds.flatMap((seed) => {
      const own = answersOf(arm, task, seed);
      const other = less === null ? own : answersOf(less, task, seed);
      if (!own || own.length !== other?.length) return [];
      return [less === null ? own : own.map((value, q) => value - other[q])];
    });
    const isEnough = rows.length > 1 && rows[0].length > 1 && rows.every((row) => row.length === rows[0].length); // prettier-ignore
    return isEnough ? [{ arm, task, less, ...spreadOf(rows) }] : [];
  };
  const each = ({ name }: Arm, base: Arm | null): readonly ArmSpread[] =>
    tasks.flatMap((task) => spread(name, task.name, base?.name ?? null));
  return [
    ...experiment.arms.flatMap((arm) => each(arm, null)),
    ...comparisonsOf(experiment).flatMap(([arm, base]) => each(arm, base)),
  ];
}
