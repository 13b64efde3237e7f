import { expect, test } from 'vitest';
import { createPump } from '../../src/store/record/pump.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';

const STATUS: RunEvent = { kind: 'status', status: 'idle', update: 0, phase: null };

test('the pump takes what fits a frame and keeps the rest in order', () => {
  let clock = 0;
  const seen: number[] = [];
  const pump = createPump((events) => {
    seen.push(...events.map((event) => ('update' in event ? event.update : -1)));
    clock += 5;
  }, 8, () => clock); // prettier-ignore
  pump.add(Array.from({ length: 200 }, (_, update) => ({ kind: 'phase', update, phase: 'loss' })));
  pump.tick();
  expect([seen.length, pump.waiting()]).toEqual([96, 104]);
  pump.tick();
  pump.tick();
  expect(seen).toEqual(Array.from({ length: 200 }, (_, update) => update));
  expect(pump.waiting()).toBe(0);
});

test('a hidden page takes all that waits at once, in order, and a long queue does not keep what it handed on', () => {
  const seen: number[] = [];
  const pump = createPump((events) => {
    seen.push(...events.map((event) => ('update' in event ? event.update : -1)));
  }, 0, () => 0); // prettier-ignore
  const events = Array.from({ length: 10_000 }, (_, update): RunEvent => ({
    kind: 'phase',
    update,
    phase: 'loss',
  }));
  pump.add(events);
  for (let n = 0; n < 100; n++) pump.tick();
  expect([seen.length, pump.waiting()]).toEqual([4800, 5200]);
  pump.drain();
  expect(pump.waiting()).toBe(0);
  expect(seen).toEqual(events.map((_, update) => update));
  pump.drain();
  expect(seen).toHaveLength(10_000);
});

test('events that cannot be taken in are handed on once, and those behind them still come', () => {
  const helpings: number[] = [];
  const pump = createPump(
    (events) => {
      helpings.push(events.length);
      if (helpings.length === 1) throw new Error('cannot be folded');
    },
    8,
    () => 0,
  );
  pump.add(Array.from({ length: 60 }, () => STATUS));
  expect(() => pump.tick()).toThrow('cannot be folded');
  pump.tick();
  pump.tick();
  expect(helpings).toEqual([48, 12]);
});
