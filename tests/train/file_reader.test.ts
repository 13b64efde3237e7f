import { expect, test } from 'vitest';
import { readInWorker, type ReaderAnswer, type ReaderLike, type ReaderQuestion } from '../../src/files/file_reader.ts'; // prettier-ignore
import { countOf } from '../support/count_of.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';

const STATUS: RunEvent = { kind: 'status', status: 'idle', update: 0, phase: null };

/** A worker that gives the answers in turn; after them it stays silent. */
function worker(answers: readonly ReaderAnswer[]) {
  const asked: ReaderQuestion['kind'][] = [];
  const state = { terminated: false };
  const waiting = [...answers];
  const like: ReaderLike = {
    onmessage: null,
    onmessageerror: null,
    onerror: null,
    postMessage(question: ReaderQuestion) {
      asked.push(question.kind);
      const answer = waiting.shift();
      if (answer)
        queueMicrotask(() => void like.onmessage?.call(like as Worker, { data: answer } as MessageEvent));
    },
    terminate: () => void (state.terminated = true),
  };
  return { like, asked, state };
}

const events = (count: number): ReaderAnswer => ({
  kind: 'events',
  events: Array.from({ length: count }, () => STATUS),
  progress: { bytes: count, events: count },
});

const readAll = (like: ReaderLike, signal?: AbortSignal): Promise<number> =>
  countOf(readInWorker(new Blob([]), signal ? { signal } : {}, () => like));

test('the page asks for each stretch, one ahead, and ends the worker', async () => {
  const { like, asked, state } = worker([events(2), events(3), { kind: 'end' }]);
  expect(await readAll(like)).toBe(5);
  expect(asked).toEqual(['open', 'more', 'more']);
  expect(state.terminated).toBe(true);
});

test('an error of the file comes with its name and its five parts', async () => {
  const report = { what: 'w', where: 'line 3', got: 'g', wanted: 'x', next: 'n' };
  const { like, state } = worker([events(1), { kind: 'failed', name: 'RecordingError', report }]);
  await expect(readAll(like)).rejects.toMatchObject({ name: 'RecordingError', report });
  expect(state.terminated).toBe(true);
});

test('a worker that cannot be loaded, or breaks, says so with what to do', async () => {
  const { like, state } = worker([]);
  const reading = readAll(like);
  await Promise.resolve();
  like.onerror?.call(like as Worker, { message: '' } as ErrorEvent);
  await expect(reading).rejects.toMatchObject({
    name: 'FileReaderError',
    report: {
      got: 'an error while it was loading',
      next: expect.stringContaining('reload the page') as string,
    },
  });
  expect(state.terminated).toBe(true);
});

test('an abort ends a worker that is silent', async () => {
  const controller = new AbortController();
  const { like, state } = worker([events(1)]);
  const reading = readAll(like, controller.signal);
  await Promise.resolve();
  controller.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
  expect(state.terminated).toBe(true);
});
