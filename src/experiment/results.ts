/** What an experiment has so far: its runs' files, checked, and each arm in numbers. Pure. */
import * as v from 'valibot';
import { issueReport, quote } from '../protocol/schema.ts';
import { CURRENCY_NAMES, type Currency } from './budget.ts';
import { canCollapse, collapseOf, SIGNALS, type Curves } from './collapse.ts';
import {
  ExperimentError,
  NO_EXPERIMENT,
  parseExperiment,
  plannedRuns,
  readJson,
  type Arm,
  type Experiment,
  type PlannedRun,
} from './experiment.ts';
import {
  bootstrapInterval,
  interquartileMean,
  mean,
  wilsonInterval,
  type Interval,
  type Strata,
} from './statistics.ts';

const maybe = v.nullable(v.number()); // JSON has no NaN
const curve = v.exactOptional(v.array(maybe));
const digits = v.pipe(v.string('a digit per question'), v.regex(/^[01]*$/, 'a digit 0 or 1 per question'));
const scores = v.object({
  exactMatch: maybe,
  greedyExactMatch: maybe,
  right: v.exactOptional(v.object({ sampled: digits, greedy: digits })), // of each held-out question, where it was asked for
});
const metrics = v.object(
  Object.fromEntries(SIGNALS.map((name) => [name, curve])) as Record<(typeof SIGNALS)[number], typeof curve>,
);

const schema = v.object({
  id: v.string(),
  options: v.array(v.string()), // of npm run lab: what it was run with
  seed: v.number(),
  adapter: v.object({ vendor: v.string(), architecture: v.string() }),
  date: v.string(), // ISO 8601
  heldOut: v.object({ questions: v.number(), before: scores, after: scores }),
  used: v.object({
    ...{ updates: v.number(), tokens: v.number(), generated: v.number(), seconds: v.number() },
    calls: v.exactOptional(v.number()), // not counted before 2026-11-29
  }),
  metrics,
});

/** A run's file, as the queue writes it. */
export type RunFile = Readonly<v.InferOutput<typeof schema>>;

const OTHER = {
  what: 'This is no run of the experiment',
  next: 'Move it away, or give the experiment another folder with --out.',
};

/**
 * The text of a file that stands where this run's should.
 * @throws ExperimentError where it is no run, or one of other settings
 */
export function readRunFile(text: string, planned: PlannedRun, file: string): RunFile {
  return checkRunFile(readJson(text, file, OTHER), planned, file);
}

/** @throws ExperimentError where the value is no run, or one of other settings */
export function checkRunFile(value: unknown, planned: PlannedRun, file: string): RunFile {
  const result = v.safeParse(schema, value);
  if (!result.success) throw new ExperimentError(issueReport(result.issues, value, { ...OTHER, root: file }));
  const { options } = result.output;
  if (options.join(' ') === planned.options.join(' ')) return result.output;
  throw new ExperimentError({
    ...{ ...OTHER, where: file },
    got: `a run of ${quote(options.join(' '))}`,
    wanted: planned.options.join(' '),
  });
}

const together = v.object({
  format: v.literal('turnwise experiment'),
  version: v.literal(1),
  experiment: v.unknown(),
  runs: v.array(v.object({ id: v.string() })),
});

/** An experiment and the runs that it has, in one file. */
export const writeResultsFile = (experiment: Experiment, runs: Runs): string =>
  `${JSON.stringify({ format: 'turnwise experiment', version: 1, experiment, runs: [...runs.values()] })}\n`;

/**
 * What a file says that a person opens: an experiment with its runs, or one alone, which has none yet.
 * @throws ExperimentError where it is neither, or holds a run that is none of the experiment's
 */
export function readResultsFile(
  text: string,
  file: string,
): { readonly experiment: Experiment; readonly runs: Runs } {
  const value = readJson(text, file, NO_EXPERIMENT);
  const result = v.safeParse(together, value);
  if (!result.success) return { experiment: parseExperiment(value, file), runs: new Map() };
  const experiment = parseExperiment(result.output.experiment, file);
  const runs = (value as { readonly runs: readonly unknown[] }).runs;
  const planned = plannedRuns(experiment);
  return {
    experiment,
    runs: new Map(
      result.output.runs.map(({ id }, index) => {
        const of = planned.find((run) => run.id === id);
        const where = `${file}.runs.${index}`;
        if (of) return [id, checkRunFile(runs[index], of, where)] as const;
        const wanted = `one of ${planned.map((run) => run.id).join(', ')}`;
        throw new ExperimentError({ ...OTHER, where, got: quote(id), wanted });
      }),
    ),
  };
}

/** Runs by id. */
export type Runs = ReadonlyMap<string, RunFile>;

