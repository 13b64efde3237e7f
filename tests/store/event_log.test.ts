import { describe, expect, test } from 'vitest';
import { createLab } from '../../src/store/lab/lab.ts';
import { createRunStore, type RunStore } from '../../src/store/record/run.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { readLogPart, writeRecording } from '../../src/files/recording.ts';
import { START, updateEvents } from '../support/sample_log.ts';

const CODEC = { write: writeRecording, read: readLogPart };
const UPDATES = 12;
const run: readonly RunEvent[] = [
  START,
  ...Array.from({ length: UPDATES }, (_, n) => updateEvents(n + 1)).flat(),
];
const SMALL = 1; // bytes: all but the newest two segments go

async function longRun(store: RunStore): Promise<RunStore> {
  store.apply(run);
  await store.settled();
  return store;
}

const collect = async (events: AsyncIterable<RunEvent>): Promise<RunEvent[]> => {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
};

const details = (store: RunStore) => store.getState().updates.map(({ detail }) => detail);

describe('a run longer than the page keeps', () => {
  test('a run within its bytes stays as it is', async () => {
    const store = await longRun(createRunStore({ codec: CODEC }));
    expect(new Set(details(store))).toEqual(new Set(['here']));
    expect(store.logSize().archived).toBe(0);
  });

  test('old updates are compressed; their metrics stay, their trees and loss rows go', async () => {
    const store = await longRun(createRunStore({ codec: CODEC, keptBytes: SMALL }));
    expect(details(store)).toEqual([...new Array<string>(UPDATES - 2).fill('archived'), 'here', 'here']);
    const [first] = store.getState().updates;
    expect([first.trees, first.minibatches[0].rows, first.metrics?.exactMatch]).toEqual([[], [], 0.5]);
    expect(store.logSize().archived).toBeGreaterThan(0);
  });

  test('what is kept does not grow with the run', async () => {
    const kept: number[] = [];
    const store = createRunStore({ codec: CODEC, keptBytes: 30_000 });
    store.apply([START]);
    for (let update = 1; update <= 60; update++) {
      store.apply(updateEvents(update));
      await store.settled();
      kept.push(store.logSize().kept);
    }
    expect(Math.max(...kept.slice(30))).toBeLessThanOrEqual(Math.max(...kept.slice(0, 30)));
    expect(kept.at(-1)).toBeLessThanOrEqual(30_000);
    expect(details(store).filter((detail) => detail === 'here').length).toBeLessThan(30);
  });

  test('the log is whole, compressed updates included', async () => {
    const whole = await collect((await longRun(createRunStore({ codec: CODEC }))).log());
    const archived = await collect((await longRun(createRunStore({ codec: CODEC, keptBytes: SMALL }))).log());
    expect(whole).toEqual(run);
    const bytes = async (events: readonly RunEvent[]) => [...(await writeRecording(events))];
    expect(await bytes(archived)).toEqual(await bytes(whole)); // as a saved run has them
  });

  test('an update that is looked at is read back, and let go when another is', async () => {
    const saved = await collect(readLogPart(new Blob([await writeRecording(run.slice(1))]).stream()));
    const plain = createRunStore();
    plain.apply(saved); // numbers as a saved run has them, with six digits
    const store = await longRun(createRunStore({ codec: CODEC, keptBytes: SMALL }));
    await store.want([3]);
    const [, , third] = store.getState().updates;
    const [, , original] = plain.getState().updates;
    expect(third.trees).toEqual(original.trees);
    expect(third.minibatches).toEqual(original.minibatches);
    await store.want([4, 5]);
    expect(details(store).slice(0, 6)).toEqual([
      'archived',
      'archived',
      'archived',
      'here',
      'here',
      'archived',
    ]);
  });

  test('an update that is looked at while the run goes on stays', async () => {
    const store = createRunStore({ codec: CODEC, keptBytes: SMALL });
    store.apply([START, ...updateEvents(1)]);
    await store.want([1]);
    for (let update = 2; update <= 6; update++) store.apply(updateEvents(update));
    await store.settled();
    expect(details(store)).toEqual(['here', 'archived', 'archived', 'archived', 'here', 'here']);
    await store.want([]);
    expect(details(store)[0]).toBe('archived');
  });

  test('without a codec old updates are lost, and say so', async () => {
    const store = await longRun(createRunStore({ keptBytes: SMALL }));
    expect(details(store).slice(0, 3)).toEqual(['lost', 'lost', 'lost']);
    await store.want([1]);
    expect(details(store)[0]).toBe('lost');
    const failing = { ...CODEC, write: () => Promise.reject(new Error('no CompressionStream')) };
    expect(details(await longRun(createRunStore({ codec: failing, keptBytes: SMALL })))[0]).toBe('lost');
  });

  test('a run that begins while an old one is compressed is not disturbed', async () => {
    const store = createRunStore({ codec: CODEC, keptBytes: SMALL });
    store.apply(run);
    store.apply([START, ...updateEvents(1)]);
    await store.settled();
    expect(details(store)).toEqual(['here']);
    expect(await collect(store.log())).toEqual([START, ...updateEvents(1)]);
  });

  test('the selection asks for what it shows', () => {
    const lab = createLab(() => undefined, '#v1&view=tree&update=2');
    const wanted: (readonly number[])[] = [];
    const want = lab.run.want;
    Object.assign(lab.run, { want: (updates: readonly number[]) => (wanted.push(updates), want(updates)) });
    lab.selection.select({ update: 5 });
    expect(wanted).toEqual([[5]]);
  });
});
