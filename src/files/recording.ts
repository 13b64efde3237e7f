/**
 * A run on disk: gzipped NDJSON, a header line with the log's version, one event per line, and a last line with their
 * number. Floats keep six significant digits. Reading yields events as the bytes arrive, of whatever version they are.
 */
import { LineReader, READ_BOUNDS, type Bytes, type ReadBounds } from './byte_lines.ts';
import { writeMember, type RecordingIndex } from './members.ts';
import { RecordingCutOffError, RecordingError } from '../protocol/errors.ts';
import { LogOrder } from '../protocol/log_order.ts';
import { parseLoggedEvent } from '../protocol/log.ts';
import { LOG_VERSION, migrated } from '../protocol/migrations.ts';
import {
  isHeadline,
  isLogged,
  type EngineEvent,
  type RunEvent,
  type SettledUpdate,
  type WrittenUpdate,
} from '../protocol/protocol.ts';
import { quote } from '../protocol/schema.ts';
import { editLabel } from '../units.ts';

const FORMAT = 'turnwise-run';
const SIGNIFICANT_DIGITS = 6;
const [SMALL, LARGE] = [1e-6, 1e6]; // sizes between which powers of ten are exact

/**
 * To six significant digits, as `Number(value.toPrecision(6))` but three times as fast: an integer over a power of ten is
 * the nearest float to its decimal, which prints short. A value within 1e-10 of half way may round the other way.
 */
export function sixDigits(value: number): number {
  const size = Math.abs(value);
  if (size < SMALL || size >= LARGE) return Number(value.toPrecision(SIGNIFICANT_DIGITS));
  const scale = 10 ** (SIGNIFICANT_DIGITS - 1 - Math.floor(Math.log10(size)));
  return (Math.sign(value) * Math.round(size * scale)) / scale;
}

/**
 * What JSON writes for a value. JSON has no NaN and no infinities: they are { nonFinite: 'NaN' }. A walk before
 * `JSON.stringify`, since a replacer of its own takes half again as long.
 */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return value;
    return Number.isFinite(value) ? sixDigits(value) : { nonFinite: String(value) };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(rounded);
  const copy: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) copy[key] = rounded(each);
  return copy;
}

const restoreNumbers = (_key: string, value: unknown): unknown => {
  const nonFinite = (value as { nonFinite?: unknown } | null)?.nonFinite;
  return typeof nonFinite === 'string' ? Number(nonFinite) : value;
};

/** Names an edited kernel too, for who opens the file in an editor; its text is in run-started. */
function headerLine(first: RunEvent | null): string {
  const edit = first?.kind === 'run-started' ? first.config?.editedKernel : undefined;
  return `${JSON.stringify({ format: FORMAT, version: LOG_VERSION, ...(edit && { edited: editLabel(edit) }) })}\n`;
}

/** What a run remembers decides what it does next, so it keeps every digit. */
const line = (event: RunEvent): string =>
  `${JSON.stringify(event.kind === 'remembered' ? event : rounded(event))}\n`;

/** The last line of a whole log. @param events of all of it */
export const endLine = (events: number): string => `${JSON.stringify({ kind: 'end', events })}\n`;

/**
 * The lines of a stretch of a log that is written as it grows: the header where the run starts, and no end:
 * `endLine` says it.
 */
export function recordingPart(events: readonly RunEvent[]): string {
  const first = events.find(({ kind }) => kind === 'run-started');
  return [...(first ? [headerLine(first)] : []), ...events.map(line)].join('');
}

/** An update for the disk. */
export const written = ({ update, events, checkpoint }: SettledUpdate): WrittenUpdate => ({
  update,
  text: new TextEncoder().encode(recordingPart(events)),
  headlines: events.filter(isHeadline),
  checkpoint,
});

