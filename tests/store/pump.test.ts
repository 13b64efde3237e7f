import { expect, test } from 'vitest';
import { createPump } from '../../src/store/record/pump.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';

const STATUS: RunEvent = { kind: 'status', status: 'idle', update: 0, phase: null };

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
