import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { philox4x32, uniform } from '../../src/algo/random.ts';
import { openBundle } from '../../src/files/bundle.ts';
import { readMember, wholeMembers, writeMember, blobSource, type Bytes } from '../../src/files/members.ts';
import { endLine, readRecording, writeRecording, written } from '../../src/files/recording.ts';
import { importAsRecord } from '../../src/files/rollouts/look.ts';
import { Keeper, keepReport } from '../../src/keep/keeper.ts';
import type { RunEvent, SettledUpdate } from '../../src/protocol/protocol.ts';
import { fixtureFiles } from '../support/imports.ts';
import { MemoryDisk, memoryEntries, memoryLocks } from '../support/memory_disk.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const LOG = 'runs/a/log.ndjson.gz';

/** A small run of the real loop, as a file holds it. */
const SAMPLE = smallConfig({ promptsPerUpdate: 2, promptsPerMinibatch: 2 });
const SAMPLE_LOG: RunEvent[] = [];
for await (const event of readRecording(new Blob([await writeRecording(await scriptedRun(SAMPLE))])))
  SAMPLE_LOG.push(event);
const START = SAMPLE_LOG.find((event) => event.kind === 'run-started')!;

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);

/** The sample run, update by update, with a checkpoint after each. */
function settledUpdates(): readonly SettledUpdate[] {
  const starts = SAMPLE_LOG.flatMap((event, at) => (event.kind === 'update-started' ? [at] : []));
  const ends = [...starts.slice(1), SAMPLE_LOG.length];
  const first = { update: 0, events: SAMPLE_LOG.slice(0, starts[0]), checkpoint: bytesOf('state 0') };
  const rest = starts.map((start, index) => ({
    update: index + 1,
    events: SAMPLE_LOG.slice(start, ends[index]),
    checkpoint: bytesOf(`state ${index + 1}`),
  }));
  return [first, ...rest];
}

function keeperOn(disk = new MemoryDisk(), table = memoryEntries(), locks = memoryLocks()) {
  return { disk, table, locks, keeper: new Keeper({ disk, table, locks, date: () => '2026-11-27' }) };
}

async function keptRun(id = 'a') {
  const parts = keeperOn();
  for (const settled of settledUpdates()) await parts.keeper.record(id, written(settled));
  return parts;
}

async function eventsIn(file: Blob): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  try {
    for await (const event of readRecording(file)) events.push(event);
  } catch (error) {
    if ((error as Error).name !== 'RecordingCutOffError') throw error; // it has no end line
  }
  return events;
}

describe('a growing gzip file', () => {
  test('is one text to every gunzip, and each member is read alone', async () => {
    const texts = ['first\n', '', 'ünï → ∂\n'.repeat(1000)];
    const members = await Promise.all(texts.map((text, label) => writeMember(bytesOf(text), label)));
    const whole = Buffer.concat(members);
    expect(gunzipSync(whole).toString()).toBe(texts.join(''));
    const found = await wholeMembers(blobSource(new Blob([whole])));
    expect(found.bytes).toBe(whole.length);
    expect(found.members.map(({ label, bytes }) => [label, bytes])).toEqual(
      members.map((member, label) => [label, member.length]),
    );
    for (const [index, { start, bytes }] of found.members.entries())
      expect(
        new TextDecoder().decode(await readMember(new Uint8Array(whole.subarray(start, start + bytes)))),
      ).toBe(texts[index]);
  });

  test('a member with a changed bit never gives another text, wherever the bit is', async () => {
    const text = 'some text of a run, some text of a run\n';
    const member = await writeMember(bytesOf(text), 7);
    for (let bit = 192; bit < member.length * 8; bit += 5) {
      const damaged = member.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      const read: unknown = await readMember(damaged).catch((error: unknown) => error);
      if (read instanceof Uint8Array)
        expect(new TextDecoder().decode(read)).toBe(text); // bits that pad a block
      else expect(read).toBeInstanceOf(TypeError);
    }
  });

  test('the reader of recordings reads it, and says where it breaks off', async () => {
    const { keeper } = await keptRun();
    const file = await keeper.open('a');
    const whole = new Blob([file, await writeMember(bytesOf(endLine(SAMPLE_LOG.length)), 0)]);
    const events: RunEvent[] = [];
    for await (const event of readRecording(whole)) events.push(event);
    expect(events).toEqual(SAMPLE_LOG);
    expect(await eventsIn(file.slice(0, file.size - 3))).toEqual(
      SAMPLE_LOG.slice(
        0,
        SAMPLE_LOG.findLastIndex(({ kind }) => kind === 'update-started'),
      ),
    );
  });
});