/** The lines of a log, header and end included, each with its line feed. */
export function* recordingLines(events: Iterable<EngineEvent>): Generator<string, void> {
  let waiting: RunEvent[] | null = []; // for run-started, which the header tells of
  let count = 0;
  for (const event of events) {
    if (!isLogged(event)) continue;
    count += 1;
    if (!waiting) {
      yield line(event);
      continue;
    }
    waiting.push(event);
    if (event.kind !== 'run-started') continue;
    yield headerLine(event);
    yield* waiting.map(line);
    waiting = null;
  }
  if (waiting) {
    yield headerLine(null);
    yield* waiting.map(line);
  }
  yield endLine(count);
}

/** A log as a gzipped recording. */
export async function writeRecording(events: Iterable<EngineEvent>): Promise<Bytes> {
  const encoder = new TextEncoder();
  const lines = recordingLines(events);
  const text = new ReadableStream<Bytes>({
    pull(controller) {
      const { done, value } = lines.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  return new Uint8Array(await new Response(text.pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

const unreadable = (where: string, got: string, wanted: string, cause?: unknown): RecordingError =>
  new RecordingError(
    {
      what: 'The recorded run cannot be read',
      where,
      got,
      wanted,
      next: 'Choose a file saved by this lab, or make one: npm run lab -- --record run.ndjson.gz.',
    },
    cause,
  );

function parseLine(line: string, where: string): unknown {
  try {
    return JSON.parse(line, line.includes('"nonFinite"') ? restoreNumbers : undefined);
  } catch (cause) {
    throw unreadable(where, quote(line), 'one JSON object per line', cause);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns the version that the log was written in; a header without one is of the first */
function readHeader(value: unknown): number {
  const { format, version = 1 } = (value ?? {}) as { format?: unknown; version?: unknown };
  if (format !== FORMAT)
    throw unreadable('line 1', quote(value), `{"format":"${FORMAT}","version":${LOG_VERSION}}`);
  const isVersion = Number.isSafeInteger(version) && (version as number) >= 1;
  if (isVersion && (version as number) <= LOG_VERSION) return version as number;
  const wanted = `a version from 1 to ${LOG_VERSION}`;
  if (!isVersion) throw unreadable('line 1', `version ${quote(version)}`, wanted);
  throw new RecordingError({
    what: 'The recorded run was written by a later version of the lab',
    where: 'line 1',
    got: `version ${quote(version)}`,
    wanted,
    next: 'Open the file in the lab that wrote it, or reload this page for its newest version.',
  });
}

export interface ReadProgress {
  readonly bytes: number; // of the file, as it lies on disk
  readonly events: number;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReadProgress) => void;
  readonly bounds?: ReadBounds;
}

/** The lines of each stretch of the file; where unzipping or reading fails, what came before stands. */
async function* linesOf(
  reader: LineReader,
  source: Blob | ReadableStream<Bytes>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[], void> {
  let count = 0;
  try {
    for await (const lines of reader.read(source, signal)) {
      count += lines.length;
      yield lines;
    }
  } catch (error) {
    if (error instanceof RecordingError || signal?.aborted) throw error;
    throw new RecordingCutOffError(
      `after line ${count}`,
      (error instanceof Error ? error.message : String(error)).replace(/\.$/, ''),
      error,
    );
  }
}

/** @param order null for a part of a log that this page wrote itself */
async function* readBatches(
  source: Blob | ReadableStream<Bytes>,
  { signal, onProgress, bounds = READ_BOUNDS }: ReadOptions,
  order: LogOrder | null,
): AsyncGenerator<readonly RunEvent[], void> {
  const reader = new LineReader(bounds, unreadable);
  const log = new LogReader(bounds, order);
  for await (const lines of linesOf(reader, source, signal)) {
    const events = lines.flatMap((line) => log.read(line));
    onProgress?.({ bytes: reader.fileBytes, events: log.count });
    if (events.length > 0) yield events;
  }
  log.finish(reader.rest);
}

/** Lines to events: header first, an end line last, and nothing after it. */
class LogReader {
  lines = 0;
  count = 0; // of events
  #version = LOG_VERSION; // until the header says its own
  #ended = false;
  readonly #bounds: ReadBounds;
  readonly #order: LogOrder | null;

  constructor(bounds: ReadBounds, order: LogOrder | null) {
    this.#bounds = bounds;
    this.#order = order;
  }

  /** @returns the line's event, or none where it is the header or the end */
  read(line: string): readonly RunEvent[] {
    this.lines += 1;
    const where = `line ${this.lines}`;
    if (this.#ended) throw unreadable(where, quote(line), 'nothing after the line of kind "end"');
    const value = parseLine(line, where);
    if (this.lines === 1) {
      this.#version = readHeader(value);
      return [];
    }
    if ((value as { kind?: unknown } | null)?.kind === 'end') {
      checkEnd(value as { readonly events?: unknown }, this.count);
      this.#ended = true;
      return [];
    }
    if (this.count >= this.#bounds.events) throw unreadable(where, 'one more event', `at most ${this.#bounds.events} events`); // prettier-ignore
    const event = parseLoggedEvent(migrated(value, this.#version), where);
    this.#order?.check(event, where);
    this.count += 1;
    return [event];
  }

  /** @param rest after the last line feed */
  finish(rest: string): void {
    if (rest !== '') this.#readRest(rest);
    if (!this.#ended) throw new RecordingCutOffError(`after line ${this.lines}`, 'the end of the file');
  }

  /** A last line without a line feed may be the end, or half of a line. */
  #readRest(rest: string): void {
    if (this.lines > 0 && !isJson(rest))
      throw new RecordingCutOffError(`line ${this.lines + 1}`, quote(rest));
    this.read(rest);
  }
}

/**
 * The events of a recording in the order of the file, as soon as their bytes are there. Linear in the bytes, and never
 * more of them at hand than one line and one stretch of the file.
 * @throws RecordingError on the first thing that is wrong: format, version, a bound, an invalid event, one out of order;
 * RecordingCutOffError after the events of a file that ends too early; the signal's reason
 */
export async function* readRecording(
  source: Blob | ReadableStream<Bytes>,
  options: ReadOptions = {},
): AsyncGenerator<RunEvent, void> {
  for await (const events of recordingBatches(source, options)) yield* events;
}

/** As `readRecording`, in stretches: what is posted between threads. */
export const recordingBatches = (
  source: Blob | ReadableStream<Bytes>,
  options: ReadOptions = {},
): AsyncGenerator<readonly RunEvent[], void> => readBatches(source, options, new LogOrder());

/** Reads any stretch of a log that `writeRecording` wrote, e.g. one update: nothing is known of what came before. */
export async function* readLogPart(source: Blob | ReadableStream<Bytes>): AsyncGenerator<RunEvent, void> {
  for await (const events of readBatches(source, {}, null)) yield* events;
}

/** Parts of a log: events pass the guard, and nothing is asked of their order and number. */
export async function* partBatches(
  source: Blob | ReadableStream<Bytes>,
): AsyncGenerator<readonly RunEvent[], void> {
  try {
    yield* readBatches(source, {}, null);
  } catch (error) {
    if (!(error instanceof RecordingCutOffError)) throw error; // parts have no end line
  }
}

/** A whole log in members, in the order of its updates; the end line is one of its own, and not in the index. */
export async function writeInMembers(
  events: Iterable<EngineEvent>,
): Promise<{ readonly bytes: Bytes; readonly index: RecordingIndex }> {
  const texts: string[] = [''];
  for (const text of recordingLines(events)) {
    if (/^\{"kind":"(update-started|end)"/.test(text)) texts.push('');
    texts[texts.length - 1] += text;
  }
  const members = await Promise.all(
    texts.map((text, label) => writeMember(new TextEncoder().encode(text), label)),
  );
  const bytes = new Uint8Array(await new Blob(members).arrayBuffer());
  return { bytes, index: { lengths: members.slice(0, -1).map(({ length }) => length) } };
}

function checkEnd({ events }: { readonly events?: unknown }, read: number): void {
  if (events !== read)
    throw unreadable('last line', `${read} events`, `the ${quote(events)} events that were written`);
}
