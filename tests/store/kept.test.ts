import { expect, test } from 'vitest';
import { openBundle, writeBundle } from '../../src/files/bundle.ts';
import { readRecording, writeRecording, written } from '../../src/files/recording.ts';
import { Keeper } from '../../src/keep/keeper.ts';
import type { EngineEvent, RunEvent } from '../../src/protocol/protocol.ts';
import type { FileTools } from '../../src/store/lab/files.ts';
import type { TabMemory } from '../../src/store/lab/kept.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { encodeSelection } from '../../src/store/place/address.ts';
import { encodeWeights } from '../../src/model/weights.ts';
import { importAsRecord, lookAt } from '../../src/files/rollouts/look.ts';
import { parameterMap } from '../../src/model/parameters.ts';
import { LOADED_BY_HAND, type ErrorReport } from '../../src/units.ts';
import { fixtureFiles } from '../support/imports.ts';
import { keeperEnd, MemoryDisk, memoryEntries, memoryLocks } from '../support/memory_disk.ts';
import { scriptedBackend, scriptedEngine, smallConfig, withoutTimes } from '../support/scripted_run.ts';

const config = smallConfig({ updates: 12 });
const LOST: ErrorReport = {
  what: 'The device was lost',
  where: 'here',
  got: 'a',
  wanted: 'b',
  next: 'Play.',
};

const TOOLS: FileTools = {
  ...{ openBundle, writeBundle: (run) => writeBundle(run), writeLog: writeRecording },
  ...{ importRollouts: importAsRecord, lookAtRollouts: lookAt },
};
const named = (file: Blob, name = 'run.turnwise') => Object.assign(file, { name });

/** This browser, over several pages. */
function browser() {
  const parts = { disk: new MemoryDisk(), table: memoryEntries(), locks: memoryLocks() };
  let left: ReturnType<TabMemory['get']> = null;
  const tab: TabMemory = { get: () => left, set: (live) => void (left = live) };
  return { parts, tab };
}

/** A page of it, with an engine of its own. */
function openPage({ parts, tab }: ReturnType<typeof browser>, hash = '') {
  const keeper = new Keeper(parts);
  const made: { lab: Lab | null } = { lab: null };
  const backends: ReturnType<typeof scriptedBackend>[] = [];
  const { engine, send, ask, until, onEvent } = scriptedEngine(config, {
    openBackend() {
      backends.push(scriptedBackend(config));
      return Promise.resolve(backends.at(-1)!);
    },
    tell({ id, ...settled }) {
      void keeper
        .record(id, written(settled))
        .then((entry) => entry && lab.kept.hear({ kind: 'kept', entry }));
    },
  });
  const read = (file: Blob) => readRecording(file);
  const lab = createLab(
    (command) => void send(command),
    hash,
    read,
    null,
    { ask },
    { keeper: keeperEnd(keeper), tab, tools: TOOLS },
  );
  made.lab = lab;
  const heard = (event: EngineEvent): void => {
    const own: EngineEvent =
      event.kind === 'ready' ? { ...event, presets: [{ ...event.presets[0], config }] } : event;
    lab.transport.receive([own]);
    lab.kept.hearEngine([own]);
  };
  onEvent(heard);
  const close = async (): Promise<void> => {
    await engine.dispose();
    for (const { id } of await keeper.list()) keeper.release(id);
  };
  const lose = (): void => backends.at(-1)!.lose(LOST);
  return { lab, engine, lose, until, keeper, close };
}

const PATIENT = { timeout: 30_000 }; // of a busy machine

const isOver = (event: EngineEvent): boolean => event.kind === 'status' && event.status === 'finished';
const startOf =
  (update: number) =>
  (event: EngineEvent): boolean =>
    event.kind === 'update-started' && event.update === update;

const logged = (events: readonly RunEvent[]): readonly RunEvent[] =>
  events.filter(({ kind }) => kind !== 'status').map(withoutTimes);

async function asFile(events: readonly RunEvent[]): Promise<readonly RunEvent[]> {
  const read: RunEvent[] = [];
  for await (const event of readRecording(new Blob([await writeRecording(events)]))) read.push(event);
  return read;
}

async function logOf(lab: Lab): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of lab.run.log()) events.push(event);
  return asFile(logged(events));
}

/** Trains, and pauses within an update. */
async function trainInto({ lab, until }: ReturnType<typeof openPage>, update: number): Promise<void> {
  const there = until((event) => {
    if (startOf(update)(event)) lab.transport.pause();
    return event.kind === 'status' && event.status === 'paused' && event.update === update;
  });
  lab.transport.trainLive();
  await there;
}

