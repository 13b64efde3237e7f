/** An experiment as data: methods and settings × tasks × seeds, on a budget; and the runs that it stands for. Pure. */
import * as v from 'valibot';
import { issueReport, quote, wanted, whole } from '../protocol/schema.ts';
import { LabError, type ErrorReport } from '../units.ts';
import { CURRENCY_NAMES, CURRENCY_UNITS, type Budget } from './budget.ts';

/** A file that is no experiment, or runs that are not this experiment's. */
export class ExperimentError extends LabError {
  constructor(report: ErrorReport) {
    super('ExperimentError', report);
  }
}

const words = v.pipe(v.string('a text'), v.trim(), v.minLength(1, 'a text that is not empty'));
const NAME = /^[a-z0-9][a-z0-9_.-]{0,59}$/i;
const name = v.pipe(
  v.string('a name'),
  wanted((text) => NAME.test(text), 'a name of at most 60 letters, digits, _, - and .: it names files'),
);
const settings = v.optional(
  v.array(
    v.pipe(
      v.string('path=value'),
      wanted((text) => text.indexOf('=') > 0, 'path=value, as for --set of npm run lab'),
    ),
  ),
  [],
);

const named = <Entries extends v.ObjectEntries>(entries: Entries) => {
  const each = v.strictObject({ name, ...entries });
  return v.pipe(
    v.array(each),
    v.minLength(1, 'at least one'),
    wanted(
      (list) => new Set(list.map((entry) => (entry as { readonly name: string }).name)).size === list.length,
      'names that differ',
    ),
  );
};

const isEarlier = (against: string | null | undefined, arms: readonly { readonly name: string }[]): boolean =>
  typeof against !== 'string' || arms.some((arm) => arm.name === against);

const MOST_UPDATES = 100_000;
const amount = v.pipe(
  v.number('a number above 0'),
  wanted((value) => Number.isFinite(value) && value > 0, 'a number above 0'),
);

const schema = v.strictObject({
  name,
  question: words,
  base: v.strictObject({ preset: words, settings }),
  /**
   * `title`: as sentences call it; absent: its name. `against`: the earlier arm that it is compared with; absent: the first; null: none, it is
   * there for others to be compared with.
   */
  arms: v.pipe(
    named({
      title: v.exactOptional(words),
      algorithm: v.exactOptional(words),
      against: v.exactOptional(v.nullable(name)),
      settings,
    }),
    wanted(
      (arms) => arms.every((arm, at) => isEarlier(arm.against, arms.slice(0, at))),
      'in each arm’s “against” the name of an earlier arm, or null',
    ),
  ),
  tasks: v.optional(named({ settings }), [{ name: 'task', settings: [] }]),
  seeds: v.pipe(
    v.array(whole(0, 2 ** 32 - 1)),
    v.minLength(1, 'at least one seed'),
    wanted((list) => new Set(list).size === list.length, 'seeds that differ'),
  ),
  budget: v.pipe(
    v.strictObject({
      by: v.picklist(CURRENCY_NAMES, `one of ${CURRENCY_NAMES.join(', ')}`),
      amount,
      mostUpdates: v.optional(whole(1, MOST_UPDATES), 1000), // of a run whose budget is none of updates
    }),
    wanted(
      ({ by, amount: count }) => by !== 'updates' || (Number.isInteger(count) && count <= MOST_UPDATES),
      `a whole number of updates, at most ${MOST_UPDATES}`,
    ),
  ),
  evaluation: v.strictObject({
    questions: whole(1, 1000), // held out, per data set
    score: v.optional(v.picklist(['sampled', 'greedy'], 'sampled or greedy'), 'sampled'),
  }),
  /** Differences of the score that are as good as none; absent: "equal" is no answer. */
  equalWithin: v.exactOptional(
    v.pipe(
      v.number('a share between 0 and 1'),
      wanted((x) => x > 0 && x < 1, 'a share between 0 and 1'),
    ),
  ),
});

/** Scores are held-out exact match, in [0, 1]. */
export type Experiment = Readonly<v.InferOutput<typeof schema>>;
export type Arm = Experiment['arms'][number];
export type Task = Experiment['tasks'][number];

/** Of a file that is none. */
export const NO_EXPERIMENT = {
  what: 'This is no experiment',
  next: 'docs/experiments.md shows a whole one.',
};

/** @throws ExperimentError naming the first field that is not as it should be */
export function parseExperiment(value: unknown, file = 'experiment'): Experiment {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new ExperimentError(issueReport(result.issues, value, { ...NO_EXPERIMENT, root: file }));
}

/** What a file's text says. @param other what it is where it is no JSON, and what to do then @throws ExperimentError */
export function readJson(text: string, file: string, other: Pick<ErrorReport, 'what' | 'next'>): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const got = `text that is no JSON: ${quote(error instanceof Error ? error.message : '')}`;
    throw new ExperimentError({ ...other, where: file, got, wanted: 'one JSON object' });
  }
}

/** @throws ExperimentError where the text is no JSON, or no experiment */
export const readExperiment = (text: string, file: string): Experiment =>
  parseExperiment(readJson(text, file, NO_EXPERIMENT), file);

/** By what an arm is called in sentences. */
export const armTitle = ({ title, name: own }: Arm): string => title ?? own;

