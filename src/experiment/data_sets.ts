/** Scores by data set, for runs that were evaluated on several: the columns of a paper's table. Pure. */
import { plannedRuns, type Experiment, type PlannedRun } from './experiment.ts';
import type { Runs } from './results.ts';
import { bootstrapInterval, mean, type Interval } from './statistics.ts';

/** One column. */
export interface DataSetScores {
  readonly task: string;
  readonly dataset: string | null; // null: all of the task's
  readonly title: string; // the task is named where there are several
  readonly arms: readonly { readonly mean: number | null; readonly interval: Interval | null }[]; // exact match, in the experiment's order
}

const SETTING = 'evaluation.datasets';

/** What a run is evaluated on, in the order of its answers; none where only its preset says. */
const dataSetsOf = ({ asked }: PlannedRun): readonly string[] =>
  asked.settings.findLast(([path]) => path === SETTING)?.[1].split(',') ?? [];

/** Every data set of a task, and the task's mean where it has several. Empty where the experiment has one column in all. */
export function dataSetScores(experiment: Experiment, runs: Runs): readonly DataSetScores[] {
  const { arms, tasks, evaluation } = experiment;
  const planned = plannedRuns(experiment);
  /** @param at place of the data set in the answers; null: all of them */
  const columnOf = (task: string, dataset: string | null, at: number | null): DataSetScores => {
    const scores = ({ id }: PlannedRun): readonly number[] => {
      const right = runs.get(id)?.heldOut.after.right?.[evaluation.score];
      if (!right) return [];
      const some =
        at === null ? right : right.slice(at * evaluation.questions, (at + 1) * evaluation.questions);
      return some === '' ? [] : [mean(Array.from(some, Number))];
    };
    return {
      ...{ task, dataset },
      title: [...(tasks.length > 1 ? [task] : []), dataset ?? (tasks.length > 1 ? 'mean' : 'all')].join(', '),
      arms: arms.map(({ name }) => {
        const own = planned.filter((run) => run.arm === name && run.task === task).flatMap(scores);
        return {
          mean: own.length === 0 ? null : mean(own),
          interval: own.length < 2 ? null : bootstrapInterval([own], (strata) => mean(strata.flat())),
        };
      }),
    };
  };
  const columns = tasks.flatMap(({ name }) => {
    const sets = dataSetsOf(planned.find(({ task }) => task === name) ?? planned[0]);
    const each = sets.map((dataset, at) => columnOf(name, dataset, at));
    return sets.length > 1 ? [...each, columnOf(name, null, null)] : each;
  });
  return columns.length > 1 ? columns : [];
}