/** A run that is paused within its last update, on the shelf up to the one before; three tests, in their order, share it. */
let pausedPage: Promise<ReturnType<typeof openPage>> | undefined;
const paused = (): Promise<ReturnType<typeof openPage>> => (pausedPage ??= trainPaused());

async function trainPaused() {
  const page = openPage(browser());
  await page.engine.start();
  await trainInto(page, 12);
  await expect.poll(() => page.lab.kept.getState().entries[0]?.update, PATIENT).toBe(11);
  return page;
}

/** A run that nobody disturbs. */
let undisturbedRun: Promise<readonly RunEvent[]> | undefined;
const undisturbed = (): Promise<readonly RunEvent[]> => (undisturbedRun ??= trainUndisturbed());

async function trainUndisturbed(): Promise<readonly RunEvent[]> {
  const page = openPage(browser());
  const over = page.until(isOver);
  await page.engine.start();
  page.lab.transport.trainLive();
  await over;
  return logOf(page.lab);
}

test('a page that is opened again goes on with the run that it left, with the same numbers', async () => {
  const place = browser();
  const first = openPage(place);
  await first.engine.start();
  await trainInto(first, 12); // the checkpoint after update 10 is the newest
  await expect.poll(() => first.lab.kept.getState().entries[0]?.update, PATIENT).toBe(11);
  const { id } = first.lab.kept.getState().entries[0];
  expect(place.tab.get()).toEqual({ id, plays: false });
  const kept = await logOf(first.lab);
  await first.close();

  const second = openPage(place);
  second.lab.selection.select({ view: 'tree', update: 7, prompt: 1 });
  await second.lab.kept.goOn(id, true, 'reload');
  const over = second.until(isOver);
  expect(second.lab.kept.getState().returned).toEqual({ why: 'reload', update: 10, cause: null });
  expect(second.lab.run.getState().updates).toHaveLength(10); // at once, before the engine is there
  expect(second.lab.selection.getState()).toMatchObject({ view: 'tree', update: 7, prompt: 1 });
  // The run that the page opens ahead has the same configuration, and on a busy machine it starts only now.
  const ahead = { ...kept.find((event) => event.kind === 'run-started')!, date: '2026-11-28T00:00:00.000Z' };
  second.lab.transport.receive([ahead]);
  second.lab.kept.hearEngine([ahead]);
  expect(second.lab.run.getState().updates).toHaveLength(10);
  expect(second.lab.kept.getState().current).toBe(id);
  await second.engine.start();
  await over;
  const whole = await logOf(second.lab);
  expect(whole).toEqual(await undisturbed());
  const upTo = (events: readonly RunEvent[]) =>
    events.filter((event) => 'update' in event && event.update <= 10);
  expect(upTo(whole)).toEqual(upTo(kept));
  await expect
    .poll(() => second.lab.kept.getState().entries[0], PATIENT)
    .toMatchObject({ id, update: 12, finished: true });
  expect(second.lab.kept.getState().entries).toHaveLength(1);
});

test('the tenth loss within a minute stops it, and the run is kept', async () => {
  const page = openPage(browser());
  await page.engine.start();
  await trainInto(page, 11);
  await expect.poll(() => page.lab.kept.getState().entries[0]?.update, PATIENT).toBe(10);
  for (let loss = 1; loss <= 10; loss += 1) {
    page.lab.kept.dismiss('returned');
    page.lose();
    const { kept } = page.lab;
    if (loss < 10) {
      await expect
        .poll(() => kept.getState().returned, PATIENT)
        .toEqual({ why: 'device', update: 10, cause: LOST.what });
      await expect.poll(() => page.lab.run.getState().status, PATIENT).toBe('paused');
    } else
      await expect
        .poll(() => kept.getState().trouble?.what, PATIENT)
        .toMatch(/lost ten times within a minute/);
  }
  expect(page.lab.run.getState().updates.length).toBeGreaterThanOrEqual(10);
});

test('a last word of the run before is put on the shelf and is not taken for the live run', async () => {
  const page = openPage(browser());
  await page.engine.start();
  await trainInto(page, 3);
  await expect.poll(() => page.lab.kept.getState().entries[0]?.update, PATIENT).toBe(2);
  const { entries, current } = page.lab.kept.getState();
  const late = { ...entries[0], id: 'before', created: '2026-01-01T00:00:00.000Z' };
  page.lab.kept.hear({ kind: 'kept', entry: late });
  expect(page.lab.kept.getState()).toMatchObject({ current, entries: [{ id: 'before' }, { id: current }] });
});

