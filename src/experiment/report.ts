/** An experiment's page: the answer, the numbers beside it and what they mean. Pure: from the experiment and its runs' files alone. */
import { between, compareArms, fixed, sayP, signed, type Comparison } from './answer.ts';
import { CURRENCIES, CURRENCY_NAMES, CURRENCY_UNITS } from './budget.ts';
import { canCollapse, collapseOf, earlySigns, type Curves, type Sign, type SignRecord } from './collapse.ts';
import { armRole, plannedRuns, sayBudget, type Experiment } from './experiment.ts';
import { curvesOf, summariseArms, type ArmSummary, type MeanSpending, type Runs } from './results.ts';
import { plural } from '../units.ts';
import { performanceProfile, RESAMPLING, type Interval } from './statistics.ts';
import { spreads, type ArmSpread } from './variance.ts';
import { dataSetScores, type DataSetScores } from './data_sets.ts';

/** All that the page says, as data. */
export interface Results {
  readonly experiment: Experiment;
  readonly planned: number; // runs
  readonly runs: number; // that there are
  readonly adapters: readonly string[];
  readonly dates: readonly string[]; // days
  readonly arms: readonly ArmSummary[];
  readonly comparisons: readonly Comparison[];
  readonly collapses: Readonly<Record<string, number>>; // update of the collapse, by run
  readonly signs: readonly SignRecord[];
  readonly spreads: readonly ArmSpread[]; // none where runs do not tell their answers
  readonly dataSets: readonly DataSetScores[]; // none where there are not several
}

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)].sort();

/** @param runs by id; those that are missing are counted, not guessed */
export function resultsOf(experiment: Experiment, runs: Runs): Results {
  const all = [...runs.values()];
  const arms = summariseArms(experiment, runs);
  const collapses = all.flatMap((run) => {
    const update = collapseOf(curvesOf(run));
    return update === null ? [] : [[run.id, update] as const];
  });
  return {
    experiment,
    planned: plannedRuns(experiment).length,
    runs: all.length,
    adapters: unique(all.map(({ adapter }) => `${adapter.vendor} ${adapter.architecture}`)),
    dates: unique(all.map(({ date }) => date.slice(0, 10))),
    arms,
    comparisons: compareArms(experiment, arms),
    collapses: Object.fromEntries(collapses),
    signs: earlySigns(all.map(curvesOf)),
    spreads: spreads(experiment, runs),
    dataSets: dataSetScores(experiment, runs),
  };
}

const cellsOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [cellsOf(head), cellsOf(head.map(() => '---')), ...rows.map(cellsOf)].join('\n');

const range = (interval: Interval | null): string =>
  interval ? `${fixed(interval.low)} to ${fixed(interval.high)}` : '–';

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const spentCells = (used: MeanSpending): readonly string[] =>
  CURRENCY_NAMES.map((name) => (used[name] === null ? '–' : whole(used[name])));

const code = (text: string): string => `\`${text}\``;

function scoreRows({ experiment, arms }: Results): readonly (readonly string[])[] {
  return arms.flatMap((summary) =>
    summary.scores.map((scores, t) => [
      code(summary.arm.name),
      ...(experiment.tasks.length > 1 ? [experiment.tasks[t].name] : []),
      ...scores.map((score) => fixed(score)),
    ]),
  );
}

const armRow = (experiment: Experiment, summary: ArmSummary): readonly string[] => {
  const { arm, runs, survived, meanOfSurvivors } = summary;
  return [
    code(arm.name),
    armRole(experiment, arm),
    String(runs),
    fixed(summary.interquartileMean),
    range(summary.interval),
    fixed(summary.mean),
    survived ? `${survived.count} of ${survived.total} (${range(survived.interval)})` : 'not known',
    fixed(meanOfSurvivors),
    ...spentCells(summary.used),
  ];
};

const barePOf = (p: number | null): string =>
  p === null ? '–' : sayP(p).replace('p = ', '').replace('p ', '');

const comparisonRow = ({ arm, base, difference, adjusted, improvement, improvementInterval, detectable, equivalence, survival }: Comparison) => [
  code(arm),
  code(base),
  String(difference?.pairs ?? 0),
  difference ? signed(difference.mean) : '–',
  difference ? between(difference.interval) : '–',
  barePOf(adjusted),
  improvement === null ? '–' : `${fixed(improvement, 2)} (${range(improvementInterval)})`,
  fixed(detectable),
  barePOf(equivalence),
  barePOf(survival),
]; // prettier-ignore

/** A row an arm, a column a data set; '' where there are not several. */
function dataSetPart({ experiment: { arms }, dataSets }: Results): string {
  if (dataSets.length === 0) return '';
  const cell = ({ mean, interval }: DataSetScores['arms'][number]): string =>
    mean === null ? '–' : `${fixed(mean)}${interval ? ` (${range(interval)})` : ''}`;
  const rows = arms.map(({ name }, a) => [code(name), ...dataSets.map((set) => cell(set.arms[a]))]);
  return `## By data set\n\n${table(['arm', ...dataSets.map(({ title }) => title)], rows)}`;
}