/** Mean per run; null where there is none, or one does not say. */
export type MeanSpending = Readonly<Record<Currency, number | null>>;

/** One arm so far. */
export interface ArmSummary {
  readonly arm: Arm;
  /** By task, in the order of the seeds; null where there is no run, or it has no score. */
  readonly scores: readonly (readonly (number | null)[])[];
  /** By task and seed: whether the run did not collapse; null where there is none, or it is too short to tell. */
  readonly alive: readonly (readonly (boolean | null)[])[];
  readonly strata: Strata; // the scores that there are, of tasks that have any
  readonly runs: number;
  readonly unscored: number; // of the runs: their evaluation is not finite
  readonly interquartileMean: number | null; // null without a score
  readonly interval: Interval | null;
  readonly mean: number | null;
  readonly survived: { readonly count: number; readonly total: number; readonly interval: Interval } | null; // null: no run is long enough to tell
  readonly meanOfSurvivors: number | null;
  readonly used: MeanSpending;
}

export const curvesOf = ({ metrics: curves }: RunFile): Curves => curves;

/** Held-out exact match after training, in [0, 1]; null where it is not finite. */
const scoreOf = ({ evaluation }: Experiment, { heldOut: { after } }: RunFile): number | null =>
  evaluation.score === 'greedy' ? after.greedyExactMatch : after.exactMatch;

/** Whether a run did not collapse; null: it is too short to tell. */
function isAlive(run: RunFile): boolean | null {
  const curves = curvesOf(run);
  return canCollapse(curves) ? collapseOf(curves) === null : null;
}

/** Every arm of the experiment, in its order. */
export function summariseArms(experiment: Experiment, runs: Runs): readonly ArmSummary[] {
  const planned = plannedRuns(experiment);
  const of = ({ name }: Arm): readonly PlannedRun[] => planned.filter((run) => run.arm === name);
  return experiment.arms.map((arm) => summariseArm(experiment, arm, of(arm), runs));
}

function summariseArm(
  experiment: Experiment,
  arm: Arm,
  planned: readonly PlannedRun[],
  runs: Runs,
): ArmSummary {
  const own = planned.flatMap(({ id }) => runs.get(id) ?? []);
  const byTask = <T>(of: (run: RunFile) => T | null): readonly (readonly (T | null)[])[] =>
    experiment.tasks.map(({ name }) =>
      planned
        .filter(({ task }) => task === name)
        .map(({ id }) => {
          const run = runs.get(id);
          return run ? of(run) : null;
        }),
    );
  const scores = byTask((run) => scoreOf(experiment, run));
  const alive = byTask(isAlive);
  const strata = scores
    .map((task) => task.filter((score) => score !== null))
    .filter((task) => task.length > 0);
  const told = alive.flat().filter((is) => is !== null);
  const [count, total] = [told.filter(Boolean).length, told.length];
  const surviving = own.filter(isAlive).map((run) => scoreOf(experiment, run)).filter((score) => score !== null); // prettier-ignore
  const all = strata.flat();
  return {
    ...{ arm, scores, alive, strata, runs: own.length, unscored: own.length - all.length },
    interquartileMean: all.length === 0 ? null : interquartileMean(strata),
    interval: all.length < 2 ? null : bootstrapInterval(strata, interquartileMean),
    mean: all.length === 0 ? null : mean(all),
    survived: total === 0 ? null : { count, total, interval: wilsonInterval(count, total) },
    meanOfSurvivors: surviving.length === 0 ? null : mean(surviving),
    used: meanSpending(own),
  };
}

function meanSpending(runs: readonly RunFile[]): MeanSpending {
  const of = (name: Currency): readonly [Currency, number | null] => {
    const said = runs.flatMap(({ used }) => used[name] ?? []);
    return [name, said.length === 0 || said.length < runs.length ? null : mean(said)];
  };
  return Object.fromEntries(CURRENCY_NAMES.map(of)) as Record<Currency, number | null>; // of each name one
}

const differences = (
  first: readonly (readonly (number | null)[])[],
  second: readonly (readonly (number | null)[])[],
): Strata =>
  first.map((task, t) =>
    task.flatMap((value, s) => {
      const other = second[t][s];
      return value === null || other === null ? [] : [other - value];
    }),
  );

/** Differences of the score, second − first, by task, of seeds that both have. */
export const pairsOf = (first: ArmSummary, second: ArmSummary): Strata =>
  differences(first.scores, second.scores);

/** The same of survival: 1 where only the second survived, −1 where only the first did. */
export const survivalPairs = (first: ArmSummary, second: ArmSummary): readonly number[] => {
  const numbers = ({ alive }: ArmSummary) => alive.map((task) => task.map((is) => (is === null ? null : Number(is)))); // prettier-ignore
  return differences(numbers(first), numbers(second)).flat();
};
