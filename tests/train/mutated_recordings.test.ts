import { expect, test } from 'vitest';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN, type RunState } from '../../src/store/record/run_state.ts';
import { TREE_BOUNDS } from '../../src/protocol/log_entries.ts';
import { readRecording } from '../../src/files/recording.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { LabError } from '../../src/units.ts';
import { mutated, smallRecording } from '../support/mutated_recordings.ts';

const FILES = 3000;
const recording = await smallRecording();

/** What a file gives before it is refused or ends, folded as the page does. */
async function open(text: string): Promise<{ run: RunState; error: unknown; events: number }> {
  const events: RunEvent[] = [];
  let error: unknown = null;
  try {
    for await (const event of readRecording(new Blob([text]))) events.push(event);
  } catch (thrown) {
    error = thrown;
  }
  return { run: foldEvents(EMPTY_RUN, events), error, events: events.length };
}

/** Places in all lists of a value, holes included: what a page that goes through them has to do. */
function places(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? value.length : 0;
  return Object.values(value).reduce<number>((sum, item) => sum + places(item), own);
}

const isDense = (list: readonly unknown[]): boolean => Object.keys(list).length === list.length;

test('the recording itself is read whole', async () => {
  const { run, error, events } = await open(`${recording.join('\n')}\n`);
  expect(error).toBeNull();
  expect(events).toBe(recording.length - 2);
  expect(run.updates).toHaveLength(2);
});

test(`of ${FILES} mutated recordings each is read or refused in five parts, and none makes more than it holds`, async () => {
  let refused = 0;
  for (let number = 0; number < FILES; number += 1) {
    const text = mutated(recording, number);
    const { run, error } = await open(text);
    const title = `file ${number}`;
    if (error !== null) {
      refused += 1;
      expect(error, title).toBeInstanceOf(LabError);
      const { report } = error as LabError;
      expect(Object.values(report).every((part: string) => part.length > 0), title).toBe(true); // prettier-ignore
      expect(report.got.length, title).toBeLessThanOrEqual(200);
    }
    const trees = run.updates.flatMap((update) => (isDense(run.updates) ? update.trees : []));
    expect(isDense(run.updates), title).toBe(true);
    expect(run.updates.every((update) => isDense(update.trees) && isDense(update.minibatches)), title).toBe(true); // prettier-ignore
    expect(places(run), title).toBeLessThanOrEqual(text.length + trees.length * TREE_BOUNDS.missing);
  }
  expect(refused).toBeGreaterThan(FILES / 3); // the mutations do bite
  expect(refused).toBeLessThan(FILES);
});
