/** What a run of the bench writes: one JSON file per preset. */
import type { PackingResult } from './packing.ts';
import type { PhaseProfile, ProfileResult } from './profile.ts';
import type { WorkShape } from './work.ts';

export interface ContenderResult {
  readonly label: string;
  /** Medians; a name is missing where the contender has no such suite or failed it. */
  readonly trainStepMs?: number;
  readonly firstStepMs?: number; // from parameters on the host to the first loss, compilation included
  readonly decodeTokensPerSecond?: number; // generated tokens, prompts read anew each time
  readonly matmulGflops?: Readonly<Record<string, number>>; // by 'MxNxK'
  readonly trainGflops?: number; // arithmetic of the step (work.ts) over its time
  readonly memoryBytes?: number; // peak of GPU buffers while training
  readonly checks: Checks;
  readonly samples: Samples;
  /** By suite ('setup' too): why there is no number. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Agreement with the first contender that ran the suite. */
export interface Checks {
  readonly lossDifference?: number; // nats, largest over the common steps
  readonly parameterDifference?: number; // of Σ|p|, relative, largest over the parameters, after two steps
  readonly sameTokens?: number; // share of the decoded tokens
  readonly matmulError?: number; // against float64, relative to √k
}

export interface Samples {
  readonly losses?: readonly number[];
  readonly trainStepMs?: readonly number[];
  readonly decodeMs?: readonly number[];
  readonly matmulGflops?: Readonly<Record<string, readonly number[]>>;
}

/** What every file of results says first. */
export interface Header {
  readonly adapter: string;
  readonly browser: string;
  readonly date: string; // ISO 8601
  readonly command: string;
  readonly machine: Machine;
}

export interface BenchReport extends Header {
  readonly preset: string;
  readonly shape: WorkShape;
  readonly trainGflop: number; // arithmetic of one step
  readonly parameterCount: number;
  readonly results: Readonly<Record<string, ContenderResult>>;
}

/** A whole run of the instant preset. */
export interface InstantReport extends Header {
  readonly suite: 'instant';
  readonly seed: number;
  readonly updates: number;
  readonly seconds: number; // from play to the end, evaluation included
  readonly trainingSeconds: number; // rollout and training of all updates
  readonly rolloutSeconds: number;
  readonly trainSeconds: number;
  readonly heldOut: {
    readonly questions: number;
    readonly before: { readonly exactMatch: number };
    readonly after: { readonly exactMatch: number };
  };
}

export interface PackingReport extends Header, PackingResult {
  readonly suite: 'packing';
  readonly seed: number;
}

/** Where our engine's time goes, by preset. */
export interface ProfileReport extends Header {
  readonly suite: 'profile';
  readonly presets: Readonly<Record<string, ProfileResult>>;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly load: readonly [before: number, after: number]; // of one minute
}

const cell = (value: number | undefined, digits = 0): string =>
  value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);

const scientific = (value: number | undefined): string =>
  value === undefined ? '–' : value.toExponential(0);

export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

/** Training, decoding, memory and the checks, one line per contender. */
export function modelTable({ results }: BenchReport): string {
  const rows = Object.values(results)
    .filter(({ trainStepMs, decodeTokensPerSecond }) => trainStepMs ?? decodeTokensPerSecond)
    .map((result) => [
      result.label,
      cell(result.trainStepMs),
      cell(result.trainGflops, 2),
      cell(result.firstStepMs),
      cell(result.decodeTokensPerSecond),
      result.memoryBytes ? cell(result.memoryBytes / 2 ** 20, 1) : '–',
      scientific(result.checks.lossDifference),
      scientific(result.checks.parameterDifference),
      cell(result.checks.sameTokens, 3),
    ]);
  const header = ['', 'step ms', 'GFLOP/s', 'first step ms', 'decode tok/s', 'GPU MiB', 'loss diff', 'Σ\\|p\\| diff', 'same tokens']; // prettier-ignore
  return markdownTable(header, rows);
}

/** GFLOP/s of every product, one line per contender. */
export function matmulTable({ results }: BenchReport): string {
  const measured = Object.values(results).filter(({ matmulGflops }) => matmulGflops);
  const names = [...new Set(measured.flatMap(({ matmulGflops = {} }) => Object.keys(matmulGflops)))];
  const rows = measured.map(({ label, matmulGflops = {} }) => [
    label,
    ...names.map((name) => cell(matmulGflops[name], 2)),
  ]);
  return markdownTable(['c [M, N] = a [M, K]·b [K, N], GFLOP/s', ...names], rows);
}

