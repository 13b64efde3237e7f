import { expect, test } from 'vitest';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN, type RunState } from '../../src/store/record/run_state.ts';
import { createRunStore } from '../../src/store/record/run.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { readRecord, type ReadRecording } from '../../src/store/record/read_record.ts';
import { createShelf } from '../../src/store/record/shelf.ts';
import { readRecording, recordingLines, writeRecording } from '../../src/files/recording.ts';
import { SAMPLE_LOG, START } from '../support/sample_log.ts';
import { scriptedRun } from '../support/scripted_run.ts';

const named = (bytes: BlobPart, name: string) => Object.assign(new Blob([bytes]), { name });

test('a kept run stays as it was', () => {
  const shelf = createShelf(readRecording);
  const record = createRunStore();
  record.apply(SAMPLE_LOG);
  const run = record.getState();
  shelf.keep(record);
  const [kept] = shelf.getState().runs;
  record.apply([START]);
  expect(record.getState().updates).toEqual([]);
  expect(kept.record.getState()).toBe(run);
  expect(kept.run).toBe(run);
  expect(kept.title).toBe('AT²PO, instant, seed 7, 2 updates');
  shelf.remove(kept.id);
  expect(shelf.getState().runs).toEqual([]);
});

test('nothing is kept before a run has started', () => {
  const shelf = createShelf(readRecording);
  shelf.keep(createRunStore());
  expect(shelf.getState().runs).toEqual([]);
});

test('a recording from a file becomes a run', async () => {
  const shelf = createShelf(readRecording);
  const log = await scriptedRun();
  await shelf.open(named(await writeRecording(log), 'run.ndjson.gz'));
  const { runs, failure, reading } = shelf.getState();
  expect(failure).toBeNull();
  expect(reading).toBeNull();
  expect(runs[0].origin).toBe('file');
  const leaves = (run: RunState) => run.updates.map(({ trees }) => trees.map((tree) => tree.leaves));
  expect(leaves(runs[0].run)).toEqual(leaves(foldEvents(EMPTY_RUN, log))); // numbers are rounded in the file
});

test('a file that is no recording says so, and the shelf stays as it was', async () => {
  const shelf = createShelf(readRecording);
  await shelf.open(named('not a recording', 'notes.txt'));
  const { runs, failure } = shelf.getState();
  expect(runs).toEqual([]);
  expect(failure?.next).toMatch(/[Rr]ecord/);
  shelf.dismiss();
  expect(shelf.getState().failure).toBeNull();
});

test('of a file that breaks off, what came before is kept, and the shelf says that it broke off', async () => {
  const shelf = createShelf(readRecording);
  const bytes = await writeRecording(await scriptedRun());
  await shelf.open(named(bytes.slice(0, bytes.length - 1000), 'half.ndjson.gz'));
  const { runs, failure } = shelf.getState();
  expect(runs[0].run.updates.length).toBeGreaterThan(0);
  expect(failure?.what).toBe('The recorded run is not whole');
  expect(failure?.next).toContain('What came before is kept');
});

test('of a file that is wrong in the middle nothing is kept', async () => {
  const shelf = createShelf(readRecording);
  const lines = [...recordingLines(await scriptedRun())].map((line) =>
    line.replaceAll('"update":2', '"update":3'),
  );
  await shelf.open(named(lines.join(''), 'jump.ndjson'));
  const { runs, failure } = shelf.getState();
  expect(runs).toEqual([]);
  expect(failure).toMatchObject({ got: '3', wanted: '2, the next update' });
});

/** A reader that gives nothing until it is let go, and ends when it is aborted. */
function slowReader() {
  const waiting: (() => void)[] = [];
  const read: ReadRecording = async function* (_file, { signal, onProgress } = {}) {
    onProgress?.({ bytes: 2, events: 7 });
    await new Promise<void>((resolve, reject) => {
      waiting.push(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    });
    yield* SAMPLE_LOG;
  };
  return { read, release: () => waiting.forEach((resolve) => resolve()) };
}

test('a file under way tells how far it is, and can be left', async () => {
  const { read } = slowReader();
  const shelf = createShelf(read);
  const opened = shelf.open(named('12345678', 'slow.ndjson'));
  await Promise.resolve();
  expect(shelf.getState().reading).toEqual({ name: 'slow.ndjson', share: 0.25, events: 7 });
  shelf.cancel();
  await opened;
  expect(shelf.getState()).toEqual({ runs: [], compared: [], reading: null, failure: null });
});

test('another file takes the place of the one under way', async () => {
  const { read, release } = slowReader();
  const shelf = createShelf(read);
  const first = shelf.open(named('1234', 'first.ndjson'));
  const second = shelf.open(named('1234', 'second.ndjson'));
  await first;
  expect(shelf.getState().reading?.name).toBe('second.ndjson');
  release();
  await second;
  expect(shelf.getState().runs).toHaveLength(1);
});

test('a long log is folded in helpings, and the page is let go on between them', async () => {
  const many = Array.from({ length: 2000 }, () => SAMPLE_LOG.at(-1)!);
  const helpings: number[] = [];
  let turns = 0; // of the page between them
  const record = createRunStore();
  const { apply } = record;
  Object.assign(record, {
    apply(events: readonly RunEvent[]) {
      expect(turns).toBe(helpings.length);
      helpings.push(events.length);
      setTimeout(() => (turns += 1), 0);
      apply(events);
    },
  });
  const events = async function* () {
    await Promise.resolve();
    yield* SAMPLE_LOG;
    yield* many;
  };
  const { failure } = await readRecord(events(), record);
  expect(failure).toBeNull();
  expect(helpings.reduce((sum, length) => sum + length, 0)).toBe(SAMPLE_LOG.length + many.length);
  expect(Math.max(...helpings)).toBe(512);
});
