/** What the page reads of an experiment: its answer, its numbers, its runs one by one, and how long the rest will take. Pure. */
import { collapseOf } from '../../experiment/collapse.ts';
import { armTitle, plannedRuns, type PlannedRun } from '../../experiment/experiment.ts';
import { resultsOf, type Results } from '../../experiment/report.ts';
import { curvesOf, type RunFile } from '../../experiment/results.ts';
import { heldRun, missingRuns, resultsIn, type HeldExperiment, type RunUnderWay } from './held.ts';

export { between, fixed, sayP, signed, type Comparison } from '../../experiment/answer.ts';
export { CURRENCY_NAMES, CURRENCY_UNITS } from '../../experiment/budget.ts';
export { canCollapse, type SignRecord } from '../../experiment/collapse.ts';
export { armRole, armTitle, sayBudget, type Experiment } from '../../experiment/experiment.ts';
export { DEFINITIONS, notes, saySign, saySigns, type Results } from '../../experiment/report.ts';
export { curvesOf, type ArmSummary, type RunFile } from '../../experiment/results.ts';

export type RunStanding = 'over' | 'failed' | 'under way' | 'waiting';

/** One run as its experiment shows it. */
export interface ShownRun {
  readonly planned: PlannedRun;
  readonly file: RunFile | null;
  readonly score: number | null; // held-out exact match, in [0, 1]
  readonly collapse: number | null; // the update from which on it has collapsed; null: it has not, or nobody can tell
  readonly failure: string | null;
  readonly standing: RunStanding;
}

export function shownRuns(held: HeldExperiment, underWay: RunUnderWay | null): readonly ShownRun[] {
  const { evaluation } = held.experiment;
  return plannedRuns(held.experiment).map((planned) => {
    const { file, failure } = heldRun(held, planned);
    const { after = null } = file?.heldOut ?? {};
    const isNow = underWay?.experiment === held.id && underWay.run === planned.id;
    return {
      ...{ planned, file, failure },
      score: (evaluation.score === 'greedy' ? after?.greedyExactMatch : after?.exactMatch) ?? null,
      collapse: file ? collapseOf(curvesOf(file)) : null,
      standing: file ? 'over' : failure !== null ? 'failed' : isNow ? 'under way' : 'waiting',
    };
  });
}

const readings = new WeakMap<HeldExperiment['runs'], Results>();

/** The answer as it stands; computed once for each run that comes in. */
export function readingOf(held: HeldExperiment): Results {
  const known = readings.get(held.runs);
  if (known) return known;
  const results = resultsOf(held.experiment, resultsIn(held));
  readings.set(held.runs, results);
  return results;
}

/** Seconds that the missing runs will take, by those that are over and the one under way; null: nothing is known yet. */
export function secondsLeft(held: HeldExperiment, underWay: RunUnderWay | null): number | null {
  const missing = missingRuns(held).length;
  if (missing === 0) return 0;
  const over = [...resultsIn(held).values()].map(({ used }) => used.seconds);
  const own = underWay?.experiment === held.id ? underWay : null;
  const perRun =
    over.length > 0
      ? over.reduce((sum, seconds) => sum + seconds, 0) / over.length
      : own && own.secondsPerUpdate !== null
        ? own.secondsPerUpdate * own.updates
        : null;
  if (perRun === null) return null;
  return perRun * (missing - (own ? own.update / own.updates : 0));
}

/** What one may say of a difference between runs by themselves, and of one that their experiment knows. */
export function sayCertainty(
  experiments: readonly HeldExperiment[],
  [first, ...others]: readonly string[],
): string {
  const found = others.map((other) => experimentOfRuns(experiments, first, other)).find((each) => each !== null); // prettier-ignore
  const alone = 'One run each: a difference in their curves may be chance, which only more seeds can tell (Experiments).'; // prettier-ignore
  if (!found) return alone;
  const { held, arms } = found;
  const titles = arms.map((name) => held.experiment.arms.find((arm) => arm.name === name)).map((arm) => arm && armTitle(arm)); // prettier-ignore
  const comparison = readingOf(held).comparisons.find(({ arm, base }) => titles.includes(arm) && titles.includes(base)); // prettier-ignore
  return comparison ? `Over all seeds of “${held.experiment.name}”: ${comparison.sentence}` : alone;
}

/** Of experiments that hold the runs of both dates: the newest, and the arms that they are runs of. */
export function experimentOfRuns(
  experiments: readonly HeldExperiment[],
  first: string,
  second: string,
): { readonly held: HeldExperiment; readonly arms: readonly [string, string] } | null {
  for (const held of experiments) {
    const armAt = (date: string): string | null => {
      const [id] = Object.entries(held.runs).find(([, run]) => run.date === date) ?? [];
      return plannedRuns(held.experiment).find((run) => run.id === id)?.arm ?? null;
    };
    const arms = [armAt(first), armAt(second)];
    if (arms[0] !== null && arms[1] !== null && arms[0] !== arms[1])
      return { held, arms: [arms[0], arms[1]] };
  }
  return null;
}
