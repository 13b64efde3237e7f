/** `npm run lab` as a page runs it: the engine in its worker, without the UI. scripts/lab.mjs is the command line. */
import { plateauCaution } from '../../algo/reward/boundary.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import { grownRows } from '../../algo/catalogue/defaults.ts';
import { editLabel, gradientVerdict, shorten, withKernel, type RunConfig } from '../../units.ts';
import {
  algorithmCatalogue,
  environmentCatalogue,
  knobCatalogue,
  presetCatalogue,
} from '../config/catalogue.ts';
import { startEngine, type EngineClient } from './client.ts';
import {
  heldOutNow,
  isKind,
  play,
  sayReport,
  startOf,
  type Ending,
  type LabProgress,
  type Played,
} from './lab_play.ts';
import { parseRunConfig, parseSettings, withSetting } from '../config/config.ts';
import { RunConfigError } from '../../protocol/errors.ts';
import { presets, withAlgorithm } from '../config/presets.ts';
import {
  type EventOf,
  type AdapterDescription,
  type AlgorithmDescription,
  type KnobRange,
  type RunEvent,
  type UpdateMetrics,
} from '../../protocol/protocol.ts';
import { NOTHING_SPENT, spend, type Spending } from '../../experiment/budget.ts';
import { writeBundle } from '../../files/bundle.ts';
import { sixDigits, writeRecording } from '../../files/recording.ts';
import { tracesOfLog } from '../../files/rollouts/traces.ts';

export interface LabOptions {
  readonly preset: string;
  readonly algorithm: string | null; // null: the preset's
  readonly seed: number | null;
  readonly updates: number | null;
  readonly evaluationQuestions: number; // per data set
  readonly settings: readonly (readonly [path: string, value: string])[]; // as typed: path=value
  readonly kernel?: readonly [name: string, source: string] | null; // WGSL in place of the lab's own
}

const unknown = (what: string, where: string, got: string, known: Iterable<string>): RunConfigError =>
  new RunConfigError({
    what: `There is no such ${what}`,
    where,
    got: shorten(got),
    wanted: `one of ${[...known].join(', ')}`,
    next: 'See npm run lab -- --list.',
  });

/** A typed value as its setting wants it. */
function readValue(text: string, range: KnobRange | undefined): unknown {
  if (range?.kind === 'choices') return text.split(',');
  if (range?.kind === 'choice') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // a name; parseRunConfig says whether it is one
  }
}

/**
 * The configuration that a command line asks for. Evaluates only before and after, unless a setting says otherwise or
 * the reward follows validations (BAPO), which are then as often as the preset has them;
 * leaves per tree follow the tree's shape unless they are set themselves.
 * @throws RunConfigError naming what is wrong and what there is
 */
export function labConfig(options: LabOptions): RunConfig {
  const preset = presets.get(options.preset);
  if (!preset) throw unknown('preset', '--preset', options.preset, presets.keys());
  let config = preset.config;
  if (options.algorithm !== null) {
    const algorithm = algorithmCatalogue().find(({ name }) => name === options.algorithm);
    if (!algorithm) throw unknown('algorithm', '--algorithm', options.algorithm, Object.keys(algorithms));
    config = withAlgorithm(config, algorithm.config);
  }
  const { seed = null, updates = null, evaluationQuestions: questions } = options;
  const evaluation = { ...config.evaluation, every: 0, questions };
  config = { ...config, seed: seed ?? config.seed, updates: updates ?? config.updates, evaluation };
  const knobs = new Map(knobCatalogue().map(({ path, range }) => [path, range]));
  for (const [path, text] of options.settings)
    config = withSetting(config, path, readValue(text, knobs.get(path)));
  config = parseSettings(config); // before anything is read from a group that may have been set to something else
  const everySet = options.settings.some(([path]) => path === EVERY_PATH);
  if (!everySet && config.algorithm.reward.rule === 'boundary')
    config = withSetting(config, EVERY_PATH, preset.config.evaluation.every);
  const leavesSet = options.settings.some(([path]) => path === LEAVES_PATH);
  const sized = leavesSet ? config : withLeafCount(config);
  const { kernel } = options;
  if (!kernel) return parseRunConfig(sized);
  const [name, source] = kernel;
  return parseRunConfig({ ...sized, editedKernel: { name, source, gradientCheck: 'unchecked' } });
}

