import { gzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { isLogged, type RunEvent } from '../../src/protocol/protocol.ts';
import {
  readLogPart,
  readRecording,
  recordingLines,
  sixDigits,
  writeRecording,
} from '../../src/files/recording.ts';
import { kindOf } from '../../src/store/lab/files.ts';
import { LabError } from '../../src/units.ts';
import { scriptedRun } from '../support/scripted_run.ts';

const run = await scriptedRun();
const log = run.filter(isLogged);
const recorded = await writeRecording(run);

type Bytes = Uint8Array<ArrayBuffer>;
const streamOf = (chunks: readonly Bytes[]): ReadableStream<Bytes> =>
  new ReadableStream({
    start(controller) {
      chunks.forEach((chunk) => controller.enqueue(chunk));
      controller.close();
    },
  });
const inPieces = (bytes: Bytes, size: number): Bytes[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
const textStream = (text: string) => streamOf([new TextEncoder().encode(text)]);

async function readAll(stream: ReadableStream<Bytes>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of readRecording(stream)) events.push(event);
  return events;
}

async function refusal(stream: ReadableStream<Bytes>) {
  try {
    await readAll(stream);
  } catch (error) {
    if (error instanceof LabError) return { name: error.name, ...error.report };
    throw error;
  }
  throw new Error('the recording was read');
}

const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' && !Number.isInteger(v) ? Number(v.toPrecision(6)) : v))); // prettier-ignore

test('a recording gives back its log to six digits, without the session’s own events', async () => {
  expect(await readAll(streamOf([recorded]))).toEqual(rounded(log));
});

/** Any stretch of a log, as a page reads back what it wrote. */
async function readPart(stream: ReadableStream<Bytes>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of readLogPart(stream)) events.push(event);
  return events;
}

test('integers survive exactly, floats to one part in a million', async () => {
  const [event] = await readPart(
    textStream([...recordingLines([{ kind: 'evaluation', update: 3, dataset: 'x', questions: 2 ** 31, exactMatch: 1 / 3, unknown: 0, reliability: null, greedy: true }])].join('')), // prettier-ignore
  );
  expect(event).toEqual({ kind: 'evaluation', update: 3, dataset: 'x', questions: 2 ** 31, exactMatch: 0.333333, unknown: 0, reliability: null, greedy: true }); // prettier-ignore
});

test('numbers that JSON does not have survive', async () => {
  const step: RunEvent = { kind: 'step', update: 1, minibatch: 0, gradientNorm: NaN, gradientNorms: { a: Infinity }, headNorms: [], skipped: true }; // prettier-ignore
  expect(await readPart(textStream([...recordingLines([step])].join('')))).toEqual([step]);
});

test('a skipped step and the metrics of its update keep the norm that they had', async () => {
  for (const gradientNorm of [NaN, Infinity]) {
    const skipped = run.map((event) => {
      if (event.kind === 'step')
        return { ...event, gradientNorm, gradientNorms: { a: gradientNorm }, skipped: true };
      if (event.kind !== 'metrics') return event;
      return { ...event, metrics: { ...event.metrics, gradientNorm, skippedSteps: 1 } };
    });
    const read = await readAll(textStream([...recordingLines(skipped)].join('')));
    const steps = read.filter((event) => event.kind === 'step');
    const metrics = read.filter((event) => event.kind === 'metrics');
    expect([steps.length, metrics.length]).toEqual([
      run.filter(({ kind }) => kind === 'step').length,
      run.filter(({ kind }) => kind === 'metrics').length,
    ]);
    for (const step of steps)
      expect(step).toMatchObject({ gradientNorm, gradientNorms: { a: gradientNorm }, skipped: true });
    for (const event of metrics) expect(event.metrics).toMatchObject({ gradientNorm, skippedSteps: 1 });
  }
});

test('pieces of any size make the same events', async () => {
  const whole = await readAll(streamOf([recorded]));
  expect(await readAll(streamOf(inPieces(recorded, 1000)))).toEqual(whole);
  expect(await readAll(streamOf([recorded.slice(0, 1), recorded.slice(1)]))).toEqual(whole);
});

test('a file that the server has unzipped already is read too', async () => {
  expect(await readAll(textStream([...recordingLines(run)].join('')))).toEqual(rounded(log));
});