/** Seeds and questions as sources of the spread; '' where no run tells its answers. */
function spreadPart({ spreads: list }: Results): string {
  if (list.length === 0) return '';
  const rows = list.map(({ arm, task, less, seeds, questions, bySeed, byQuestion, standardError, seedShare }) => [
    less === null ? code(arm) : `${code(arm)} − ${code(less)}`,
    task,
    `${seeds} × ${questions}`,
    fixed(bySeed),
    fixed(byQuestion),
    fixed(standardError),
    `${Math.round(100 * seedShare)} %`,
  ]); // prettier-ignore
  const head = ['score of', 'task', 'seeds × questions', 'deviation by seed', 'deviation by questions', 'standard error of the mean', 'of it (squared) by seeds']; // prettier-ignore
  return `## Seeds or questions\n\n${table(head, rows)}`;
}

const THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const profileRow = ({ arm, strata }: ArmSummary): readonly string[] => [
  code(arm.name),
  ...(strata.length === 0
    ? THRESHOLDS.map(() => '–')
    : performanceProfile(strata, THRESHOLDS).map((share) => fixed(share, 2))),
];

const SIGNAL_WORDS: Readonly<Record<Sign['signal'], string>> = {
  exactMatch: 'exact match',
  deadTrees: 'dead trees',
  depth: 'turns beyond the first',
  entropy: 'entropy',
  clipFraction: 'clip fraction',
  malformed: 'malformed leaves',
};

export const saySign = ({ signal, of, side, threshold }: Sign): string =>
  `${SIGNAL_WORDS[signal]} ${side === 'above' ? 'at least' : 'below'} ${threshold}${of === 'value' ? '' : ' of the start’s'}`;

/** Every sign that was tried, none left out: a threshold that is chosen by this table is chosen on the same runs, and looks better than it is. */
export function signTable(signs: readonly SignRecord[]): string {
  const rows = signs
    .filter(({ collapsed, survived }) => collapsed + survived > 0)
    .map(({ sign, collapsed, inTime, lead, survived, falseAlarms, hitInterval, falseInterval }) => [
      saySign(sign),
      `${inTime} of ${collapsed} (${range(hitInterval)})`,
      lead === null ? '–' : String(lead),
      `${collapsed - inTime}`,
      `${falseAlarms} of ${survived} (${range(falseInterval)})`,
    ]);
  return table(['warning', 'collapses told before (95 %)', 'updates before, median', 'missed', 'false alarms (95 %)'], rows); // prettier-ignore
}

/** With fewer a share told in time is uncertain by 0.3 and more on either side. */
const FEW_COLLAPSES = 10;

/** Which warning came first, in words. @param runs those of the table */
export function saySigns(signs: readonly SignRecord[], runs: readonly Curves[]): string {
  const told = runs.filter(canCollapse);
  const collapsed = told.filter((curves) => collapseOf(curves) !== null).length;
  const short = told.length === runs.length ? '' : `${runs.length - told.length} of ${runs.length} runs are too short to tell. `; // prettier-ignore
  if (told.length === 0) return 'No run is long enough to tell a collapse.';
  if (collapsed === 0) return `${short}None of the ${told.length} runs collapsed, so no sign can have told it; what they warned of was a false alarm.`; // prettier-ignore
  const score = ({ inTime, collapsed: down, falseAlarms, survived }: SignRecord): number =>
    (down === 0 ? 0 : inTime / down) - (survived === 0 ? 0 : falseAlarms / survived);
  const best = signs.toSorted((a, b) => score(b) - score(a) || (b.lead ?? 0) - (a.lead ?? 0))[0];
  return `${short}${collapsed} of ${told.length} runs collapsed. The largest share told in time less the share of false alarms has “${saySign(best.sign)}”: ${best.inTime} of ${best.collapsed} told, ${best.lead ?? 0} updates before in the median, ${best.falseAlarms} false alarms in ${best.survived} runs. It was chosen on these runs, so on others it will do worse${collapsed < FEW_COLLAPSES ? `; ${collapsed} ${plural(collapsed, 'collapse')} cannot tell one warning from the next (see the intervals)` : ''}.`; // prettier-ignore
}

export const COLLAPSE_WORDS =
  'A run has collapsed where, from some update to its end, windows of five updates say: answers are no better than at the start (exact match of the first chains has risen by less than 0.05), and paths are short (less than half of the start’s turns beyond the first) or trees are dead (0.6 and more). Told from ten updates on.';

