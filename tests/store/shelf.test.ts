import { expect, test } from 'vitest';
import { foldEvents } from '../../src/store/fold.ts';
import { EMPTY_RUN, type RunState } from '../../src/store/run_state.ts';
import { createShelf } from '../../src/store/shelf.ts';
import { readRecording, writeRecording } from '../../src/train/recording.ts';
import { SAMPLE_LOG } from '../support/sample_log.ts';
import { scriptedRun } from '../support/scripted_run.ts';

const named = (bytes: BlobPart, name: string) => Object.assign(new Blob([bytes]), { name });

test('a kept run stays as it was', () => {
  const shelf = createShelf(readRecording);
  const run = foldEvents(EMPTY_RUN, SAMPLE_LOG);
  shelf.keep(run);
  const [kept] = shelf.getState().runs;
  expect(kept.run).toBe(run);
  expect(kept.title).toBe('AT²PO, instant, seed 7, 2 updates');
  shelf.remove(kept.id);
  expect(shelf.getState().runs).toEqual([]);
});

test('nothing is kept before a run has started', () => {
  const shelf = createShelf(readRecording);
  shelf.keep(EMPTY_RUN);
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