/** In a browser that never saw the run: opens the file, keeps it, resumes it to its end. */
async function resumedElsewhere(file: Blob): Promise<readonly RunEvent[]> {
  const page = openPage(browser());
  await page.engine.start();
  await page.lab.files.open(named(file));
  expect(page.lab.files.getState()).toMatchObject({ failure: null, opened: { bundle: { damaged: [] } } });
  expect(page.lab.run.getState().updates.length).toBeGreaterThanOrEqual(10); // it is on screen before it is kept
  await page.lab.files.keep();
  const id = page.lab.files.getState().opened!.kept!;
  const over = page.until(isOver);
  expect(await page.lab.kept.goOn(id, true)).toBe(true);
  await over;
  await expect.poll(() => page.lab.kept.getState().entries[0], PATIENT).toMatchObject({ id, finished: true });
  return logOf(page.lab);
}

test('a run that is saved and opened in another browser is resumed with the same numbers', async () => {
  const page = await paused();
  const file = await page.lab.files.save('screen');
  expect(await resumedElsewhere(file!)).toEqual(await undisturbed());
});

test('so is one that could not be written down here: it is saved from memory, with a checkpoint of now', async () => {
  const page = openPage(browser());
  page.keeper.record = () => Promise.resolve(null); // nothing is written down
  await page.engine.start();
  await trainInto(page, 12);
  page.lab.transport.play();
  const file = await page.lab.files.save('live');
  expect(await resumedElsewhere(file!)).toEqual(await undisturbed());
});

test('a damaged checkpoint is said, the run is open, and the one before it is resumed', async () => {
  const page = await paused();
  const { id } = page.lab.kept.getState().entries[0];
  const file = await page.lab.files.save({ id, checkpoints: 'all' });
  const bytes = new Uint8Array(await file!.arrayBuffer());
  const at = Buffer.from(bytes).indexOf('checkpoints/000010', 2000); // its header, not the list of parts
  bytes[at + 200] ^= 1;
  const other = openPage(browser());
  await other.engine.start();
  await other.lab.files.open(named(new Blob([bytes])));
  const { opened } = other.lab.files.getState();
  expect(opened!.bundle.damaged.map(({ where }) => where)).toEqual(['checkpoints/000010.safetensors']);
  expect(opened!.bundle.checkpoints.map(({ update }) => update)).toEqual([1]);
  expect(other.lab.run.getState().updates).toHaveLength(11);
  await other.lab.files.keep();
  expect(await other.lab.kept.goOn(other.lab.files.getState().opened!.kept!, false)).toBe(true);
  expect(other.lab.kept.getState().returned?.update).toBe(1);
});

test('a lost device is opened again and the run goes on alone, with the same numbers', async () => {
  const page = await paused();
  page.lose();
  await expect
    .poll(() => page.lab.kept.getState().returned, PATIENT)
    .toEqual({ why: 'device', update: 10, cause: LOST.what });
  await expect.poll(() => page.lab.run.getState().status, PATIENT).toBe('paused'); // as it was
  const over = page.until(isOver);
  page.lab.transport.play();
  await over;
  expect(await logOf(page.lab)).toEqual(await undisturbed());
});

test('what is no file of the lab is refused in words, and weights wait for a restart', async () => {
  const page = openPage(browser());
  await page.engine.start();
  await trainInto(page, 2);
  await page.lab.files.open(named(new Blob(['hello, world']), 'notes.txt'));
  expect(page.lab.imports.getState().refused?.refused).toMatchObject([
    { path: 'notes.txt', line: 1, report: { what: 'A row is no JSON' } },
  ]);
  const noWeights = new Uint8Array(40);
  noWeights.set([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]);
  await page.lab.files.open(named(new Blob([noWeights.slice(0, 10)]), 'empty.safetensors'));
  expect(page.lab.files.getState().failure?.where).toMatch(/^empty.safetensors, /);
  expect(page.lab.transport.getState().draft).toBeNull();
  const values = new Float32Array(parameterMap(config.model).length).fill(0.5);
  const file = new Blob([encodeWeights({ config: config.model, values, metadata: {} })]);
  await page.lab.files.open(named(file, 'mine.safetensors'));
  expect(page.lab.files.getState()).toMatchObject({ failure: null, loaded: 'mine.safetensors' });
  expect(page.lab.transport.getState().draft?.weights).toBe(LOADED_BY_HAND);
  const over = page.until(isOver);
  page.lab.transport.restart();
  await over;
  expect(page.lab.run.getState().header?.config?.weights).toBe(LOADED_BY_HAND);
});