/** What stands under the numbers: a term, and what it is here. */
export const DEFINITIONS: readonly (readonly [term: string, text: string])[] = [
  [
    'Score',
    `exact match on held-out questions after training, between 0 and 1. Runs of one seed share training and held-out questions, in every arm.`,
  ],
  [
    'IQM',
    `interquartile mean, the mean of what is left when a quarter of the scores is cut at each end; its interval is a stratified bootstrap (runs drawn within their task, ${RESAMPLING.resamples} resamples, percentiles, 95 %). With few runs it is too narrow: of five normal scores it holds the truth 90 times in 100, of three 72 (Agarwal et al. 2021, arXiv 2108.13264, sections 4.1 and 4.3).`,
  ],
  [
    'By data set',
    `mean over seeds of the share of its questions, and the bootstrap interval of that mean over seeds (too narrow below ten, as above). Nothing is tested here: with so many columns some difference looks large by chance.`,
  ],
  [
    'Difference',
    `mean over pairs of one task and seed, with the bootstrap interval of pairs (too narrow below ten, as above); **p** is the exact sign-flip test of "no difference", two-sided, Holm's correction over all comparisons. An arm is called better or worse where p ≤ 0.05 and the interval leaves 0 out.`,
  ],
  [
    'Probability of improvement',
    `that a run of the arm beats a run of what it is compared with (Mann–Whitney; section 4.3).`,
  ],
  [
    'Detectable',
    `the difference that so many pairs find four times in five. **p of equal**: of the arms differing by more than the band (two one-sided sign-flip tests).`,
  ],
  [
    'Survival',
    `share of runs that did not collapse, with Wilson's interval (1927); its p is the exact McNemar test (1947) of pairs, after Holm. ${COLLAPSE_WORDS}`,
  ],
  [
    'Deviation by seed, by questions',
    `of one run's score, over seeds beyond what the luck of single answers explains, and over other draws of as many questions. Variance components of answers (seed × question, crossed) by the method of moments; with few seeds the first is a rough guess. More seeds lessen the seeds' share of the standard error, more questions the rest.`,
  ],
  ['Performance profile', `share of runs with a score above the threshold (section 4.2).`],
  [
    'Currencies',
    `${CURRENCY_NAMES.map((name) => `${name}: ${CURRENCIES[name]}`).join('; ')}. Mean per run. A run ends after the update in which its budget is used up. What a method samples beside its trees is in the seconds alone.`,
  ],
];

/** What a reader must know before the numbers. */
export const notes = ({ planned, runs, arms, adapters }: Results): readonly string[] => {
  const unscored = arms.reduce((sum, arm) => sum + arm.unscored, 0);
  return [
    ...(runs < planned ? [`**${planned - runs} of ${planned} runs are not there yet.**`] : []),
    ...(adapters.length > 1
      ? ['**Runs of several adapters are mixed**: one seed may sample other tokens on each.']
      : []),
    ...(unscored > 0 ? [`${unscored} runs have no finite score and are left out.`] : []),
  ];
};

/**
 * The page as Markdown.
 * @param command that made the runs
 * @param runs by id, those of `results`
 */
export function markdownOf(results: Results, command: string, runs: Runs): string {
  const { experiment, arms, comparisons, adapters, dates } = results;
  const { budget, seeds, evaluation } = experiment;
  const taskHead = experiment.tasks.length > 1 ? ['task'] : [];
  const of = `Preset \`${experiment.base.preset}\`${experiment.base.settings.map((text) => `, \`${text}\``).join('')}; budget per run: ${sayBudget(budget)}; ${evaluation.questions} held-out questions per data set, ${evaluation.score}.`;
  const where = `Adapter ${adapters.join(', ') || 'not known yet'}; ${dates.join(', ') || 'no date yet'}; seeds ${seeds.join(', ')}.`;
  const answers =
    comparisons.length === 0
      ? ['One arm: nothing is compared.']
      : comparisons.map(({ sentence }) => `- ${sentence}`);
  const curves = [...runs.values()].map(curvesOf);
  const parts = [
    `# ${experiment.name}`,
    experiment.question,
    `Made from the files in \`runs\`; do not edit by hand. \`${command}\`\n\n${of} ${where}`,
    ...notes(results),
    `## Answer\n\n${answers.join('\n')}`,
    `## Scores\n\n${table(['arm', ...taskHead, ...seeds.map((seed) => `seed ${seed}`)], scoreRows(results))}`,
    table(
      ['arm', 'differs in', 'runs', 'IQM', '95 %', 'mean', 'survived (95 %)', 'mean of survivors', ...CURRENCY_NAMES.map((name) => CURRENCY_UNITS[name])], // prettier-ignore
      arms.map((arm) => armRow(experiment, arm)),
    ),
    `## Differences\n\n${table(
      [
        'arm',
        'against',
        'pairs',
        'difference',
        '95 %',
        'p',
        'probability of improvement (95 %)',
        'detectable',
        'p of equal',
        'p of survival',
      ],
      comparisons.map(comparisonRow),
    )}`,
    ...[dataSetPart(results), spreadPart(results)].filter((part) => part !== ''),
    `## Share of runs above\n\n${table(['arm', ...THRESHOLDS.map(String)], arms.map(profileRow))}`,
    `## Early signs\n\n${saySigns(results.signs, curves)}${curves.some(canCollapse) ? `\n\n${signTable(results.signs)}` : ''}`,
    `## What the words mean\n\n${DEFINITIONS.map(([term, text]) => `- **${term}**: ${text}`).join('\n')}`,
  ];
  return `${parts.join('\n\n')}\n`;
}
