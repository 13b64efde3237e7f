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

/** A run's share of right answers. @param dataset null: all that it was asked; null, too, where it does not say */
function shareOf(run: PlannedRun, runs: Runs, { questions, score }: Experiment['evaluation'], dataset: string | null): number | null {
  const right = runs.get(run.id)?.heldOut.after.right?.[score] ?? '';
  const at = dataset === null ? 0 : dataSetsOf(run).indexOf(dataset); // an arm may be asked others
  const some = dataset === null ? right : at < 0 ? '' : right.slice(at * questions, (at + 1) * questions);
  return some === '' ? null : mean(Array.from(some, Number));
} // prettier-ignore

/** @param task null: there is but one @param dataset null: all of the task's */
function titleOf(task: string | null, dataset: string | null): string {
  if (task === null) return dataset ?? 'all';
  return task === dataset ? task : `${task}, ${dataset ?? 'mean'}`;
}

/** Every data set of a task, and the task's mean where it has several. Empty where the experiment has one column in all. */
export function dataSetScores(experiment: Experiment, runs: Runs): readonly DataSetScores[] {
  const { arms, tasks, evaluation } = experiment;
  const planned = plannedRuns(experiment);
  const columns = tasks.flatMap(({ name: task }) => {
    const own = planned.filter((run) => run.task === task);
    const sets = [...new Set(own.flatMap(dataSetsOf))];
    return [...sets, ...(sets.length > 1 ? [null] : [])].map((dataset): DataSetScores => ({
      ...{ task, dataset },
      title: titleOf(tasks.length > 1 ? task : null, dataset),
      arms: arms.map(({ name }) => {
        const scores = own.flatMap((run) =>
          run.arm === name ? (shareOf(run, runs, evaluation, dataset) ?? []) : [],
        );
        return {
          mean: scores.length === 0 ? null : mean(scores),
          interval: scores.length < 2 ? null : bootstrapInterval([scores], (strata) => mean(strata.flat())),
        };
      }),
    }));
  });
  return columns.length > 1 ? columns : [];
}
