import { refusalOf } from '../support/questions.ts';
import { expect, test } from 'vitest';
import { WeightsFetchError } from '../../src/train/engine/errors.ts';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import { LabError, LOADED_BY_HAND } from '../../src/units.ts';
import { SCRIPTED_ADAPTER, scriptedBackend, scriptedEngine, smallConfig } from '../support/scripted_run.ts';

type Of<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;
const only = <K extends EngineEvent['kind']>(events: readonly EngineEvent[], kind: K): Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);
const isStatus = (status: string) => (event: EngineEvent) =>
  event.kind === 'status' && event.status === status;
const statuses = (events: readonly EngineEvent[]) => only(events, 'status').map((event) => event.status);
const config = smallConfig({ evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

test('ready lists adapter, algorithms, environments, presets and knobs', async () => {
  const { engine, events } = scriptedEngine(config);
  await engine.start();
  const [ready] = only(events, 'ready');
  expect(ready.adapter).toEqual(SCRIPTED_ADAPTER);
  expect(ready.algorithms.map(({ name }) => name)).toContain('at2po');
  expect(ready.environments.map(({ name }) => name)).toEqual(['search', 'corridor']);
  expect(ready.environments[0].vocabulary).toHaveLength(128);
  expect(ready.presets[0]).toMatchObject({ name: 'instant', config: { preset: 'instant' } });
  expect(ready.knobs.length).toBeGreaterThan(25);
  expect(structuredClone(ready)).toEqual(ready); // it crosses to the page
});

test('opening prepares a run and does nothing else', async () => {
  const { engine, events, backend, send } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  await settled();
  expect(events.map(({ kind }) => kind)).toEqual(['ready', 'status', 'run-started', 'status']);
  expect(statuses(events)).toEqual(['preparing', 'paused']);
  expect(only(events, 'run-started')[0]).toMatchObject({ config, parameterCount: 94_592, date: '2026-11-21T00:00:00.000Z' }); // prettier-ignore
  expect(backend.policies[0].calls).toEqual([]);
});

test('single phases go through an update in order', async () => {
  const { engine, events, send, until } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  const ends: unknown[] = [];
  for (let step = 0; step < 9; step += 1) {
    const paused = until(isStatus('paused'));
    await send({ kind: 'step-phase' });
    const { update, phase } = (await paused) as Of<'status'>;
    ends.push([update, phase]);
  }
  const update = ['rollout', 'reward', 'value', 'advantage', 'loss', 'step', 'loss', 'step'];
  expect(ends).toEqual([...update.map((phase) => [1, phase]), [2, 'rollout']]);
  expect(only(events, 'metrics')).toHaveLength(1);
  expect(only(events, 'rewards')).toHaveLength(1);
});

test('a single update stops before the next one', async () => {
  const { engine, events, send, until } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  const paused = until(isStatus('paused'));
  await send({ kind: 'step-update' });
  await paused;
  await settled();
  expect(only(events, 'metrics').map(({ update }) => update)).toEqual([1]);
  expect(only(events, 'update-started').map(({ update }) => update)).toEqual([1]);
});

test('a pause between two rounds of sampling holds the rollout, and the run is none the worse', async () => {
  const whole = scriptedEngine(config);
  const halting = scriptedEngine(config);
  for (const { engine, send } of [whole, halting]) {
    await engine.start();
    await send({ kind: 'open', config });
  }
  const over = [whole, halting].map(({ until }) => until(isStatus('finished')));
  await whole.send({ kind: 'play' });
  await over[0];
  let asked = false;
  halting.onEvent((event) => {
    if (event.kind !== 'expansion' || asked) return;
    asked = true;
    void halting.send({ kind: 'pause' });
  });
  const paused = halting.until(isStatus('paused'));
  await halting.send({ kind: 'play' });
  await paused;
  await settled();
  const held = halting.events.length;
  await settled();
  expect(halting.events).toHaveLength(held);
  expect(only(halting.events, 'leaves')).toHaveLength(0);
  await halting.send({ kind: 'play' });
  await over[1];
  const plain = (events: readonly EngineEvent[]) =>
    events.filter(({ kind }) => kind !== 'status' && kind !== 'metrics');
  expect(plain(halting.events)).toEqual(plain(whole.events));
});

test('a pause while mini-batches are scored holds before the next one', async () => {
  const { engine, backend, onEvent, send, until } = scriptedEngine({ ...config, promptsPerMinibatch: 1 });
  await engine.start();
  await send({ kind: 'open', config: { ...config, promptsPerMinibatch: 1 } });
  onEvent((event) => {
    if (event.kind === 'phase' && event.phase === 'loss') void send({ kind: 'pause' });
  });
  const paused = until(isStatus('paused'));
  await send({ kind: 'play' });
  await paused;
  await settled();
  const scored = () => backend.policies[0].calls.filter((call) => call.startsWith('score')).length;
  expect(scored()).toBeLessThan(config.promptsPerUpdate);
  await settled();
  expect(scored()).toBeLessThan(config.promptsPerUpdate);
});

test('reset starts the same run again', async () => {
  const { engine, events, send, until } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  for (const command of ['play', 'reset', 'play'] as const) {
    const over = until(isStatus('finished'));
    await send({ kind: command });
    if (command === 'play') await over;
  }
  const starts = events.flatMap((event, index) => (event.kind === 'run-started' ? [index] : []));
  expect(starts).toHaveLength(2);
  const firstRun = events.slice(starts[0], starts[1]);
  const secondRun = events.slice(starts[1]);
  expect(only(secondRun, 'node')).toEqual(only(firstRun, 'node'));
  expect(only(secondRun, 'loss')).toEqual(only(firstRun, 'loss'));
});

test('opening another run ends the one before, which says nothing more', async () => {
  const { engine, events, send, backend, until } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  const started = until((event) => event.kind === 'update-started');
  await send({ kind: 'play' });
  await started;
  await send({ kind: 'open', config: { ...config, seed: 5 } });
  const from = events.findLastIndex((event) => event.kind === 'run-started');
  await settled();
  expect(events.slice(from).map(({ kind }) => kind)).toEqual(['run-started', 'status']);
  expect(backend.policies.map(({ disposed }) => disposed)).toEqual([true, false]);
});

test('weights are saved at any time, and loaded weights restart the run with them', async () => {
  const { engine, events, send } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  const saved = await engine.ask({ kind: 'save-weights' });
  expect([saved.update, saved.bytes.byteLength]).toEqual([0, 4]);
  await send({ kind: 'load-weights', bytes: new ArrayBuffer(8) });
  expect(only(events, 'run-started').map((event) => event.config?.weights)).toEqual([null, LOADED_BY_HAND]);
  await send({ kind: 'reset' });
  expect(only(events, 'failed')).toEqual([]);
});

test('a message that is no command is answered with an error, and the run stays usable', async () => {
  const { engine, events, send } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  await engine.dispatch({ kind: 'explode' });
  expect(only(events, 'failed')[0].report).toMatchObject({ where: 'command.kind', got: '"explode"' });
  expect(statuses(events).at(-1)).toBe('paused');
  await send({ kind: 'step-phase' });
  await settled();
  expect(only(events, 'leaves')).toHaveLength(8);
});

test('a command without a run says so', async () => {
  const { engine, events, send } = scriptedEngine(config);
  await engine.start();
  for (const kind of ['play', 'reset'] as const) await send({ kind });
  expect(only(events, 'failed').map(({ report }) => report.where)).toEqual(['command play', 'command reset']); // prettier-ignore
  expect(statuses(events).at(-1)).toBe('idle');
});

test('weights that cannot be fetched are an error with their address, and reset tries again', async () => {
  let refused = true;
  const withWeights = { ...config, weights: 'warm.safetensors' };
  const fetchWeights = (file: string): Promise<ArrayBuffer> =>
    refused ? Promise.reject(new WeightsFetchError(`https://lab/${file}`, 'status 404')) : Promise.resolve(new ArrayBuffer(8)); // prettier-ignore
  const { engine, events, send } = scriptedEngine(withWeights, { fetchWeights });
  await engine.start();
  await send({ kind: 'open', config: withWeights });
  expect(only(events, 'failed')[0].report).toMatchObject({
    where: 'https://lab/warm.safetensors',
    got: 'status 404',
  });
  expect(statuses(events).at(-1)).toBe('failed');
  refused = false;
  await send({ kind: 'reset' });
  expect(statuses(events).at(-1)).toBe('paused');
});

test('a lost device ends the run with its report; reset opens another', async () => {
  const backends = [scriptedBackend(config), scriptedBackend(config)];
  let opened = 0;
  const { engine, events, send, until } = scriptedEngine(config, {
    openBackend: () => Promise.resolve(backends[opened++]),
  });
  await engine.start();
  await send({ kind: 'open', config });
  const paused = until(isStatus('paused'));
  await send({ kind: 'step-update' });
  await paused;
  const report = { what: 'The graphics device was lost', where: 'here', got: 'a', wanted: 'b', next: 'c' };
  const failed = until((event) => event.kind === 'failed');
  backends[0].lose(report);
  expect(await failed).toEqual({ kind: 'failed', update: 1, report });
  expect(statuses(events).at(-1)).toBe('failed');
  expect(only(events, 'metrics')).toHaveLength(1); // what was recorded stays
  await send({ kind: 'reset' });
  expect(opened).toBe(2);
  expect(only(events, 'ready')).toHaveLength(2);
  expect(statuses(events).at(-1)).toBe('paused');
});

test('without an adapter the engine says why and stays open for another try', async () => {
  const report = {
    what: 'No adapter',
    where: 'requestAdapter',
    got: 'null',
    wanted: 'one',
    next: 'Turn it on.',
  };
  const { engine, events, send } = scriptedEngine(config, {
    openBackend: () => Promise.reject(new LabError('NoAdapterError', report)),
  });
  await engine.start();
  await send({ kind: 'open', config });
  expect(only(events, 'failed').map((event) => event.report)).toEqual([report, report]);
  expect(only(events, 'ready')).toHaveLength(0);
});

test('close ends the run and keeps the backend for the next', async () => {
  const { engine, events, send, backend } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  await send({ kind: 'close' });
  expect(backend.policies[0].disposed).toBe(true);
  expect(backend.closed).toBe(false);
  expect(statuses(events).at(-1)).toBe('idle');
  await send({ kind: 'open', config });
  expect(only(events, 'ready')).toHaveLength(1);
  await engine.dispose();
  expect(backend.closed).toBe(true);
});

const PROFILE = {
  method: 'timestamps',
  busyMs: 3,
  rows: [],
  untimed: 0,
  memory: [],
  ceilings: { flopsPerSecond: 1, bytesPerSecond: 1, launchMs: 1, fillingGroups: 1 },
} as const;

test('a profile is taken of the next updates only, and changes nothing else', async () => {
  const { engine, events, backend } = scriptedEngine(smallConfig({ updates: 3 }));
  let open = 0;
  backend.startProfile = () => {
    open += 1;
    return {
      finish: (wallMs) => Promise.resolve({ ...PROFILE, wallMs }),
      cancel: () => undefined,
    };
  };
  await engine.start();
  await engine.dispatch({ kind: 'open', config: smallConfig({ updates: 3 }) });
  const asked = engine.ask({ kind: 'profile' });
  await engine.dispatch({ kind: 'step-update' });
  const { update, wallMs } = await asked;
  await engine.dispatch({ kind: 'play' });
  await expect.poll(() => events.some(isStatus('finished')), { timeout: 20_000 }).toBe(true);
  expect(open).toBe(1);
  expect(update).toBe(1);
  expect(wallMs).toBeGreaterThan(0);
  expect(only(events, 'metrics')).toHaveLength(3);
});

test('a backend that can time nothing says so, and a run is needed', async () => {
  const { engine, events } = scriptedEngine(config);
  await engine.start();
  const ask = async (): Promise<string> => (await refusalOf(engine.ask({ kind: 'profile' }))).what;
  expect(await ask()).toBe('There is no run to do this with');
  await engine.dispatch({ kind: 'open', config });
  expect(await ask()).toBe('This run cannot be profiled');
  expect(only(events, 'failed')).toEqual([]);
});
