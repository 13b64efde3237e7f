/**
 * A run on disk: gzipped NDJSON, a header line, one event per line, and a last line with their number.
 * Floats keep six significant digits. Reading yields events as the bytes arrive.
 */
import { RecordingError } from './errors.ts';
import { parseLoggedEvent } from './logged_events.ts';
import { isLogged, type RunEvent } from './protocol.ts';
import { quote } from './schema.ts';
import { editLabel } from '../units.ts';

const FORMAT = 'turnwise-run';
const VERSION = 1;
const SIGNIFICANT_DIGITS = 6;
const GZIP_MAGIC = [0x1f, 0x8b];

type Bytes = Uint8Array<ArrayBuffer>;

/** JSON has no NaN and no infinities: they are written as { nonFinite: 'NaN' }. */
function roundNumbers(_key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  return Number.isFinite(value)
    ? Number(value.toPrecision(SIGNIFICANT_DIGITS))
    : { nonFinite: String(value) };
}

const restoreNumbers = (_key: string, value: unknown): unknown => {
  const nonFinite = (value as { nonFinite?: unknown } | null)?.nonFinite;
  return typeof nonFinite === 'string' ? Number(nonFinite) : value;
};

/** Names an edited kernel too, for who opens the file in an editor; its text is in run-started. */
function headerLine(first: RunEvent | null): string {
  const edit = first?.kind === 'run-started' ? first.config.editedKernel : undefined;
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...(edit && { edited: editLabel(edit) }) })}\n`;
}

/** The lines of a log, header and end included, each with its line feed. */
export function* recordingLines(events: Iterable<RunEvent>): Generator<string, void> {
  const line = (event: RunEvent): string => `${JSON.stringify(event, roundNumbers)}\n`;
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
  yield `${JSON.stringify({ kind: 'end', events: count })}\n`;
}

/** A log as a gzipped recording. */
export async function writeRecording(events: Iterable<RunEvent>): Promise<Bytes> {
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

async function* chunksOf(stream: ReadableStream<Bytes>): AsyncGenerator<Bytes, void> {
  const reader = stream.getReader(); // Safari's streams are not async iterable
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    await reader.cancel().catch(() => undefined); // an errored stream refuses; nothing is left to release
  }
}

/** Gunzips where needed: a server that sends Content-Encoding: gzip has done it already. */
async function* plainChunks(stream: ReadableStream<Bytes>): AsyncGenerator<Bytes, void> {
  const chunks = chunksOf(stream);
  let head: Bytes = new Uint8Array();
  while (head.length < GZIP_MAGIC.length) {
    const { done, value } = await chunks.next();
    if (done) break;
    head = new Uint8Array([...head, ...value]);
  }
  const rest = new ReadableStream<Bytes>({
    start: (controller) => controller.enqueue(head),
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await chunks.return(undefined)),
  });
  const zipped = GZIP_MAGIC.every((byte, place) => head[place] === byte);
  yield* chunksOf(zipped ? rest.pipeThrough(new DecompressionStream('gzip')) : rest);
}

async function* linesOf(stream: ReadableStream<Bytes>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let tail = '';
  for await (const chunk of plainChunks(stream)) {
    const lines = (tail + decoder.decode(chunk, { stream: true })).split('\n');
    tail = lines.pop() ?? '';
    yield* lines;
  }
  if (tail !== '') yield tail;
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line, line.includes('"nonFinite"') ? restoreNumbers : undefined);
  } catch (cause) {
    throw unreadable(
      `line ${number}`,
      quote(line),
      'one JSON object per line (a shortened file ends in the middle of one)',
      cause,
    );
  }
}

function checkHeader(value: unknown): void {
  const { format, version } = (value ?? {}) as { format?: unknown; version?: unknown };
  if (format !== FORMAT)
    throw unreadable('line 1', quote(value), `{"format":"${FORMAT}","version":${VERSION}}`);
  if (version !== VERSION) throw unreadable('line 1', `version ${quote(version)}`, `version ${VERSION}`);
}

/**
 * The events of a recording, as soon as their bytes are there.
 * @throws RecordingError on the first thing that is wrong: format, version, an invalid event, a missing end
 */
export async function* readRecording(stream: ReadableStream<Bytes>): AsyncGenerator<RunEvent, void> {
  let number = 0;
  let ended = false;
  try {
    for await (const line of linesOf(stream)) {
      number += 1;
      const value = parseLine(line, number);
      if (number === 1) checkHeader(value);
      else if ((value as { kind?: unknown } | null)?.kind === 'end') {
        checkEnd(value as { readonly events?: unknown }, number - 2);
        ended = true;
      } else yield parseLoggedEvent(value, `line ${number}`);
    }
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw unreadable(
      `after line ${number}`,
      error instanceof Error ? error.message : String(error),
      'a whole file',
      error,
    );
  }
  if (!ended)
    throw unreadable(
      `after line ${number}`,
      'the end of the file',
      'a last line of kind "end": the file is truncated',
    );
}

function checkEnd({ events }: { readonly events?: unknown }, read: number): void {
  if (events !== read)
    throw unreadable('last line', `${read} events`, `the ${quote(events)} events that were written`);
}