const LEAVES_PATH = 'algorithm.rollout.leavesPerTree';
const EVERY_PATH = 'evaluation.every';

function withLeafCount(config: RunConfig): RunConfig {
  return withSetting(config, LEAVES_PATH, grownRows(config.algorithm.rollout));
}

/** What a person should know of a configuration before it runs, a line each. */
export const labCautions = (config: RunConfig): readonly string[] =>
  [plateauCaution(config)].filter((line) => line !== null);

/** What `--list` prints. */
export function listChoices(): string {
  const entries = (title: string, list: readonly { readonly name: string; readonly description: string }[]) =>
    [title, ...list.map(({ name, description }) => `  ${name.padEnd(16)} ${description}`)].join('\n');
  const settings = knobCatalogue().map(
    ({ path, title, term, range, paperDefault }) =>
    `  ${path.padEnd(40)} ${title}${term && ` (${term})`}; ${sayRange(range)}${paperDefault === null ? '' : `; paper ${String(paperDefault)}`}`, // prettier-ignore
  );
  return [
    entries('Presets (--preset)', presetCatalogue()),
    ['Algorithms (--algorithm)', ...algorithmCatalogue().map(sayAlgorithm)].join('\n'),
    entries('Environments (--set environment=)', environmentCatalogue()),
    ['Settings (--set path=value)', ...settings].join('\n'),
  ].join('\n\n');
}

/** Name, paper and status: what of it is proved. */
function sayAlgorithm({ name, title, paper, evidence, caution }: AlgorithmDescription): string {
  const reference = paper.arxiv === null ? paper.title : `arXiv ${paper.arxiv}`;
  return `  ${name.padEnd(22)} ${title}; ${reference}; ${evidence}${caution === null ? '' : `; uncertain: ${caution}`}`;
}

function sayRange(range: KnobRange): string {
  switch (range.kind) {
    case 'integer':
      return `${range.min} to ${range.max}${(range.multipleOf ?? 1) > 1 ? `, a multiple of ${range.multipleOf}` : ''}`;
    case 'number':
      return `${range.min} to ${range.max}`;
    case 'switch':
      return 'true or false';
    case 'choice':
      return `one of ${range.options.join(', ')}`;
    case 'choices':
      return `some of ${range.options.join(',')}`;
    default:
      return range satisfies never;
  }
}

export interface LabResult {
  readonly config: RunConfig;
  readonly edited?: string; // label of an edited kernel; absent without one
  readonly adapter: AdapterDescription;
  readonly parameterCount: number;
  readonly date: string; // ISO 8601
  readonly seconds: number; // from play to the end, evaluation included
  readonly trainingSeconds: number; // rollout and training of all updates
  readonly used: Spending;
  /** Sampled exact match on held-out questions, mean over the data sets. */
  readonly heldOut: {
    readonly questions: number; // per data set
    readonly before: HeldOut;
    readonly after: HeldOut;
  };
  readonly evaluations: readonly EventOf<'evaluation'>[];
  readonly updates: readonly (UpdateMetrics & { readonly update: number })[];
}

