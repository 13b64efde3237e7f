import { expect, test } from 'vitest';
import { pageWork } from '../../scripts/page_work.mjs';

/** A trace event of the page's main thread; times in µs. */
const event = (name: string, ts: number, dur: number, tdur: number, type?: string) => ({
  name,
  ph: 'X',
  pid: 1,
  tid: 1,
  ts,
  dur,
  tdur,
  args: { data: { type } },
});
const task = (ts: number, dur: number, tdur: number) => event('RunTask', ts, dur, tdur);
const frame = (ts: number) => event('FireAnimationFrame', ts, 100, 100);

const TRACE = [
  task(0, 5000, 4000), // before the first frame
  task(10_000, 5000, 1000),
  frame(11_000),
  task(20_000, 30_000, 2000), // long by the clock, short by the thread
  task(60_000, 5000, 3000),
  frame(61_000),
  task(70_000, 9000, 5000),
  event('EventDispatch', 71_000, 3000, 2000, 'click'),
  event('EventDispatch', 75_000, 10, 10, 'pointerout'),
  task(80_000, 1000, 500),
  task(90_000, 7000, 6000),
  frame(91_000),
  { ...task(95_000, 9000, 9000), tid: 2 }, // another thread
];

test('the work of a frame is that of its tasks, in time of the thread', () => {
  expect(pageWork(TRACE).frames).toEqual([5, 11.5]);
});

test('the work of an event reaches to the end of the frame that shows it', () => {
  expect(pageWork(TRACE, ['click']).inputs).toEqual([{ type: 'click', ms: 11.5 }]);
});

test('a trace without frames is refused', () => {
  expect(() => pageWork([task(0, 1, 1)])).toThrow('no animation frame');
});
