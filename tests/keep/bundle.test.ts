/** A run as one file: what is saved comes back, and of a damaged file what stands. */
import { readFileSync } from 'node:fs';
import { strFromU8, unzipSync, zipSync } from 'fflate';
import { beforeAll, describe, expect, test } from 'vitest';
import { BundleError, openBundle, writeBundle } from '../../src/files/bundle.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { Keeper } from '../../src/keep/keeper.ts';
import type { BundleContent } from '../../src/protocol/protocol.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { MemoryDisk, memoryEntries, memoryLocks } from '../support/memory_disk.ts';
import { scriptedRun, SCRIPTED_ADAPTER, smallConfig } from '../support/scripted_run.ts';

const LOG = 'log.ndjson.gz';
const [FIRST, SECOND] = ['checkpoints/000001.safetensors', 'checkpoints/000002.safetensors'];
const SAVED = '2026-11-28T00:00:00.000Z';

async function eventsIn(log: Blob): Promise<{ events: readonly RunEvent[]; error: unknown }> {
  const events: RunEvent[] = [];
  try {
    for await (const event of readRecording(log)) events.push(event);
  } catch (error) {
    return { events, error };
  }
  return { events, error: null };
}

let content: BundleContent;
let bytes: Uint8Array<ArrayBuffer>; // of the bundle
let logged: readonly RunEvent[];

const named = (part: string): number => Buffer.from(bytes).indexOf(part, Buffer.from(bytes).indexOf('PK\x03\x04', 60)); // prettier-ignore
/** Where a part's own bytes begin. */
const startOf = (part: string): number => named(part) + part.length;

function changed(at: number): Blob {
  const damaged = bytes.slice();
  damaged[at] ^= 1;
  return new Blob([damaged]);
}

beforeAll(async () => {
  const log = new Blob([await writeRecording(await scriptedRun())]);
  logged = (await eventsIn(log)).events;
  const file = (update: number): Blob => new Blob([new Uint8Array(3000).fill(update)]);
  content = {
    ...{ name: 'mine', note: 'ünd a note', adapter: SCRIPTED_ADAPTER, recipe: smallConfig(), log },
    checkpoints: [1, 2].map((update) => ({ update, file: file(update) })),
  };
  bytes = new Uint8Array(await (await writeBundle(content, SAVED)).arrayBuffer());
});

