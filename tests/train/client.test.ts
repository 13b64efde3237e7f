import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GIVE_WAY } from '../../src/gpu/courtesy.ts';
import { startEngine, type WorkerLike } from '../../src/train/engine/client.ts';
import type { PageEvent } from '../../src/protocol/protocol.ts';
import { PULSE_MS, startPulse, type Locks, type Pulse } from '../../src/train/engine/life_watch.ts';

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
  const say = (event: PageEvent | Pulse): void =>
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
  const heard: PageEvent[] = [];
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
  const heard: PageEvent[] = [];
  client.subscribe((event) => heard.push(event));
  say({ kind: 'phase', update: 7, phase: 'loss' });
  crash('out of memory');
  expect(heard[1]).toMatchObject({ kind: 'failed', update: 7, report: { where: 'training worker', got: 'out of memory' } }); // prettier-ignore
});

test('a browser that starts no worker gives a failed event', async () => {
  const client = startEngine(() => {
    throw new Error('workers are blocked');
  });
  const heard: PageEvent[] = [];
  client.subscribe((event) => heard.push(event));
  await Promise.resolve();
  expect(heard[0]).toMatchObject({ kind: 'failed', report: { got: 'Error: workers are blocked' } });
  client.send({ kind: 'play' }); // tries again
  await Promise.resolve();
  expect(heard[1]).toMatchObject({ kind: 'failed', report: { got: 'Error: workers are blocked' } });
});

test('signs of a person go to the worker beside the commands', () => {
  const { worker, sent } = fakeWorker();
  startEngine(() => worker).giveWay();
  expect(sent.map(({ message }) => message)).toEqual([GIVE_WAY]);
});

/** Locks as a browser gives them: the next in line gets a lock when its holder lets go, or ends. */
function fakeLocks() {
  const held = new Map<string, () => void>();
  const waiting = new Map<string, () => Promise<void>>();
  const locks: Locks = {
    request(name, hold) {
      if (held.has(name)) waiting.set(name, hold);
      else held.set(name, () => void waiting.get(name)?.());
      if (!waiting.has(name)) void hold();
      return new Promise(() => undefined);
    },
  };
  return { locks, names: () => [...held.keys()], end: (name: string) => held.get(name)?.() };
}

describe('signs of life', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function opened() {
    const made: ReturnType<typeof fakeWorker>[] = [];
    const { locks, names, end } = fakeLocks();
    const client = startEngine(() => {
      made.push(fakeWorker());
      return made.at(-1)!.worker;
    }, locks);
    const heard: PageEvent[] = [];
    client.subscribe((event) => heard.push(event));
    const signs = () => heard.flatMap((event) => (event.kind === 'life' ? [event.sign] : []));
    const beat = (fields: Partial<Pulse> = {}): void => {
      made.at(-1)!.say({ kind: 'pulse', lock: null, isOpening: false, silentBeats: 0, ...fields });
      vi.advanceTimersByTime(PULSE_MS);
    };
    return { client, made, locks, names, end, heard, signs, beat };
  }
  const times = (count: number, work: () => void): void => Array.from({ length: count }).forEach(work);

  test('pulses are no events, and a worker that beats is well however long it says nothing', () => {
    const { heard, beat } = opened();
    times(1000, () => beat());
    expect(heard).toEqual([]);
  });

  test('a worker without a sign of life for 20 beats is said to be silent, and well again when it speaks', () => {
    const { signs, beat } = opened();
    beat();
    vi.advanceTimersByTime(18 * PULSE_MS);
    expect(signs()).toEqual([]);
    vi.advanceTimersByTime(PULSE_MS);
    expect(signs()).toEqual(['worker-silent']);
    beat();
    expect(signs()).toEqual(['worker-silent', 'well']);
  });

  test('a page that was frozen for an hour takes nobody for silent: beats are counted, not time', () => {
    const { signs, beat } = opened();
    beat();
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(2 * PULSE_MS);
    beat();
    expect(signs()).toEqual([]);
  });

  test('an adapter that does not answer is said, and is well when it does', () => {
    const { signs, beat } = opened();
    times(19, () => beat({ isOpening: true }));
    expect(signs()).toEqual([]);
    times(2, () => beat({ isOpening: true }));
    beat();
    expect(signs()).toEqual(['adapter-silent', 'well']);
  });

  test('a device that owes an answer for 30 beats is said', () => {
    const { signs, beat } = opened();
    beat({ silentBeats: 29 });
    beat({ silentBeats: 30 });
    beat({ silentBeats: 0 });
    expect(signs()).toEqual(['device-silent', 'well']);
  });

  test('a worker that ends without a word is known at once by its lock; the next command starts another', () => {
    const { client, made, locks, names, end, heard, beat } = opened();
    startPulse(
      (pulse) => made[0].say(pulse),
      () => ({ isOpening: false, silentBeats: 0 }),
      locks,
    );
    vi.advanceTimersByTime(PULSE_MS);
    made[0].say({ kind: 'status', status: 'running', update: 3, phase: 'loss' });
    expect(heard).toHaveLength(1);
    end(names()[0]);
    expect(heard.slice(1)).toMatchObject([
      { kind: 'life', sign: 'ended' },
      { kind: 'failed', update: 3, report: { what: 'The engine stopped working' } },
      { kind: 'status', status: 'failed', update: 3 },
    ]);
    expect(made[0].worker.terminated).toBe(true);
    client.send({ kind: 'pause' });
    expect(made).toHaveLength(1);
    void client.ask({ kind: 'list-kernels' });
    expect(made[1].sent.map(({ message }) => message)).toEqual([
      { id: 1, question: { kind: 'list-kernels' } },
    ]);
    beat();
    expect(heard).toHaveLength(4);
  });

  test('a worker that ends after its run was finished leaves it finished', () => {
    const { made, locks, names, end, heard } = opened();
    startPulse(
      (pulse) => made[0].say(pulse),
      () => ({ isOpening: false, silentBeats: 0 }),
      locks,
    );
    vi.advanceTimersByTime(PULSE_MS);
    made[0].say({ kind: 'status', status: 'finished', update: 3, phase: null });
    end(names()[0]);
    expect(heard.at(-1)).toMatchObject({ kind: 'status', status: 'finished' });
  });

  test('a restart ends the worker and listens to the new one alone', () => {
    const { client, made, heard } = opened();
    client.restart();
    expect([made.length, made[0].worker.terminated, made[1].worker.terminated]).toEqual([2, true, false]);
    made[0].say({ kind: 'phase', update: 1, phase: 'loss' });
    made[1].say({ kind: 'phase', update: 2, phase: 'loss' });
    expect(heard).toEqual([{ kind: 'phase', update: 2, phase: 'loss' }]);
    client.close();
  });
});