describe('a kept run', () => {
  test('says on the shelf what it is, how far and how good', async () => {
    const { keeper, disk } = await keptRun();
    const [entry] = await keeper.list();
    const metrics = SAMPLE_LOG.flatMap((event) => (event.kind === 'metrics' ? [event.metrics] : []));
    expect(entry).toMatchObject({
      id: 'a',
      config: START.config,
      adapter: START.adapter,
      update: metrics.length,
    });
    expect(entry.curve).toEqual(metrics.map(({ exactMatch }) => exactMatch));
    const greedy = SAMPLE_LOG.flatMap((event) => event.kind === 'evaluation' && event.greedy ? [event.exactMatch] : []); // prettier-ignore
    expect(entry.score).toBe(Math.max(...greedy)); // of its one data set
    expect(entry.bytes).toBe([...disk.files.values()].reduce((sum, { length }) => sum + length, 0));
    const changed = await keeper.change('a', { name: 'mine', pinned: true });
    expect(changed).toMatchObject({ name: 'mine', pinned: true, update: metrics.length });
    await keeper.change('a', { removed: '2026-11-27' });
    await keeper.sweep();
    expect([await keeper.list(), disk.files.size]).toEqual([[], 0]);
  });

  test('cut at 200 random places, it loses the torn update at most and goes on from the checkpoint before', async () => {
    const { disk: whole, table } = await keptRun();
    const log = whole.files.get(LOG)!;
    const { members } = await wholeMembers(blobSource(new Blob([log])));
    for (let round = 0; round < 200; round += 1) {
      const cut = Math.floor(uniform(philox4x32([round, 0, 0, 0], [11, 0])[0]) * (log.length + 1));
      const disk = new MemoryDisk();
      for (const [path, bytes] of whole.files) disk.files.set(path, bytes);
      const torn = log.slice(0, cut);
      // Half of the time the length survived and the bytes did not, as after a loss of power.
      const padded = new Uint8Array(round % 2 ? Math.min(cut + 100, log.length) : cut);
      padded.set(torn);
      disk.files.set(LOG, padded);
      const stands = members.filter(({ start, bytes }) =>
        Buffer.from(log.subarray(start, start + bytes)).equals(padded.subarray(start, start + bytes)),
      );
      const { keeper } = keeperOn(disk, table);
      const checkpoint = await keeper.goOn('a');
      const last = stands.at(-1);
      if (!last) {
        expect(checkpoint).toBeNull();
        continue;
      }
      expect(checkpoint).toEqual({ update: last.label, bytes: bytesOf(`state ${last.label}`) });
      const bytes = async () => Buffer.from(await (await keeper.open('a')).arrayBuffer());
      expect((await bytes()).equals(log.subarray(0, last.start + last.bytes))).toBe(true);
      for (const settled of settledUpdates().filter(({ update }) => update > last.label))
        await keeper.record('a', written(settled));
      expect((await bytes()).equals(log)).toBe(true); // as if nothing had happened
    }
  });

  test('keeps the newest two checkpoints and every tenth, and finds the nearest before', async () => {
    const { keeper } = keeperOn();
    for (let update = 0; update <= 34; update += 1)
      await keeper.record(
        'a',
        written({
          update,
          events: update === 0 ? [START] : [],
          checkpoint: bytesOf(`${update}`),
        }),
      );
    const found = await Promise.all(
      [0, 9, 10, 29, 33, 34, 99].map((update) => keeper.checkpoint('a', update)),
    );
    expect(found.map((checkpoint) => checkpoint?.update)).toEqual([0, 0, 10, 20, 33, 34, 34]);
    expect(await keeper.goOn('a', 34)).toMatchObject({ update: 33 }); // the newest could not be read
    expect((await keeper.checkpoint('a', 99))?.update).toBe(33);
  });

  test('has one writer: another tab reads it, and writes when the first has let go', async () => {
    const { disk, table, locks, keeper } = await keptRun();
    const other = new Keeper({ disk, table, locks });
    await expect(other.goOn('a')).rejects.toMatchObject({
      report: { what: 'This run is open in another tab' },
    });
    await expect(other.remove('a')).rejects.toThrow();
    expect(await eventsIn(await other.open('a'))).toEqual(SAMPLE_LOG);
    keeper.release('a');
    await Promise.resolve();
    expect(await other.goOn('a')).not.toBeNull();
  });

  test('knows its size without measuring every checkpoint at each update, and after another tab wrote it', async () => {
    const parts = keeperOn();
    const reads: string[] = [];
    const read = parts.disk.read.bind(parts.disk);
    parts.disk.read = (path) => (reads.push(path), read(path));
    const sizeOnDisk = () => [...parts.disk.files.values()].reduce((sum, { length }) => sum + length, 0);
    const append = (keeper: Keeper, update: number) =>
      keeper.record(
        'a',
        written({
          update,
          events: update === 0 ? [START] : [],
          checkpoint: bytesOf('s'.repeat(update)),
        }),
      );
    for (let update = 0; update <= 30; update += 1)
      expect((await append(parts.keeper, update))?.bytes).toBe(sizeOnDisk());
    expect(reads.filter((path) => path.includes('checkpoints'))).toEqual([]);
    parts.keeper.release('a');
    await Promise.resolve();
    const other = new Keeper(parts);
    expect((await append(other, 31))?.bytes).toBe(sizeOnDisk());
    other.release('a');
    await Promise.resolve();
    expect((await append(parts.keeper, 32))?.bytes).toBe(sizeOnDisk());
  });

  test('a keeper that goes over to another run lets the first one go', async () => {
    const { disk, table, locks, keeper } = await keptRun();
    const other = new Keeper({ disk, table, locks });
    const [first] = settledUpdates();
    await keeper.record('b', written(first));
    expect(await other.goOn('a')).not.toBeNull();
    await expect(other.goOn('b')).rejects.toThrow();
  });

  test('two engines of a page keep a run each; one that goes over to another lets its own go, and not the other’s', async () => {
    const { disk, table, locks, keeper } = keeperOn();
    const other = new Keeper({ disk, table, locks });
    const [first, second] = settledUpdates();
    for (const settled of [first, second]) {
      await keeper.record('live', written(settled), 1);
      await keeper.record('queued', written(settled), 2);
    }
    await expect(other.goOn('live')).rejects.toThrow();
    await expect(other.goOn('queued')).rejects.toThrow();
    await keeper.record('next', written(first), 2);
    await expect(other.goOn('live')).rejects.toThrow();
    expect(await other.goOn('queued')).not.toBeNull();
    expect(await keeper.goOn('live')).not.toBeNull(); // the page asks: it has the lock already
    await expect(other.goOn('next')).rejects.toThrow(); // which is still the second engine's
    expect(await keeper.goOn('queued').catch(() => null)).toBeNull(); // another tab has it by now
    other.release('queued');
    await Promise.resolve();
    expect(await keeper.goOn('queued')).not.toBeNull(); // asked by the page, written by the first engine
    await keeper.record('queued', written(second), 1);
    expect(await other.goOn('live')).not.toBeNull();
    await keeper.record('last', written(first), 1);
    expect(await other.goOn('queued')).not.toBeNull();
  });

  test('an engine that takes the place of another has its run, and lets it go for the next', async () => {
    const { disk, table, locks, keeper } = keeperOn();
    const other = new Keeper({ disk, table, locks });
    const [first, second] = settledUpdates();
    await keeper.record('a', written(first), 1);
    await keeper.goOn('a');
    await keeper.record('a', written(second), 2);
    await expect(other.goOn('a')).rejects.toThrow();
    await keeper.record('b', written(first), 2);
    expect(await other.goOn('a')).not.toBeNull();
  });

  test('a full disk is said, what was written stands, and the run can be kept again when there is room', async () => {
    const { disk, keeper } = keeperOn();
    const [first, second, third] = settledUpdates();
    await keeper.record('a', written(first));
    await keeper.record('a', written(second));
    const before = await eventsIn(await keeper.open('a'));
    disk.quota = [...disk.files.values()].reduce((sum, { length }) => sum + length, 0) + 10;
    const failure: unknown = await keeper.record('a', written(third)).catch((error: unknown) => error);
    expect(keepReport(failure, 'update 2').what).toMatch(/storage is full/);
    expect(await eventsIn(await keeper.open('a'))).toEqual(before);
    disk.quota = Infinity;
    await keeper.record('a', written(third));
    expect(await eventsIn(await keeper.open('a'))).toEqual(SAMPLE_LOG);
  });
});

