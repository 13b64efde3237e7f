import { afterEach, expect, test, vi } from 'vitest';
import { READ_BOUNDS, type ReadBounds } from '../../src/files/byte_lines.ts';
import { readRecording, type ReadProgress } from '../../src/files/recording.ts';
import { LabError } from '../../src/units.ts';
import { countOf } from '../support/count_of.ts';
import { smallRecording } from '../support/mutated_recordings.ts';

const recording = await smallRecording();
const text = `${recording.join('\n')}\n`;
const HEADER = recording[0];

afterEach(() => void vi.restoreAllMocks());

/** A file that never ends: `head`, then `piece` again and again. Says how many bytes were asked for. */
function endless(head: string, piece: string) {
  const encoder = new TextEncoder();
  const [first, more] = [encoder.encode(head), encoder.encode(piece)];
  const read = { bytes: 0 };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const chunk = read.bytes === 0 ? first : more.slice();
      read.bytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  return { stream, read };
}

async function refusal(
  stream: ReadableStream<Uint8Array<ArrayBuffer>> | Blob,
  bounds: Partial<ReadBounds> = {},
) {
  let events = 0;
  try {
    await countOf(
      readRecording(stream, { bounds: { ...READ_BOUNDS, ...bounds } }),
      (count) => (events = count),
    );
  } catch (error) {
    if (error instanceof LabError) return { name: error.name, ...error.report, events };
    throw error;
  }
  throw new Error('the recording was read');
}

test('a line that does not end is refused at its bound, and the rest of the file is never asked for', async () => {
  const { stream, read } = endless(`${HEADER}\n{"kind":"`, 'x'.repeat(65_536));
  const { where, wanted } = await refusal(stream);
  expect(where).toBe('line 2');
  expect(wanted).toBe(`at most ${READ_BOUNDS.lineBytes} bytes in a line`);
  expect(read.bytes).toBeLessThan(READ_BOUNDS.lineBytes + 20 * 65_536); // what streams keep ready
});

test('the same, zipped: 64 kB that are one line of 64 MB', async () => {
  const line = new Blob([
    `${HEADER}\n{"kind":"`,
    ...Array.from({ length: 1024 }, () => 'x'.repeat(65_536)),
    '"}\n',
  ]);
  const zipped = await new Response(line.stream().pipeThrough(new CompressionStream('gzip'))).blob();
  expect(zipped.size).toBeLessThan(80_000);
  expect((await refusal(zipped)).wanted).toContain('bytes in a line');
});

/** Tells `count` of each call of a method, which goes on as it was. */
function counted<T extends object, Key extends keyof T>(
  owner: T,
  name: Key,
  count: (args: Parameters<Extract<T[Key], (...args: never[]) => unknown>>, self: T) => void,
): void {
  const original = owner[name] as (...args: unknown[]) => unknown;
  vi.spyOn(owner as Record<string, (...args: unknown[]) => unknown>, name as string).mockImplementation(
    function (this: unknown, ...args: unknown[]) {
      count(args as never, this as T);
      return original.apply(this, args);
    },
  );
}

test('work is linear: a long line in small pieces is copied and decoded once', async () => {
  const length = 4 * 2 ** 20;
  const line = new TextEncoder().encode(`${HEADER}\n{"kind":"${'x'.repeat(length)}"}\n`);
  const pieces = Array.from({ length: Math.ceil(line.length / 1024) }, (_, i) => line.slice(i * 1024, (i + 1) * 1024)); // prettier-ignore
  const work = { decoded: 0, copied: 0, split: 0 };
  counted(TextDecoder.prototype, 'decode', ([bytes]) => (work.decoded += bytes?.byteLength ?? 0));
  counted(Uint8Array.prototype, 'set', ([bytes]) => (work.copied += bytes.length));
  counted(String.prototype, 'split', (_, text) => (work.split += text.length));
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      pieces.forEach((piece) => controller.enqueue(piece));
      controller.close();
    },
  });
  expect((await refusal(stream)).where).toBe('line 2.kind');
  const { decoded, copied, split: cut } = work;
  vi.restoreAllMocks();
  expect(decoded).toBeGreaterThanOrEqual(length);
  expect(Math.max(decoded, copied, cut)).toBeLessThan(1.1 * line.length);
});

test('depth, total and events have their bounds, each named with what is read until then', async () => {
  const deep = await refusal(new Blob([`${HEADER}\n${'['.repeat(100_000)}`]));
  expect(deep).toMatchObject({
    where: 'line 2',
    wanted: `at most ${READ_BOUNDS.depth} brackets open at once`,
  });
  const quoted = `${HEADER}\n{"kind":"${'[{\\"'.repeat(100)}"}\n`; // within a string brackets are letters
  expect((await refusal(new Blob([quoted]))).where).toBe('line 2.kind');
  const events = await refusal(new Blob([text]), { events: 5 });
  expect(events).toMatchObject({ wanted: 'at most 5 events', where: 'line 7' });
  const total = await refusal(new Blob([text]), { totalBytes: 20_000 });
  expect(total.wanted).toBe('a file of at most 20000 bytes, unzipped');
});

test('nothing may follow the end line', async () => {
  const { where, wanted } = await refusal(new Blob([text, recording[1]]));
  expect(where).toBe(`line ${recording.length + 1}`);
  expect(wanted).toContain('nothing after the line of kind "end"');
});

test('a file that breaks off gives what came before, wherever it breaks, and says that it broke off', async () => {
  for (const end of [text.length - 30, text.length - 200, 9000, 4000]) {
    const { name, events } = await refusal(new Blob([text.slice(0, end)]));
    expect(name, `cut at ${end}`).toBe('RecordingCutOffError');
    expect(events, `cut at ${end}`).toBe(text.slice(0, end).split('\n').length - 2);
  }
});

test('progress tells the bytes of the file, and a signal ends the reading', async () => {
  const blob = new Blob([text]);
  const told: ReadProgress[] = [];
  await countOf(readRecording(blob, { onProgress: (progress) => told.push(progress) }));
  expect(told.at(-1)).toEqual({ bytes: blob.size, events: recording.length - 2 });
  const controller = new AbortController();
  const { stream } = endless(`${recording.slice(0, 5).join('\n')}\n`, `${recording[1]}\n`);
  const reading = readRecording(stream, { signal: controller.signal });
  await reading.next();
  controller.abort(new Error('enough'));
  await expect(countOf(reading)).rejects.toThrow('enough');
});