test('events come before the rest of the file has arrived', async () => {
  let enqueue: (bytes: Bytes) => void = () => undefined;
  const stream = new ReadableStream<Bytes>({
    start: (controller) => (enqueue = (bytes) => controller.enqueue(bytes)),
  });
  enqueue(recorded.slice(0, 4096)); // the stream stays open
  const reader = readRecording(stream);
  const kinds = [];
  for (let i = 0; i < 4; i += 1) kinds.push((await reader.next()).value?.kind);
  expect(kinds).toEqual(['status', 'run-started', 'status', 'status']);
});

test('members of another writer are one text, each held against its checksum', async () => {
  const text = new Uint8Array(await new Response(new Blob([recorded]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()); // prettier-ignore
  const cuts = [0, 40, 41, Math.floor(text.length / 3), text.length - 5, text.length];
  const members = cuts.slice(1).map((end, at) => gzipSync(text.slice(cuts[at], end), { filename: 'x'.repeat(at * 300) })); // prettier-ignore
  const file = new Uint8Array(await new Blob(members).arrayBuffer());
  expect(await kindOf(Object.assign(new Blob([file]), { name: 'pigz.gz' }))).toBe('recording');
  for (const size of [97, file.length])
    expect(await readAll(streamOf(inPieces(file, size)))).toEqual(rounded(log));
  const ends = members.map((_, at) => members.slice(0, at + 1).reduce((sum, { length }) => sum + length, 0));
  for (const end of ends) {
    const damaged = file.slice();
    damaged[end - 8] ^= 1; // of the trailer's CRC-32
    expect((await refusal(streamOf([damaged]))).got).toMatch(/its checksum differs/);
  }
});

test('a truncated file gives its events and then says that it is truncated', async () => {
  const { name, got, wanted } = await refusal(textStream([...recordingLines(run)].slice(0, 50).join('')));
  expect(name).toBe('RecordingCutOffError');
  expect(got).toBe('the end of the file');
  expect(wanted).toContain('truncated');
  const cut = await refusal(streamOf([recorded.slice(0, recorded.length - 200)]));
  expect(cut.name).toBe('RecordingCutOffError');
  expect(cut.where).toMatch(/^(after )?line \d+$/);
});

test('a file of another kind, or of a version that is none, is refused at its first line', async () => {
  expect((await refusal(textStream('{"hello":1}\n'))).wanted).toContain('turnwise-run');
  for (const version of ['0', '-1', '1.5', '"2"', 'null', '{}'])
    expect(await refusal(textStream(`{"format":"turnwise-run","version":${version}}\n`))).toMatchObject({ name: 'RecordingError', where: 'line 1', got: `version ${version}` }); // prettier-ignore
  expect((await refusal(textStream('<!doctype html>'))).where).toBe('line 1');
  expect((await refusal(textStream(''))).wanted).toContain('truncated');
});

test('a bad line or a missing one is named', async () => {
  const lines = [...recordingLines(run)];
  const broken = lines.with(3, '{"kind":"phase","update":1,"phase":"nap"}\n');
  expect((await refusal(textStream(broken.join('')))).where).toBe('line 4.phase');
  const short = lines.toSpliced(10, 1);
  expect((await refusal(textStream(short.join('')))).got).toBe(`${log.length - 1} events`);
});

test('a number is written to six digits as the platform rounds it, ties and edges too', () => {
  let state = 5;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647; // Park and Miller
  const dyadic = [0.9765625, 1.0000005, 123456.5, 0.1220703125, 9.999995, 0.0009999995]; // some lie half way
  const edges = [1e-6, 9.999999e-7, 999999.5, 1e6, 1e-300, 5e-324, 1e21, 0.1, 1 / 3, 1000, 999.9995];
  const drawn = Array.from({ length: 20_000 }, () => (random() - 0.5) * 10 ** (24 * random() - 12));
  const single = drawn.map((value) => Math.fround(value)); // as the engine's numbers are
  const values = [...dyadic, ...edges, ...drawn, ...single].flatMap((size) => [size, -size]);
  expect(values.filter((value) => sixDigits(value) !== Number(value.toPrecision(6)))).toEqual([]);
});