interface HeldOut {
  readonly exactMatch: number;
  readonly greedyExactMatch: number;
  /** A digit per question, 1 where it was answered rightly, data sets one after another; absent before training, and where nothing is held out. */
  readonly right?: { readonly sampled: string; readonly greedy: string };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function heldOutAt(evaluations: readonly EventOf<'evaluation'>[], update: number): HeldOut {
  const of = (greedy: boolean): number =>
    mean(
      evaluations
        .filter((event) => event.update === update && event.greedy === greedy)
        .map((event) => event.exactMatch),
    );
  return { exactMatch: of(false), greedyExactMatch: of(true) };
}

/** The result file's content, from the log alone. @param used by the whole log, where this one is not all of it */
export function summarise(
  log: readonly RunEvent[],
  seconds: number,
  used: Spending = log.reduce(spend, NOTHING_SPENT),
): LabResult {
  const started = log.find(isKind('run-started'));
  const { config, adapter, parameterCount, date } = started ?? {};
  if (!config || !adapter || parameterCount == null || !date)
    throw new Error('only a run that was trained here has a result'); // runLab waits for it
  const evaluations = log.filter(isKind('evaluation'));
  const updates = log.filter(isKind('metrics')).map(({ update, metrics }) => ({ update, ...metrics }));
  const heldOut = {
    questions: config.evaluation.questions,
    before: heldOutAt(evaluations, 0),
    after: heldOutAt(evaluations, used.updates),
  };
  return {
    config,
    ...(config.editedKernel && { edited: editLabel(config.editedKernel) }),
    adapter,
    parameterCount,
    date,
    seconds,
    trainingSeconds: used.seconds,
    used,
    heldOut,
    evaluations,
    updates,
  };
}

const CONDENSED = [
  'exactMatch',
  'meanReward',
  'malformed',
  'entropy',
  'depth',
  'deadTrees',
  'rolloutBatches',
  'clipFraction',
  'ppoKl',
  'gradientNorm',
  'skippedSteps',
  'sampledTokens',
  'uniqueTokens',
  'rowTokens',
] as const satisfies readonly (keyof UpdateMetrics)[];
const DIGITS = 5; // significant, of what is condensed

/** By way of the digits that a log keeps: what a run that goes on has read of its start is condensed to the same. */
const rounded = (value: number): number | null =>
  Number.isFinite(value) ? Number(sixDigits(value).toPrecision(DIGITS)) : null;

const asLogged = <Scores extends HeldOut>(scores: Scores): Scores => ({
  ...scores,
  exactMatch: sixDigits(scores.exactMatch),
  greedyExactMatch: sixDigits(scores.greedyExactMatch),
});

/** What the pages of results need of a run: its curves in a few digits, no number for what is not finite. */
export function condense({ config, adapter, date, heldOut, updates, seconds, used }: LabResult) {
  const { preset, seed, algorithm } = config;
  const metrics = CONDENSED.map((name) => [name, updates.map((update) => rounded(update[name]))] as const);
  return {
    ...{ preset, seed, updates: updates.length, algorithm, adapter, date },
    heldOut: { ...heldOut, before: asLogged(heldOut.before), after: asLogged(heldOut.after) },
    seconds: rounded(seconds),
    used: { ...used, seconds: rounded(used.seconds) },
    metrics: Object.fromEntries(metrics),
  };
}

/** The first event of a kind; rejects with the report of a failure, as text. */
function eventOf<Kind extends EventOf<'ready'>['kind']>(
  client: EngineClient,
  kind: Kind,
): Promise<EventOf<Kind>> {
  return new Promise((resolve, reject) => {
    const end = client.subscribe((event) => {
      if (event.kind !== kind && event.kind !== 'failed') return;
      end();
      if (event.kind === 'failed') reject(new Error(sayReport(event.report)));
      else resolve(event as EventOf<Kind>); // its kind is
    });
  });
}

/**
 * Checks the gradient of an edited kernel on the catalogue's cases, as the page's editor does where it has no mini-batch.
 * @returns the configuration with what was found; as it is where no kernel is edited
 */
async function withVerdict(client: EngineClient, config: RunConfig): Promise<RunConfig> {
  const { editedKernel } = config;
  if (!editedKernel) return config;
  const { name, source } = editedKernel;
  const question = { kind: 'try-kernel', name, source, batch: null, checkGradient: true } as const;
  const { gradients } = await client.ask(question); // null: it does not compile, and `open` says where
  return withKernel(config, { ...editedKernel, gradientCheck: gradientVerdict(gradients) });
}

/** The result of a run that was played to its end, with which held-out questions its model answers rightly. */
export async function resultOf(
  client: EngineClient,
  { log, seconds, used, answers }: Played,
): Promise<LabResult> {
  const result = summarise(log, seconds, used);
  const { evaluation } = result.config;
  if (evaluation.questions === 0) return result;
  const isHeard = answers.length === 2 * evaluation.datasets.length; // sampled and greedy
  const told = isHeard ? answers : await heldOutNow(client, result.config, used.updates);
  const of = (wanted: boolean): string => told.flatMap(({ greedy, right }) => (greedy === wanted ? [right] : [])).join(''); // prettier-ignore
  const after = { ...result.heldOut.after, right: { sampled: of(false), greedy: of(true) } };
  return { ...result, heldOut: { ...result.heldOut, after } };
}

/** How a run is written: its gzipped log, or one file with its last checkpoint; beside it, or alone, its rows as traces. */
export type LabRecord = 'log' | 'bundle';

async function recorded(
  client: EngineClient,
  { log, stopped }: Played,
  record: LabRecord,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await writeRecording(log);
  if (record === 'log') return bytes;
  const { update, bytes: checkpoint } = stopped ?? (await client.ask({ kind: 'save-checkpoint' }));
  const { config: recipe = null, adapter = null } = log.find(isKind('run-started')) ?? {};
  const file = await writeBundle({
    ...{ name: null, note: '', adapter, recipe, log: new Blob([bytes]) },
    checkpoints: [{ update, file: new Blob([checkpoint]) }],
  });
  return new Uint8Array(await file.arrayBuffer());
}

/** What a run is given beside its configuration. */
export interface LabParts extends Ending {
  readonly client?: EngineClient; // absent: an engine in a worker; it is closed at the end
  readonly traces?: boolean; // its rows are wanted too
}

export interface LabOutcome {
  readonly result: LabResult | null; // null: it was stopped
  readonly stoppedAfter: number | null; // the update
  readonly recording: Uint8Array<ArrayBuffer> | null; // of a run that was stopped always one file, to go on from
  readonly traces: string | null; // verifiers v1 episodes, a line a row
}

/**
 * Runs a configuration to its end, or a run that was stopped from there on.
 * @param start a file: a run with a checkpoint
 * @throws RunConfigError, BundleError, RecordingError of a file that cannot go on
 */
export async function runLab(
  start: RunConfig | Blob,
  record: LabRecord | null,
  onProgress: (progress: LabProgress) => void,
  { client = startEngine(), traces: withTraces = false, ...ending }: LabParts = {},
): Promise<LabOutcome> {
  try {
    const ready = eventOf(client, 'ready'); // it may come while the file is read
    ready.catch(() => undefined);
    const asked = start instanceof Blob ? await startOf(start) : { config: start, earlier: null };
    await ready;
    const config = asked.earlier ? asked.config : await withVerdict(client, asked.config);
    const { editedKernel, updates } = config;
    if (editedKernel)
      onProgress({ kind: 'note', update: 0, updates, seconds: 0, text: editLabel(editedKernel) });
    const played = await play(client, { ...asked, config }, onProgress, ending);
    const { log, stopped } = played;
    const kind = stopped ? 'bundle' : record;
    const recording = kind && (await recorded(client, played, kind));
    const traces = withTraces ? [...tracesOfLog(log)].join('') : null;
    const result = stopped ? null : await resultOf(client, played);
    return { result, stoppedAfter: stopped?.update ?? null, recording, traces };
  } finally {
    client.close();
  }
}
