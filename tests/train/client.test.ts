import { expect, test } from 'vitest';
import { GIVE_WAY } from '../../src/gpu/courtesy.ts';
import { startEngine, type WorkerLike } from '../../src/train/client.ts';
import type { RunEvent } from '../../src/train/protocol.ts';

/** A worker that keeps what it is sent and says what it is told to. */
function fakeWorker() {
  const sent: { message: unknown; moved: readonly unknown[] }[] = [];
  const worker: WorkerLike & { terminated: boolean } = {
    terminated: false,
    postMessage: (message: unknown, moved: unknown) => void sent.push({ message, moved: moved as unknown[] }),
    terminate() {
      this.terminated = true;
    },
    onmessage: null,
    onmessageerror: null,
    onerror: null,
  };
  const say = (event: RunEvent): void =>
    void worker.onmessage?.call(worker as unknown as Worker, new MessageEvent('message', { data: event }));
  const crash = (message: string): void =>
    void worker.onerror?.call(
      worker as unknown as Worker,
      Object.assign(new Event('error'), { message }) as ErrorEvent,
    );
  return { worker, sent, say, crash };
}

test('commands go to the worker, events to every subscriber', () => {
  const { worker, sent, say } = fakeWorker();
  const client = startEngine(() => worker);
  const heard: RunEvent[] = [];
  const stop = client.subscribe((event) => heard.push(event));
  client.send({ kind: 'play' });
  say({ kind: 'phase', update: 1, phase: 'rollout' });
  stop();
  say({ kind: 'phase', update: 1, phase: 'reward' });
  expect(sent).toEqual([{ message: { kind: 'play' }, moved: [] }]);
  expect(heard).toEqual([{ kind: 'phase', update: 1, phase: 'rollout' }]);
  client.close();
  expect(worker.terminated).toBe(true);
});

test('weights are moved, not copied', () => {
  const { worker, sent } = fakeWorker();
  const bytes = new ArrayBuffer(16);
  startEngine(() => worker).send({ kind: 'load-weights', bytes });
  expect(sent[0].moved).toEqual([bytes]);
});

test('a crash of the worker becomes a failed event of the update it was in', () => {
  const { worker, say, crash } = fakeWorker();
  const client = startEngine(() => worker);
  const heard: RunEvent[] = [];
  client.subscribe((event) => heard.push(event));
  say({ kind: 'phase', update: 7, phase: 'loss' });
  crash('out of memory');
  expect(heard[1]).toMatchObject({ kind: 'failed', update: 7, report: { where: 'training worker', got: 'out of memory' } }); // prettier-ignore
});

test('a browser that starts no worker gives a failed event', async () => {
  const client = startEngine(() => {
    throw new Error('workers are blocked');
  });
  const heard: RunEvent[] = [];
  client.subscribe((event) => heard.push(event));
  await Promise.resolve();
  expect(heard[0]).toMatchObject({ kind: 'failed', report: { got: 'Error: workers are blocked' } });
  client.send({ kind: 'play' });
  expect(heard[1]).toMatchObject({ kind: 'failed', report: { got: 'no worker' } });
});

test('signs of a person go to the worker beside the commands', () => {
  const { worker, sent } = fakeWorker();
  startEngine(() => worker).giveWay();
  expect(sent.map(({ message }) => message)).toEqual([GIVE_WAY]);
});
