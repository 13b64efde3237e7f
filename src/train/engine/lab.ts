/** `npm run lab` as a page runs it: the engine in its worker, without the UI. scripts/lab.mjs is the command line. */
import { plateauCaution } from '../../algo/reward/boundary.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import { grownRows } from '../../algo/catalogue/defaults.ts';
import {
  editLabel,
  gradientVerdict,
  shorten,
  withKernel,
  type ErrorReport,
  type RunConfig,
} from '../../units.ts';
import {
  algorithmCatalogue,
  environmentCatalogue,
  knobCatalogue,
  presetCatalogue,
} from '../config/catalogue.ts';
import { startEngine, type EngineClient } from './client.ts';
import { parseRunConfig, parseSettings, withSetting } from '../config/config.ts';
import { RunConfigError } from '../../protocol/errors.ts';
import { presets, withAlgorithm } from '../config/presets.ts';
import {
  isLogged,
  type EventOf,
  type AdapterDescription,
  type AlgorithmDescription,
  type KnobRange,
  type RunEvent,
  type UpdateMetrics,
} from '../../protocol/protocol.ts';
import { writeBundle } from '../../files/bundle.ts';
import { writeRecording } from '../../files/recording.ts';
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

export interface LabProgress {
  readonly kind: 'note' | 'update'; // of an evaluation or a check, or of an update
  readonly update: number;
  readonly updates: number;
  readonly seconds: number; // since the run began
  readonly text: string;
}

export interface LabResult {
  readonly config: RunConfig;
  readonly edited?: string; // label of an edited kernel; absent without one
  readonly adapter: AdapterDescription;
  readonly parameterCount: number;
  readonly date: string; // ISO 8601
  readonly seconds: number; // from play to the end, evaluation included
  readonly trainingSeconds: number; // rollout and training of all updates
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
}

const isKind =
  <Kind extends RunEvent['kind']>(kind: Kind) =>
  (event: RunEvent): event is Extract<RunEvent, EventOf<Kind>> =>
    event.kind === kind;

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

/** The result file's content, from the log alone. */
export function summarise(log: readonly RunEvent[], seconds: number): LabResult {
  const started = log.find(isKind('run-started'));
  const { config, adapter, parameterCount, date } = started ?? {};
  if (!config || !adapter || parameterCount == null || !date)
    throw new Error('only a run that was trained here has a result'); // runLab waits for it
  const evaluations = log.filter(isKind('evaluation'));
  const updates = log.filter(isKind('metrics')).map(({ update, metrics }) => ({ update, ...metrics }));
  const trainingMs = updates.reduce((sum, { rolloutMs, trainMs }) => sum + rolloutMs + trainMs, 0);
  const heldOut = {
    questions: config.evaluation.questions,
    before: heldOutAt(evaluations, 0),
    after: heldOutAt(evaluations, config.updates),
  };
  return {
    config,
    ...(config.editedKernel && { edited: editLabel(config.editedKernel) }),
    adapter,
    parameterCount,
    date,
    seconds,
    trainingSeconds: trainingMs / 1000,
    heldOut,
    evaluations,
    updates,
  };
}

function progressText(event: RunEvent): string | null {
  if (event.kind === 'evaluation') {
    const way = event.greedy ? 'greedy' : 'sampled';
    return `held-out ${event.dataset}, ${event.questions} questions: exact match ${event.exactMatch.toFixed(3)} ${way}`;
  }
  if (event.kind !== 'metrics') return null;
  const { exactMatch, entropy, clipFraction, gradientNorm, deadTrees, rolloutMs, trainMs } = event.metrics;
  const numbers = {
    'exact match': exactMatch,
    entropy,
    clipped: clipFraction,
    gradient: gradientNorm,
    dead: deadTrees,
  };
  const said = Object.entries(numbers).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  return `${said.join('  ')}  ${((rolloutMs + trainMs) / 1000).toFixed(2)} s`;
}

const sayReport = ({ what, where, got, wanted, next }: ErrorReport): string =>
  `${what} (${where}): got ${got}, wanted ${wanted}. ${next}`;

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

/** Resolves at the end of the run with its log; rejects with the report of a failure, as text. */
function play(client: EngineClient, config: RunConfig, onProgress: (progress: LabProgress) => void) {
  const log: RunEvent[] = [];
  let startMs = 0;
  return new Promise<{ log: readonly RunEvent[]; seconds: number }>((resolve, reject) => {
    client.subscribe((event) => {
      if (!isLogged(event)) return;
      log.push(event);
      const seconds = (performance.now() - startMs) / 1000;
      if (event.kind === 'failed') return reject(new Error(sayReport(event.report)));
      if (event.kind === 'run-started') {
        startMs = performance.now();
        return client.send({ kind: 'play' });
      }
      const text = progressText(event);
      const kind = event.kind === 'evaluation' ? 'note' : 'update';
      if (text !== null && 'update' in event)
        onProgress({ kind, update: event.update, updates: config.updates, seconds, text });
      if (event.kind === 'status' && event.status === 'finished') resolve({ log, seconds });
    });
    client.send({ kind: 'open', config });
  });
}

/** How a run is written: its gzipped log, or one file with its last checkpoint; beside it, or alone, its rows as traces. */
export type LabRecord = 'log' | 'bundle';

async function recorded(
  client: EngineClient,
  log: readonly RunEvent[],
  record: LabRecord,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await writeRecording(log);
  if (record === 'log') return bytes;
  const { update, bytes: checkpoint } = await client.ask({ kind: 'save-checkpoint' });
  const { config: recipe = null, adapter = null } = log.find(isKind('run-started')) ?? {};
  const file = await writeBundle({
    ...{ name: null, note: '', adapter, recipe, log: new Blob([bytes]) },
    checkpoints: [{ update, file: new Blob([checkpoint]) }],
  });
  return new Uint8Array(await file.arrayBuffer());
}

/**
 * Runs a configuration to its end.
 * @returns the result, and the files that were asked for
 */
export async function runLab(
  config: RunConfig,
  record: LabRecord | null,
  onProgress: (progress: LabProgress) => void,
  withTraces = false,
): Promise<{
  readonly result: LabResult;
  readonly recording: Uint8Array<ArrayBuffer> | null;
  readonly traces: string | null; // verifiers v1 episodes, a line a row
}> {
  const client = startEngine();
  try {
    await eventOf(client, 'ready');
    const checked = await withVerdict(client, config);
    const { editedKernel, updates } = checked;
    if (editedKernel)
      onProgress({ kind: 'note', update: 0, updates, seconds: 0, text: editLabel(editedKernel) });
    const { log, seconds } = await play(client, checked, onProgress);
    const recording = record && (await recorded(client, log, record));
    const traces = withTraces ? [...tracesOfLog(log)].join('') : null;
    return { result: summarise(log, seconds), recording, traces };
  } finally {
    client.close();
  }
}
