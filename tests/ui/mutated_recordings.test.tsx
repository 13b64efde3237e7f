import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { NO_KEEPER, NO_TAB } from '../../src/store/lab/kept.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { writeBundle } from '../../src/files/bundle.ts';
import {
  importInWorker,
  lookInWorker,
  openBundleInWorker,
  readInWorker,
} from '../../src/files/file_reader.ts';
import { readLogPart, readRecording, writeRecording, type ReadProgress } from '../../src/files/recording.ts';
import type { BundleContent, EngineEvent } from '../../src/protocol/protocol.ts';
import { VIEWS } from '../../src/store/place/selection.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { hostile, isCheap, originals } from '../support/hostile_files.ts';
import { mutated, smallRecording } from '../support/mutated_recordings.ts';
import { collectGarbage, pageThreadMs } from '../support/devtools.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

const FILES = 260;
const PLAYED = 30; // 260 files, once by hand, broke no view either
const named = (text: string, name: string) => Object.assign(new Blob([text]), { name });

let lab: Lab;
let screen: RenderResult;
let recording: readonly string[];

beforeAll(async () => {
  recording = await smallRecording();
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterAll(() => vi.restoreAllMocks());

async function openPage(read: typeof readRecording | typeof readInWorker): Promise<void> {
  lab = createLab(() => undefined, '', read);
  lab.run.apply((await scriptedLog()).filter(({ kind }) => kind !== 'ready'));
  lab.selection.select({ view: 'compare', compared: 'runs' });
  screen = await render(<App lab={lab} />);
}

test('a recording is read in the worker and stands beside the run', async () => {
  await openPage(readInWorker);
  await lab.shelf.open(named(`${recording.join('\n')}\n`, 'small.ndjson'));
  expect(lab.shelf.getState().failure).toBeNull();
  await expect.element(screen.getByRole('region', { name: 'Aligned curves' })).toBeVisible();
  await cleanup();
});

test('how far the worker is grows with the events that are there, and a reader that has enough ends it', async () => {
  const file = await (await fetch('/recorded-instant.ndjson.members')).blob();
  let told: ReadProgress = { bytes: 0, events: 0 };
  const reading = readInWorker(file, { onProgress: (progress) => (told = progress) });
  for (let i = 0; i < 5000; i += 1) await reading.next();
  await reading.return();
  expect(told.events).toBeLessThan(8000);
  expect(told.bytes / file.size).toBeGreaterThan(0.1);
  expect(told.bytes / file.size).toBeLessThan(0.6); // of 22,353 events, and what streams keep ready
});

test('update 3 after update 1, and an update of a hundred million, are refused where they stand', async () => {
  await openPage(readInWorker);
  for (const update of [3, 100_000_000]) {
    const lines = recording.map((line) => line.replaceAll('"update":2', `"update":${update}`));
    await lab.shelf.open(named(`${lines.join('\n')}\n`, 'jump.ndjson'));
    await expect
      .element(screen.getByRole('alert'))
      .toHaveTextContent(`got ${update}, wanted 2, the next update`);
    expect(lab.shelf.getState().runs).toEqual([]);
  }
  await cleanup();
});

test(`${FILES} mutated recordings opened beside a run: each is shown or refused in words, and the page stays`, async () => {
  await openPage(readRecording); // the same reader without a worker each time
  let shown = 0;
  for (let number = 0; number < FILES; number += 1) {
    await lab.shelf.open(named(mutated(recording, number), `file ${number}`));
    const { runs, failure, reading } = lab.shelf.getState();
    expect(reading).toBeNull();
    expect(runs.length > 0 || failure !== null, `file ${number}`).toBe(true);
    shown += runs.length;
    await expect.element(screen.getByRole('button', { name: 'Keep the run on screen' })).toBeVisible();
    if (runs.some(({ run }) => run.updates.length > 0))
      await expect.element(screen.getByRole('region', { name: 'Aligned curves' })).toBeVisible();
    expect(screen.container.textContent, `file ${number}`).not.toContain('cannot be shown');
    for (const { id } of runs) lab.shelf.remove(id);
  }
  expect(shown).toBeGreaterThan(20);
  await cleanup();
});

/** What a file gives before it ends or is refused: a player has shown that much by then. */
async function eventsOf(text: string): Promise<readonly EngineEvent[]> {
  const events: EngineEvent[] = [];
  try {
    for await (const event of readRecording(new Blob([text]))) events.push(event);
  } catch {
    // that it is refused in words is tested above
  }
  return events;
}

test('every view shows what mutated recordings give as the run on screen', async () => {
  await openPage(readRecording);
  for (let number = FILES; number < FILES + PLAYED; number += 1) {
    lab.run.clear();
    lab.selection.select({ update: null, prompt: 0, node: null, leaf: null });
    lab.run.apply(await eventsOf(mutated(recording, number)));
    for (const view of VIEWS) {
      lab.selection.select({ view });
      await expect.element(screen.getByRole('main')).toBeVisible();
      expect(screen.container.textContent, `file ${number}, ${view}`).not.toContain('cannot be shown');
    }
  }
  await cleanup();
});

const RUN_FILES = 8; // and no bombs, which cost seconds each to make
const STUCK_MS = 1000;

test(`${RUN_FILES} hostile run files opened as a person opens them: the page is never stuck, runs no script, and stays`, async () => {
  const own = await originals();
  const bundles: { readonly bytes: Uint8Array<ArrayBuffer>; readonly mutation: string }[] = [
    { bytes: own.files.bundle.slice(0, 20), mutation: 'truncated' }, // refused, whatever the draws are
  ];
  for (let number = 0; bundles.length < RUN_FILES; number += 1) {
    const file = isCheap(7, number) ? await hostile(own, 7, number) : null;
    if (file?.kind === 'bundle') bundles.push(file);
  }
  const codec = { write: writeRecording, read: readLogPart };
  const tools = { openBundle: openBundleInWorker, writeBundle: (run: BundleContent) => writeBundle(run), writeLog: writeRecording, importRollouts: importInWorker, lookAtRollouts: lookInWorker }; // prettier-ignore
  lab = createLab(() => undefined, '', readInWorker, codec, {}, { keeper: NO_KEEPER, tab: NO_TAB, tools });
  lab.run.apply((await scriptedLog()).filter(({ kind }) => kind !== 'ready'));
  lab.selection.select({ view: 'tree' });
  screen = await render(<App lab={lab} />);
  let opened = 0;
  await collectGarbage(); // that of the tests above is not these files' work
  for (const [number, { bytes, mutation }] of bundles.entries()) {
    const before = await pageThreadMs();
    await lab.files.open(new File([bytes], `file ${number}.turnwise`));
    // A page that works for less than a second in all cannot have been stuck for one.
    const work = (await pageThreadMs()) - before;
    expect(work, `file ${number}, ${mutation}`).toBeLessThan(STUCK_MS);
    const { failure, opened: file } = lab.files.getState();
    opened += Number(file !== null);
    const said = failure ?? lab.shelf.getState().failure;
    if (said) for (const part of Object.values(said)) expect(part, mutation).not.toBe('');
    expect(file !== null || said !== null, mutation).toBe(true);
    expect(screen.container.querySelector('main')).not.toBeNull();
    lab.files.dismiss();
    lab.shelf.dismiss();
  }
  expect(opened).toBeGreaterThan(0);
  expect(opened).toBeLessThan(RUN_FILES); // both ways were gone
  expect('polluted' in globalThis).toBe(false);
  await cleanup();
});
