import { expect, test } from 'vitest';
import {
  isLogged,
  type SettledMessage,
  type EngineEvent,
  type RunEvent,
} from '../../src/protocol/protocol.ts';
import { Diary } from '../../src/train/engine/diary.ts';
import { Awaited, settle, type Session } from '../../src/train/engine/session.ts';
import type { Checkpoint } from '../../src/train/run/checkpoint.ts';
import { START } from '../../src/train/run/memory.ts';
import { decodeCheckpoint } from '../../src/train/run/checkpoint_file.ts';
import { scriptedEngine, smallConfig, withoutTimes } from '../support/scripted_run.ts';

const config = smallConfig({ updates: 11 });
const isOver = (event: EngineEvent): boolean => event.kind === 'status' && event.status === 'finished';

function writingEngine() {
  const told: SettledMessage[] = [];
  const parts = scriptedEngine(config, { tell: (message) => void told.push(message) });
  const playOut = async (): Promise<void> => {
    const over = parts.until(isOver);
    await parts.send({ kind: 'play' });
    await over;
    await parts.engine.dispose(); // when it is through, all that was settled is told
  };
  return { ...parts, told, playOut };
}

const logged = (events: readonly EngineEvent[]): readonly RunEvent[] =>
  events
    .filter(isLogged)
    .filter(({ kind }) => kind !== 'status')
    .map(withoutTimes);

test('what is written down is the run’s log, an update at a time; a run that goes on from its checkpoint is written on', async () => {
  const { send, told, events, playOut } = writingEngine();
  await send({ kind: 'open', config });
  expect(told).toEqual([]); // it was not played yet
  await playOut();
  expect(told.map(({ update }) => update)).toEqual(Array.from({ length: 12 }, (_, update) => update));
  expect(logged(told.flatMap((message) => message.events))).toEqual(logged(events));
  expect(new Set(told.map(({ id }) => id)).size).toBe(1);
  const checkpoints = told.flatMap(({ checkpoint }) => (checkpoint ? [checkpoint] : []));
  const updates = await Promise.all(checkpoints.map(async (bytes) => (await decodeCheckpoint(bytes)).update));
  expect(updates).toEqual([1, 10, 11]);

  const second = writingEngine();
  await second.send({ kind: 'resume', bytes: checkpoints[1].slice().buffer, keep: 'mine' });
  await second.playOut();
  expect(second.told.map(({ id, update }) => [id, update])).toEqual([['mine', 11]]);
  const whole = [...told.slice(0, 11), ...second.told].flatMap((message) => message.events);
  expect(logged(whole)).toEqual(logged(events));
});

test('a reset is a run of its own; a checkpoint that nobody keeps writes nothing down', async () => {
  const { send, told, until } = writingEngine();
  const settled = (update: number) =>
    until((event) => event.kind === 'update-started' && event.update === update);
  await send({ kind: 'open', config });
  for (let round = 0; round < 2; round += 1) {
    const second = settled(2);
    await send({ kind: 'play' });
    await second;
    await send({ kind: 'reset' });
  }
  expect(new Set(told.map(({ id }) => id)).size).toBe(2);
  expect(told.filter(({ update }) => update === 0)).toHaveLength(2);
});

test('a checkpoint is at most ten updates or half a minute old', async () => {
  let nowMs = 0;
  const told: SettledMessage[] = [];
  const tell = (message: SettledMessage): void => void told.push(message);
  const diary = new Diary({ id: 'a', resumedAfter: null, updates: 100, tell, now: () => nowMs });
  const take = () => Promise.resolve(new Uint8Array(1));
  for (let update = 0; update <= 25; update += 1) {
    nowMs += update > 20 ? 16_000 : 1000;
    diary.settle(update, take);
  }
  await diary.written;
  expect(told.flatMap(({ update, checkpoint }) => (checkpoint ? [update] : []))).toEqual([1, 10, 20, 22, 24]);
});

test('a session waits for what reads its networks, and holds none of the checkpoints that were taken', async () => {
  const state = { parameters: {}, optimiser: null };
  const session = {
    config,
    policy: { readState: () => Promise.resolve(state) },
    ...{ reference: null, rewardModel: null, diary: null, settled: null },
    checkpoints: new Awaited<Checkpoint>(),
    reading: Promise.resolve(),
  } as unknown as Session; // as far as a checkpoint goes
  const taken = [1, 2].map((update) => {
    const checkpoint = session.checkpoints.next(0, new AbortController().signal);
    settle(session, { update, memory: START.memory });
    return checkpoint;
  });
  expect((await Promise.all(taken)).map(({ update }) => update)).toEqual([1, 2]);
  expect(await session.reading).toBeUndefined();
});
