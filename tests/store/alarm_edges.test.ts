/** Every alarm by itself: silent until the update at which it begins, and on runs that nearly set it off. */
import { describe, expect, test } from 'vitest';
import { ALARM_KINDS } from '../../src/store/alarms/alarm_signs.ts';
import { alarmsOf } from '../../src/store/alarms/alarms.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { DYING_RUNS } from '../support/dying_runs.ts';

/** What is said after each update, as [update, alarm, since]. */
function said(events: readonly RunEvent[]): readonly (readonly [number, string, number])[] {
  let run = EMPTY_RUN;
  return events.flatMap((event) => {
    run = foldEvents(run, [event]);
    if (event.kind !== 'metrics') return [];
    return alarmsOf(run).map(({ kind, since }) => [event.update, kind, since] as const);
  });
}

describe.each(ALARM_KINDS)('%s', (kind) => {
  const { events, since, example, almost } = DYING_RUNS[kind];

  test('is said at the update at which it begins, with an example of it, and nothing else is', () => {
    expect(said(events)).toEqual([[since, kind, since]]);
    expect(alarmsOf(foldEvents(EMPTY_RUN, events))[0].example).toEqual(example);
  });

  test.each(Object.entries(almost))('is not said: %s', (_, run) => {
    expect(said(run)).toEqual([]);
  });
});