/** What a run is asked to be, before it is a configuration: a preset, and what is not as in it. */
export interface AskedRun {
  readonly preset: string;
  readonly algorithm: string | null; // null: the preset's
  readonly seed: number;
  readonly updates: number; // at most, where `until` is given
  readonly until: Budget | null; // null: all updates
  readonly evaluationQuestions: number; // per data set
  readonly settings: readonly (readonly [path: string, value: string])[]; // as typed; a later one counts
}

/** One run of an experiment. */
export interface PlannedRun {
  readonly id: string; // names its file; the same as long as arm, task and seed are
  readonly arm: string;
  readonly task: string;
  readonly seed: number;
  readonly asked: AskedRun;
  readonly options: readonly string[]; // the same for npm run lab
}

const pairOf = (text: string): readonly [string, string] => {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
};

function askedOf({ base, budget, evaluation }: Experiment, arm: Arm, task: Task, seed: number): AskedRun {
  const isUpdates = budget.by === 'updates';
  return {
    ...{ preset: base.preset, algorithm: arm.algorithm ?? null, seed },
    ...{ updates: isUpdates ? budget.amount : budget.mostUpdates, until: isUpdates ? null : budget },
    evaluationQuestions: evaluation.questions,
    settings: [...base.settings, ...task.settings, ...arm.settings].map(pairOf),
  };
}

const optionsOf = (asked: AskedRun): readonly string[] => [
  ...['--preset', asked.preset],
  ...(asked.algorithm === null ? [] : ['--algorithm', asked.algorithm]),
  ...['--seed', String(asked.seed), '--updates', String(asked.updates)],
  ...(asked.until ? ['--until', `${asked.until.by}=${asked.until.amount}`] : []),
  ...['--eval-questions', String(asked.evaluationQuestions)],
  ...asked.settings.flatMap(([path, value]) => ['--set', `${path}=${value}`]),
];

/**
 * All runs, seed by seed, so that a queue that is stopped early has compared every arm on the seeds that it came to. One seed means the same
 * training and held-out questions in every arm: differences are paired by task and seed.
 */
export function plannedRuns(experiment: Experiment): readonly PlannedRun[] {
  const { arms, tasks, seeds } = experiment;
  return seeds.flatMap((seed) =>
    tasks.flatMap((task) =>
      arms.map((arm) => {
        const asked = askedOf(experiment, arm, task, seed);
        return {
          id: [arm.name, ...(tasks.length > 1 ? [task.name] : []), seed].join('-'),
          ...{ arm: arm.name, task: task.name, seed, asked, options: optionsOf(asked) },
        };
      }),
    ),
  );
}

const settingOf = (list: readonly string[]): ReadonlyMap<string, string> => new Map(list.map(pairOf));

/** The arm that this one is compared with; null of one that is compared with none, as the first. */
export function comparedWith({ arms }: Experiment, arm: Arm): Arm | null {
  if (arm.against === null || arm.name === arms[0].name) return null;
  return arms.find(({ name: own }) => own === arm.against) ?? arms[0];
}

/** Pairs of an arm and what it is compared with, in the order of the arms. */
export const comparisonsOf = (experiment: Experiment): readonly (readonly [arm: Arm, base: Arm])[] =>
  experiment.arms.flatMap((arm) => {
    const base = comparedWith(experiment, arm);
    return base ? [[arm, base] as const] : [];
  });

/** What of an arm is not as in what it is compared with, or as in the first where that is none; '' of the first. */
export function armDifference(experiment: Experiment, arm: Arm): string {
  const { base, arms } = experiment;
  const from = comparedWith(experiment, arm) ?? arms[0];
  const [own, other] = [arm, from].map((each) => settingOf([...base.settings, ...each.settings]));
  const preset = 'the preset’s';
  const method =
    arm.algorithm === from.algorithm
      ? []
      : [`method ${arm.algorithm ?? preset} for ${from.algorithm ?? preset}`];
  const changed = [...new Set([...own.keys(), ...other.keys()])]
    .filter((path) => own.get(path) !== other.get(path))
    .map((path) => `${path} ${own.get(path) ?? preset} for ${other.get(path) ?? preset}`);
  return [...method, ...changed].join('; ');
}

/** What an arm is there for, in words: what others are compared with, or what is changed in it and in which arm. */
export function armRole(experiment: Experiment, arm: Arm): string {
  const { arms } = experiment;
  const pairs = comparisonsOf(experiment);
  const own = pairs.filter(([, base]) => base.name === arm.name).map(([other]) => armTitle(other));
  const base = comparedWith(experiment, arm);
  const names = own.length === arms.length - 1 ? 'the others are' : `${own.join(', ')} ${own.length === 1 ? 'is' : 'are'}`; // prettier-ignore
  const role = own.length === 0 ? 'compared with none' : `what ${names} compared with`;
  const difference = armDifference(experiment, arm);
  if (!base) return difference === '' ? role : `${difference}; ${role}`;
  return base.name === arms[0].name ? difference : `${difference}; compared with ${armTitle(base)}`;
}

/** A budget as a person says it. */
export const sayBudget = ({ by, amount: count }: Budget): string =>
  `${count.toLocaleString('en-US')} ${CURRENCY_UNITS[by]}${by === 'seconds' ? ' of rollout and training' : ''}`;
