import { expect, test } from 'vitest';
import { RunStopped, Gates, type GateState } from '../../src/train/run/gates.ts';

/** A run of two phases per update that writes down what it did. */
function start() {
  const statuses: string[] = [];
  const done: string[] = [];
  const say = ({ status, update, phase }: GateState) => statuses.push(`${status} ${update} ${phase ?? '-'}`);
  const transport = new Gates(say);
  const run = async (): Promise<void> => {
    for (let update = 1; update <= 3; update += 1) {
      await transport.beginUpdate(update);
      for (const phase of ['rollout', 'loss'] as const) {
        await transport.beginPhase(phase);
        await transport.gate(); // between two rounds of sampling
        done.push(`${update} ${phase}`);
        transport.endPhase();
      }
      transport.endUpdate();
    }
    transport.finish();
  };
  return { transport, statuses, done, finished: run() };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test('a run waits until it is told to play, and then runs to its end', async () => {
  const { transport, statuses, done, finished } = start();
  await settled();
  expect(done).toEqual([]);
  transport.play();
  await finished;
  expect(done).toHaveLength(6);
  expect(statuses).toEqual(['running 0 -', 'finished 3 loss']);
});

test('a run that is held stands at its gate until everyone has let go, and no status tells of it', async () => {
  const { transport, statuses, done, finished } = start();
  const first = await transport.hold(); // it stands already
  transport.play();
  await settled();
  expect(done).toEqual([]);
  first();
  const [second, third] = await Promise.all([transport.hold(), transport.hold()]); // it is on its way
  const there = done.length;
  expect(there).toBeLessThan(6);
  second();
  await settled();
  expect(done).toHaveLength(there);
  third();
  await finished;
  expect(done).toHaveLength(6);
  expect(statuses).toEqual(['running 0 -', 'finished 3 loss']);
  (await transport.hold())(); // it is over, and stands
});

test('a run that is paused while it is held does not go on when it is let go; a stop ends it', async () => {
  const { transport, done, finished } = start();
  transport.play();
  const release = await transport.hold();
  const there = done.length;
  transport.pause();
  release();
  await settled();
  expect(done).toHaveLength(there);
  const again = await transport.hold();
  transport.stop();
  await expect(finished).rejects.toBeInstanceOf(RunStopped);
  again();
});

test('a single phase ends at the end of that phase', async () => {
  const { transport, statuses, done } = start();
  transport.stepPhase();
  await settled();
  expect(done).toEqual(['1 rollout']);
  expect(statuses).toEqual(['running 0 -', 'paused 1 rollout']);
  transport.stepPhase();
  await settled();
  expect(done).toEqual(['1 rollout', '1 loss']);
});

test('a single update ends at the end of that update, also from its middle', async () => {
  const { transport, done } = start();
  transport.stepPhase();
  await settled();
  transport.stepUpdate();
  await settled();
  expect(done).toEqual(['1 rollout', '1 loss']);
  transport.stepUpdate();
  await settled();
  expect(done).toEqual(['1 rollout', '1 loss', '2 rollout', '2 loss']);
});

test('a pause inside a phase holds at the next gate, and play goes on from there', async () => {
  const { transport, statuses, done, finished } = start();
  transport.play();
  transport.pause();
  await settled();
  expect(done).toEqual([]);
  transport.play();
  await finished;
  expect(done).toHaveLength(6);
  expect(statuses.slice(0, 3)).toEqual(['running 0 -', 'paused 0 -', 'running 0 -']);
});

test('stopping ends the run where it waits, and nothing moves it again', async () => {
  const { transport, done, finished } = start();
  await settled();
  transport.stop();
  await expect(finished).rejects.toBeInstanceOf(RunStopped);
  transport.play();
  await settled();
  expect(done).toEqual([]);
  expect(transport.signal.aborted).toBe(true);
});

test('time at a closed gate is counted, so that it can be left out of the metrics', async () => {
  const { transport, finished } = start();
  await new Promise((resolve) => setTimeout(resolve, 60));
  transport.play();
  await finished;
  expect(transport.waitedMs).toBeGreaterThan(50);
  expect(transport.waitedMs).toBeLessThan(1000);
});

test('a run that plays to a phase pauses at its end, once, and pauses on the way do not lose the place', async () => {
  const { transport, statuses, done, finished } = start();
  transport.play({ update: 2, phase: 'rollout' });
  transport.pause();
  await settled();
  transport.play();
  await settled();
  expect(done).toEqual(['1 rollout', '1 loss', '2 rollout']);
  expect(statuses.at(-1)).toBe('paused 2 rollout');
  transport.play();
  await finished;
  expect(done).toHaveLength(6);
});

test('trees that wait side by side count their wait once', async () => {
  const transport = new Gates(() => undefined);
  const startMs = performance.now();
  const trees = Array.from({ length: 16 }, () => transport.gate());
  await new Promise((resolve) => setTimeout(resolve, 60));
  transport.play();
  await Promise.all(trees);
  expect(transport.waitedMs).toBeGreaterThan(50);
  expect(transport.waitedMs).toBeLessThanOrEqual(performance.now() - startMs);
});
