/** A recording into a record, a helping at a time: the page answers and draws in between, however long the run. */
import type { RunEvent } from '../../protocol/protocol.ts';
import { LabError, type ErrorReport } from '../../units.ts';
import type { RunStore } from './run.ts';

/**
 * Reads a recording to events that have passed the guard, their order included. The page injects files/file_reader.ts.
 * `onProgress` hears the bytes of the file that are read.
 */
export type ReadRecording = (
  file: Blob,
  options?: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (progress: { readonly bytes: number; readonly events: number }) => void;
  },
) => AsyncIterable<RunEvent>;

const EVENTS_AT_ONCE = 512;
const isCutOff = (error: unknown): error is LabError =>
  error instanceof LabError && error.name === 'RecordingCutOffError'; // src/protocol/errors.ts
const PAUSE_MS = 0; // lets the page draw between two helpings

/** The events of a log that grew, and has no end line: that it breaks off is no fault. @throws what else the reader throws */
export async function* soFar(events: AsyncIterable<RunEvent>): AsyncGenerator<RunEvent> {
  try {
    yield* events;
  } catch (error) {
    if (!isCutOff(error)) throw error;
  }
}

/**
 * Fills an empty record.
 * @returns the record, and what was wrong with the file where it broke off: a log that grew has no end line
 * @throws what the reader throws of a file that is wrong; the signal's reason
 */
export async function readRecord(
  events: AsyncIterable<RunEvent>,
  record: RunStore,
  signal?: AbortSignal,
): Promise<{ readonly record: RunStore; readonly failure: ErrorReport | null }> {
  let waiting: RunEvent[] = [];
  let failure: ErrorReport | null = null;
  try {
    for await (const event of events) {
      waiting.push(event);
      if (waiting.length < EVENTS_AT_ONCE) continue;
      record.apply(waiting);
      waiting = [];
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      signal?.throwIfAborted();
    }
  } catch (error) {
    if (!isCutOff(error)) throw error;
    failure = error.report;
  }
  record.apply(waiting);
  return { record, failure };
}