describe('a kept import', () => {
  const READ = { format: null, delimiters: null, reward: null, group: null };
  const hooks = {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onFirst: () => undefined,
  };
  const imported = async () => (await importAsRecord(fixtureFiles('verl_0_6'), READ, hooks)).log!;

  test('has every event of its record, its rewards for a curve, and is kept once however often it is read', async () => {
    const { keeper, disk, table } = keeperOn();
    const log = await imported();
    const entry = await keeper.keepImport(log);
    const events = await eventsIn(log);
    expect(await eventsIn(await keeper.open(entry.id))).toEqual(events);
    const start = events.find((event) => event.kind === 'run-started')!;
    if (start.origin.kind !== 'imported') throw new Error('no import');
    expect(entry).toMatchObject({
      config: null,
      origin: start.origin,
      update: 2,
      finished: true,
      name: null,
    });
    expect(entry.curve).toEqual(start.origin.summary!.byStep.map(({ rewardMean }) => rewardMean));
    expect(entry.curve).toHaveLength(2);
    expect(entry.score).toBeNull(); // nobody held anything out
    expect(entry.created).toBe('2026-11-27');
    expect(entry.bytes).toBe([...disk.files.values()].reduce((sum, { length }) => sum + length, 0));
    await keeper.change(entry.id, { note: 'mine', removed: '2026-11-27' });
    expect(await keeper.keepImport(await imported())).toEqual({ ...entry, note: 'mine' });
    expect(await table.all()).toHaveLength(1);
    const opened = await openBundle(await keeper.bundle(entry.id, 'none'));
    expect(opened.checkpoints).toEqual([]);
    expect(await eventsIn(opened.log)).toEqual(events);
    const other = keeperOn();
    expect(await other.keeper.take(opened)).toMatchObject({ curve: entry.curve, note: 'mine', config: null });
  });

  test('half written by a tab that was closed, it is written anew; without room nothing of it stays', async () => {
    const { keeper, disk } = keeperOn();
    const log = await imported();
    const { id, bytes } = await keeper.keepImport(log);
    const path = `runs/${id}/log.ndjson.gz`;
    const again = keeperOn();
    again.disk.files.set(path, disk.files.get(path)!.slice(0, 300));
    expect((await again.keeper.keepImport(log)).bytes).toBe(bytes);
    expect(again.disk.files).toEqual(disk.files);
    const full = keeperOn();
    full.disk.quota = bytes - 1;
    await expect(full.keeper.keepImport(log)).rejects.toThrow('no room');
    expect([await full.table.all(), full.disk.files.size]).toEqual([[], 0]);
  });

  test('leaves the run that is written here its lock', async () => {
    const { keeper, disk, table, locks } = keeperOn();
    const [first] = settledUpdates();
    await keeper.record('a', written(first));
    await keeper.keepImport(await imported());
    const other = new Keeper({ disk, table, locks });
    await expect(other.goOn('a')).rejects.toThrow(/another tab/);
  });
});
