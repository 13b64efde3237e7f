import { expect, test } from 'vitest';
import { createLab } from '../../src/store/lab/lab.ts';
import type { Backend } from '../../src/train/engine/backend.ts';
import type { EngineEvent, RunStatus } from '../../src/protocol/protocol.ts';
import { scriptedBackend, scriptedEngine, smallConfig, withoutTimes } from '../support/scripted_run.ts';

const config = smallConfig({ updates: 2, evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });
const REPORT = { what: 'The device was lost', where: 'here', got: 'a', wanted: 'b', next: 'Play.' };

/** A page over a real engine whose devices can be lost; the first preset is `config`. */
function openPage(openBackend?: (made: Backend) => Promise<Backend>) {
  const backends: ReturnType<typeof scriptedBackend>[] = [];
  const { engine, events, send, until, onEvent } = scriptedEngine(config, {
    openBackend: () => {
      const backend = scriptedBackend(config);
      backends.push(backend);
      return openBackend ? openBackend(backend) : Promise.resolve(backend);
    },
  });
  const lab = createLab((command) => void send(command));
  const own = (event: EngineEvent): EngineEvent =>
    event.kind === 'ready' ? { ...event, presets: [{ ...event.presets[0], config }] } : event;
  onEvent((event) => lab.transport.receive([own(event)]));
  const isAt = (status: RunStatus) => (event: EngineEvent) =>
    event.kind === 'status' && event.status === status;
  /** Loses the device in use, and waits until the engine has said so. */
  const lose = async (): Promise<void> => {
    const failed = until((event) => event.kind === 'failed');
    backends.at(-1)!.lose(REPORT);
    await failed;
    await Promise.resolve();
  };
  return { lab, engine, events, until, isAt, lose, backends };
}

const said = (events: readonly EngineEvent[]): readonly string[] =>
  events.flatMap((event) => (event.kind === 'failed' ? [event.report.what] : []));
const metrics = (events: readonly EngineEvent[]) =>
  events.flatMap((event) => (event.kind === 'metrics' ? [withoutTimes(event)] : []));

async function whole(): Promise<readonly EngineEvent[]> {
  const { lab, engine, events, until, isAt } = openPage();
  const open = until(isAt('paused'));
  await engine.start();
  await open;
  const over = until(isAt('finished'));
  lab.transport.trainLive();
  await over;
  return metrics(events);
}

test('a device lost before Train live: it opens the same run on another device', async () => {
  const { lab, engine, events, until, isAt, lose, backends } = openPage();
  const open = until(isAt('paused'));
  await engine.start();
  await open;
  await lose();
  expect(lab.run.getState().failure).toEqual(REPORT);
  expect(lab.transport.getState().prepared).toBe(false);
  const over = until(isAt('finished'));
  lab.transport.trainLive();
  await over;
  expect(said(events)).toEqual([REPORT.what]);
  expect(backends).toHaveLength(2);
  expect(lab.run.getState().header?.config).toEqual(config);
  expect(metrics(events)).toEqual(await whole());
});

test.each(['trainLive', 'profile', 'checkSteps', 'reset'] as const)(
  'after a device was lost before Train live, %s finds a run',
  async (ask) => {
    const { lab, engine, events, until, isAt, lose } = openPage();
    const open = until(isAt('paused'));
    await engine.start();
    await open;
    await lose();
    const opened = ask === 'reset' ? null : until((event) => event.kind === 'run-started');
    lab.transport[ask]();
    await opened;
    expect(said(events).filter((what) => what.includes('no run'))).toEqual([]);
  },
);

test.each(['paused', 'running', 'between phases'] as const)(
  'a device lost while a live run is %s: Play starts it again with the same numbers',
  async (when) => {
    const { lab, engine, events, until, isAt, lose } = openPage();
    const open = until(isAt('paused'));
    await engine.start();
    await open;
    const first = until((event) => event.kind === 'metrics');
    const stood = until((event) => event.kind === 'status' && event.status === 'paused');
    lab.transport.trainLive();
    if (when === 'paused') lab.transport.stepUpdate();
    else if (when === 'between phases') lab.transport.stepPhase();
    await (when === 'running' ? first : stood);
    await lose();
    expect(lab.run.getState().status).toBe('failed');
    const before = events.length;
    const over = until(isAt('finished'));
    lab.transport.trainLive();
    expect(lab.run.getState().status).toBe('preparing');
    await over;
    expect(said(events)).toEqual([REPORT.what]);
    expect(metrics(events.slice(before))).toEqual(await whole());
    expect(lab.run.getState().updates).toHaveLength(2);
  },
);

test('a device lost while a run is prepared is said once, and Play opens the run', async () => {
  let hold: ((backend: Backend) => void) | null = null;
  const page = openPage((backend) => {
    if (page.backends.length > 1) return Promise.resolve(backend);
    const slow: Backend = {
      ...backend,
      createPolicy: async (request) => {
        await new Promise<void>((resolve) => (hold = () => resolve()));
        return backend.createPolicy(request);
      },
    };
    return Promise.resolve(slow);
  });
  const { lab, engine, events, until, isAt, lose } = page;
  await engine.start();
  await expect.poll(() => hold).not.toBeNull();
  await lose();
  hold!(page.backends[0]);
  const over = until(isAt('finished'));
  lab.transport.trainLive();
  await over;
  expect(said(events)).toEqual([REPORT.what]);
  expect(page.backends).toHaveLength(2);
  expect(events.filter(({ kind }) => kind === 'run-started')).toHaveLength(1);
});

test('a run that had finished stays finished when its device is lost; Reset trains it again', async () => {
  const { lab, engine, events, until, isAt, lose } = openPage();
  const open = until(isAt('paused'));
  await engine.start();
  await open;
  const over = until(isAt('finished'));
  lab.transport.trainLive();
  await over;
  await lose();
  expect([lab.run.getState().status, lab.run.getState().updates.length]).toEqual(['finished', 2]);
  lab.transport.trainLive();
  expect(said(events)).toEqual([REPORT.what]);
  expect(lab.run.getState().updates).toHaveLength(2);
  const again = until(isAt('paused'));
  lab.transport.reset();
  await again;
  expect(said(events)).toEqual([REPORT.what]);
});

test('a run that cannot be opened says why, and the Play on its heels does not cover it', async () => {
  const { lab, engine, events, until, isAt } = openPage((backend) =>
    Promise.resolve({ ...backend, createPolicy: () => Promise.reject(new Error('no room')) }),
  );
  const refused = until(isAt('failed'));
  await engine.start();
  await refused;
  const again = until(isAt('failed'));
  lab.transport.trainLive();
  await again;
  await engine.ask({ kind: 'list-kernels' }); // after all that was sent before
  expect(said(events).filter((what) => what.includes('no run'))).toEqual([]);
  expect(lab.run.getState().failure?.got).toBe('Error: no room');
});