test('rollouts of another trainer are kept: a page at the same address comes back to them, whatever lay between', async () => {
  const here = browser();
  const one = openPage(here);
  await one.lab.files.openAll(fixtureFiles('verl_0_6'));
  const [{ prompt, nodes }] = one.lab.run.getState().updates[1].trees;
  one.lab.selection.select({ view: 'credit', update: 2, prompt: prompt.index, node: nodes.at(-1)!.id });
  const [entry] = one.lab.kept.getState().entries;
  expect(entry).toMatchObject({ config: null, finished: true, update: 2, origin: { kind: 'imported' } });
  expect(one.lab.kept.entryOf(one.lab.run.shown())).toEqual(entry);
  expect(await one.lab.kept.load(entry.id)).toBe(one.lab.run.shown()); // its trees as the person has them
  const [place, events] = [one.lab.selection.getState(), await logOf(one.lab)];
  await one.close();
  const two = openPage(here, encodeSelection(place));
  await expect.poll(() => two.lab.run.getState().updates.length, PATIENT).toBe(2);
  expect(await logOf(two.lab)).toEqual(events);
  expect(two.lab.selection.getState()).toEqual(place);
  expect(two.lab.arrival.getState().lost).toBeNull();
  expect(await two.lab.kept.goOn(entry.id, true)).toBe(false); // nobody can train it
  await two.close();
});

test('read otherwise, an import takes the place, the name and the note of the one before; deleted, it is off the shelf', async () => {
  const here = browser();
  const { lab, keeper, close } = openPage(here);
  const files = fixtureFiles('atpo_dump.jsonl');
  await lab.files.openAll(files);
  const [first] = lab.kept.getState().entries;
  await lab.kept.change(first.id, { name: 'mine', note: 'of Friday', pinned: true });
  const choices = { format: null, delimiters: 'none', reward: null, group: null } as const;
  await lab.imports.open(files, 'screen', choices, lab.run.shown());
  const there = (await keeper.list()).filter(({ removed }) => removed === null);
  expect(there).toMatchObject([{ name: 'mine', note: 'of Friday', pinned: true }]);
  expect(there[0].id).not.toBe(first.id);
  expect(lab.shelf.getState().runs).toHaveLength(1);
  await lab.kept.change(there[0].id, { removed: '2026-11-28' });
  expect(lab.shelf.getState().runs).toEqual([]);
  await close();
});

test('an import that finds no room is said once, and stays in the tab', async () => {
  const here = browser();
  here.parts.disk.quota = 10;
  const { lab, close } = openPage(here);
  await lab.files.openAll(fixtureFiles('verl_0_6'));
  expect(lab.imports.getState().failure?.what).toBe('These rollouts are not kept in this browser');
  expect(lab.imports.getState().failure?.got).toMatch(/QuotaExceededError/);
  expect(lab.run.getState().updates).toHaveLength(2);
  expect([lab.kept.getState().entries, here.parts.disk.files.size]).toEqual([[], 0]);
  await lab.files.openAll(fixtureFiles('chat.jsonl'));
  expect(lab.imports.getState().failure).toBeNull();
  expect(lab.shelf.getState().runs).toHaveLength(2);
  await close();
});

test('trees of an import that a person split come back split, are saved so, and the change can still be taken back', async () => {
  const here = browser();
  const one = openPage(here);
  await one.lab.files.openAll(fixtureFiles('atpo_dump.jsonl'));
  const before = one.lab.run.getState().updates[0].trees;
  const prompt = before.findIndex(({ nodes, leaves }) => nodes.some((node) => node && node.id !== 0 && node.children.length > 1 && leaves.length > 1)); // prettier-ignore
  const shared = before[prompt].nodes.find((node) => node && node.id !== 0 && node.children.length > 1)!;
  const leaf = before[prompt].leaves.find((each) => shared.children.includes(each))!;
  one.lab.selection.select({ update: 1, prompt, node: shared.id, leaf });
  await one.lab.reshaping.split(shared.id, leaf);
  const split = one.lab.run.getState().updates[0].trees;
  expect(split[prompt].nodes.length).toBeGreaterThan(before[prompt].nodes.length);
  const [{ id }] = one.lab.kept.getState().entries;
  await expect.poll(async () => (await one.keeper.list())[0].edits).toEqual([{ kind: 'split', update: 1, prompt, node: shared.id, leaf }]); // prettier-ignore
  const place = one.lab.selection.getState();
  await one.close();
  const two = openPage(here, encodeSelection(place));
  await expect.poll(() => two.lab.run.getState().updates[0]?.trees, PATIENT).toEqual(split);
  expect(two.lab.selection.getState()).toEqual(place);
  const { log } = await openBundle((await two.lab.files.save({ id, checkpoints: 'none' }))!);
  const saved: RunEvent[] = [];
  for await (const event of readRecording(log)) saved.push(event);
  expect(saved).toEqual(await asFile(await logOf(two.lab)));
  two.lab.reshaping.undo();
  expect(two.lab.run.getState().updates[0].trees).toEqual(before);
  await expect.poll(async () => (await two.keeper.list())[0].edits).toEqual([]);
  await two.close();
});