describe('a bundle', () => {
  test('gives back what it was written with, and every unzip reads it', async () => {
    const { checkpoints, log, damaged, ...notes } = await openBundle(new Blob([bytes]));
    expect(damaged).toEqual([]);
    expect(notes).toEqual({ name: 'mine', note: 'ünd a note', adapter: SCRIPTED_ADAPTER });
    expect((await eventsIn(log)).events).toEqual(logged);
    expect(checkpoints.map(({ update }) => update)).toEqual([1, 2]);
    for (const { update, file } of checkpoints)
      expect(new Uint8Array(await file.arrayBuffer())).toEqual(new Uint8Array(3000).fill(update));
    const parts = unzipSync(bytes);
    expect(Object.keys(parts)).toEqual(['manifest.json', LOG, 'recipe.json', FIRST, SECOND]);
    expect(JSON.parse(strFromU8(parts['recipe.json']))).toEqual(content.recipe);
    expect(JSON.parse(strFromU8(parts['manifest.json']))).toMatchObject({ saved: SAVED, version: 1 });
  });

  test('a damaged checkpoint is named and left out, and the rest is open', async () => {
    const { damaged, checkpoints, log } = await openBundle(changed(startOf(SECOND) + 99));
    expect(damaged).toHaveLength(1);
    expect(damaged[0].what).toBe(`A part of the file is damaged: ${SECOND}`);
    expect(damaged[0].got).toMatch(/^SHA-256 [0-9a-f]{64}$/);
    expect(damaged[0].wanted).toMatch(/^[0-9a-f]{64}$/);
    expect(checkpoints.map(({ update }) => update)).toEqual([1]);
    expect((await eventsIn(log)).error).toBeNull();
  });

  test('a damaged log is named, and gives what comes before the damage', async () => {
    const { damaged, checkpoints, log } = await openBundle(changed(startOf(LOG) + (content.log.size >> 1)));
    expect(damaged.map(({ where }) => where)).toEqual([LOG]);
    expect(checkpoints).toHaveLength(2);
    const { events, error } = await eventsIn(log);
    expect(error).not.toBeNull();
    expect(events.length).toBeGreaterThan(0);
    expect(events).toEqual(logged.slice(0, events.length));
  });

  test('a file that is cut off says what is missing, and opens what is there', async () => {
    const cut = new Blob([bytes.slice(0, startOf(SECOND) + 10)]);
    const { damaged, checkpoints, log } = await openBundle(cut);
    expect(damaged.map(({ where, got }) => [where, got])).toEqual([
      [SECOND, '10 bytes: the file is cut off'],
    ]);
    expect(checkpoints.map(({ update }) => update)).toEqual([1]);
    expect((await eventsIn(log)).events).toEqual(logged);
    const half = await openBundle(new Blob([bytes.slice(0, startOf(LOG) + (content.log.size >> 1))]));
    expect(half.damaged.map(({ where }) => where)).toEqual([LOG, 'recipe.json', FIRST, SECOND]);
    const { events } = await eventsIn(half.log);
    expect(events).toEqual(logged.slice(0, events.length));
  });

  test('with a damaged list of parts the log still opens', async () => {
    const { damaged, log } = await openBundle(changed(50));
    expect(damaged.map(({ where }) => where)).toEqual(['manifest.json']);
    expect((await eventsIn(log)).events).toEqual(logged);
  });

  test('one of a later version, another zip, and no zip at all are refused in five parts', async () => {
    const later = Buffer.from(bytes).toString('latin1').replace('"version": 1', '"version": 9');
    await expect(openBundle(new Blob([Buffer.from(later, 'latin1')]))).rejects.toMatchObject({
      report: { what: 'This file was saved by a later version of the lab', got: '9', wanted: 'at most 1' },
    });
    const other = new Blob([zipSync({ 'a.txt': new Uint8Array(9) })]);
    await expect(openBundle(other)).rejects.toMatchObject({
      report: { where: 'first part', got: '"a.txt"' },
    });
    await expect(openBundle(new Blob(['hello']))).rejects.toBeInstanceOf(BundleError);
  });

  test('with a log of the first version opens as that log does by itself', async () => {
    const old = new Blob([readFileSync('tests/fixtures/version_1_run.ndjson.gz')]);
    const file = await writeBundle({ ...content, log: old, checkpoints: [] });
    const { log, damaged } = await openBundle(file);
    expect(damaged).toEqual([]);
    const kinds = async (blob: Blob): Promise<string[]> => {
      const seen: string[] = [];
      for await (const { kind } of readRecording(blob)) seen.push(kind);
      return seen;
    };
    expect(await kinds(log)).toEqual(await kinds(old));
    expect(await kinds(log)).toContain('metrics');
  });
});

describe('a kept run', () => {
  const keeper = (): Keeper =>
    new Keeper({ disk: new MemoryDisk(), table: memoryEntries(), locks: memoryLocks(), date: () => SAVED });

  test('taken from a file and saved again is the same run, with the checkpoints that were chosen', async () => {
    const place = keeper();
    const opened = await openBundle(new Blob([bytes]));
    const entry = await place.take(opened);
    expect(entry).toMatchObject({ name: 'mine', note: 'ünd a note', update: 2, finished: true });
    expect(await place.list()).toEqual([entry]);
    for (const [choice, updates] of [
      ['all', [1, 2]],
      ['newest', [2]],
      ['none', []],
    ] as const) {
      // prettier-ignore
      const again = await openBundle(await place.bundle(entry.id, choice));
      expect(again.damaged).toEqual([]);
      expect(again.checkpoints.map(({ update }) => update)).toEqual(updates);
      const { events, error } = await eventsIn(again.log);
      expect(error).toBeNull(); // it has its end line
      expect(events).toEqual(logged.filter(({ kind }) => kind !== 'status'));
    }
    const second = await place.take(opened);
    expect(second.id).not.toBe(entry.id);
  });

  test('a file without a whole update leaves nothing behind', async () => {
    const place = keeper();
    const start = new Blob([await writeRecording(logged.slice(0, 4))]);
    const refused = place.take({ ...(await openBundle(new Blob([bytes]))), log: start });
    await expect(refused).rejects.toMatchObject({ report: { got: 'no configuration, or no update' } });
    expect(await place.list()).toEqual([]);
    await expect(place.bundle('nobody', 'all')).rejects.toMatchObject({ report: { where: 'run nobody' } });
  });
});