/** What did not run, and why; one line each. */
export const failures = ({ results }: BenchReport): readonly string[] =>
  Object.values(results).flatMap(({ label, errors }) =>
    Object.entries(errors).map(([suite, error]) => `${label}, ${suite}: ${error}`),
  );

/** The report as the terminal shows it. */
export function describe(report: BenchReport): string {
  const { preset, adapter, browser, date, shape, parameterCount, trainGflop } = report;
  const parts = [
    `${preset}: ${JSON.stringify(shape)}, ${parameterCount} parameters, ${trainGflop.toFixed(2)} GFLOP a step`,
    `${adapter}, ${browser}, ${date.slice(0, 10)}`,
    modelTable(report),
    matmulTable(report),
    ...failures(report).map((line) => `no number: ${line}`),
  ];
  return parts.join('\n\n');
}

/** How much more time an update takes without packing, over how many more tokens it computes. */
export const packingGain = (
  report: PackingReport,
): { readonly sharing: number; readonly timeRatio: number } => ({
  sharing: report.rowTokens / report.uniqueTokens,
  timeRatio: report.perLeafMs / report.packedMs,
});

/** A result of our engine alone, as the terminal shows it. */
export function describeOwn(report: InstantReport | PackingReport | ProfileReport): string {
  const where = `${report.adapter}, ${report.browser}, ${report.date.slice(0, 10)}`;
  if (report.suite === 'instant') {
    const { updates, seconds, rolloutSeconds, trainSeconds } = report;
    return `instant: ${updates} updates in ${seconds.toFixed(1)} s with evaluation; rollouts ${rolloutSeconds.toFixed(1)} s, training ${trainSeconds.toFixed(1)} s\n${where}`;
  }
  if (report.suite === 'profile') return `${profileTables(report)}\n\n${where}`;
  const { sharing, timeRatio } = packingGain(report);
  const { rows, uniqueTokens, rowTokens, packedMs, perLeafMs, lossDifference } = report;
  return [
    `packing: ${rows} rows of ${rowTokens} tokens, ${uniqueTokens} of them unique: shared ${sharing.toFixed(2)}-fold`,
    `packed ${packedMs.toFixed(0)} ms, one row per leaf ${perLeafMs.toFixed(0)} ms: ${timeRatio.toFixed(2)} times; losses differ by ${lossDifference.toExponential(0)}`,
    where,
  ].join('\n');
}

const LEAST_SHARE = 0.02; // of the device's time, for a line of its own

function phaseTable(title: string, { wallMs, busyMs, kernels }: PhaseProfile): string {
  const total = kernels.reduce((sum, { ms }) => sum + ms, 0);
  const large = kernels.filter(({ ms }) => ms >= LEAST_SHARE * total);
  const small = kernels.filter((entry) => !large.includes(entry));
  const percent = (ms: number): string => `${((100 * ms) / total).toFixed(0)} %`;
  const rows = large.map(({ kernel, dispatches, ms, gflops }) => [
    kernel,
    `${dispatches}`,
    ms.toFixed(1),
    percent(ms),
    cell(gflops ?? undefined, 2),
  ]);
  const sum = (value: (entry: (typeof small)[number]) => number): number =>
    small.reduce((all, entry) => all + value(entry), 0);
  const rest = [
    `${small.length} others`,
    `${sum(({ dispatches }) => dispatches)}`,
    sum(({ ms }) => ms).toFixed(1),
    percent(sum(({ ms }) => ms)),
    '–',
  ];
  const heading = `${title}, ${wallMs.toFixed(0)} ms; device busy ${busyMs.toFixed(0)} ms under the profiler`;
  return markdownTable(
    [heading, 'dispatches', 'ms', 'share', 'GFLOP/s'],
    small.length > 0 ? [...rows, rest] : rows,
  );
}

export const profileTables = ({ presets }: ProfileReport): string =>
  Object.entries(presets)
    .flatMap(([name, { train, decode }]) => [
      phaseTable(`${name}: training step`, train),
      phaseTable(`${name}: decode`, decode),
    ])
    .join('\n\n');
