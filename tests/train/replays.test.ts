import { expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import {
  checkFork,
  fixedAtFork,
  isLogged,
  type EngineEvent,
  type RunEvent,
} from '../../src/protocol/protocol.ts';
import type { SettledMessage } from '../../src/protocol/protocol.ts';
import { firstDifference } from '../../src/store/record/replay_difference.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { decodeCheckpoint } from '../../src/train/run/checkpoint_file.ts';
import type { RunConfig } from '../../src/units.ts';
import { refusalOf } from '../support/questions.ts';
import { eventsAfter } from '../support/resumed_runs.ts';
import { playedRun, scriptedEngine, smallConfig, withoutTimes } from '../support/scripted_run.ts';

const config = withAlgorithm(
  smallConfig({
    ...{ updates: 4, promptsPerUpdate: 2, promptsPerMinibatch: 1 },
    evaluation: { every: 1, questions: 4, datasets: ['hotpot'] },
  }),
  algorithms.bapo.config,
);
const RUN = '2026-11-28T00:00:00.000Z';

const logged = (events: readonly EngineEvent[]): readonly RunEvent[] =>
  events.filter(isLogged).filter(({ kind }) => kind !== 'status' && kind !== 'run-started');
const upTo = (events: readonly RunEvent[], update: number): readonly RunEvent[] =>
  events.filter((event) => 'update' in event && event.update <= update);

/** Replays to an update as the page does. @returns the answers */
async function replayTo(engine: ReturnType<typeof scriptedEngine>, update: number, of: RunConfig = config) {
  const answers = [];
  for (;;) {
    const question = { config: of, to: { run: RUN, update }, again: false, checkpoint: null };
    const answer = await engine.ask({ kind: 'replay', ...question });
    answers.push(answer);
    if (answer.update === update) return answers;
  }
}

test('a run is replayed an update a question, says what its log says, and the state that it comes to is kept', async () => {
  const { events } = await playedRun(config);
  const log = logged(events);
  const open = scriptedEngine(config);
  const answers = await replayTo(open, 3);
  expect(answers.map(({ from, update }) => [from, update])).toEqual([
    [null, 1],
    [1, 2],
    [2, 3],
  ]);
  const said = answers.flatMap((answer) => answer.events);
  expect(said.map(withoutTimes)).toEqual(upTo(log, 3).map(withoutTimes));
  expect(firstDifference(upTo(log, 3), said)).toBe(null);
  expect(open.backend.policies.every(({ disposed }) => disposed)).toBe(true);

  expect(await replayTo(open, 3)).toEqual([{ from: 3, update: 3, events: [] }]); // at hand
  const again = { config, to: { run: RUN, update: 3 }, again: true, checkpoint: null };
  const third = await open.ask({ kind: 'replay', ...again });
  expect(third.events.map(withoutTimes)).toEqual(answers[2].events.map(withoutTimes));
  expect(open.events.filter(({ kind }) => kind !== 'ready')).toEqual([]); // no run was opened
});

test('the weights of a replayed place answer a question, and those of another place are refused', async () => {
  const open = scriptedEngine(config);
  await replayTo(open, 2);
  const { update, bytes } = await open.ask({ kind: 'replayed-checkpoint', at: { run: RUN, update: 2 } });
  const state = await decodeCheckpoint(new Uint8Array(bytes));
  expect([update, state.update]).toEqual([2, 2]);
  const before = open.backend.policies.length;
  const token = {
    ...{ update: 3, prompt: 0, leaf: 1, dlogProb: 0.1, dentropy: 0, readers: 1 },
    tokens: [1, 2, 3],
  };
  const question = { kind: 'inspect-token', config, ...token } as never;
  const asked = (at: unknown) =>
    open.ask({ ...(question as object), at } as never) as Promise<{ parameters: string }>;
  expect((await asked({ run: RUN, update: 2 })).parameters).toBe('replayed');
  const policy = open.backend.policies[before];
  expect(await policy.readState()).toEqual(state.networks.policy);
  expect((await asked({ run: RUN, update: 0 })).parameters).toBe('starting');
  expect((await refusalOf(asked({ run: 'another', update: 2 }))).what).toContain('not at hand');
  expect((await refusalOf(asked({ run: RUN, update: -1 }))).where).toBe('question.update');
});

test('a replay that nobody waits for any more stops at a gate, and a place after the run is refused', async () => {
  const open = scriptedEngine(config);
  const gone = new AbortController();
  const question = { config, to: { run: RUN, update: 2 }, again: false, checkpoint: null };
  const asked = open.ask({ kind: 'replay', ...question }, gone.signal);
  gone.abort(new Error('nobody waits'));
  await expect(asked).rejects.toThrow('nobody waits');
  await expect.poll(() => open.backend.policies.every(({ disposed }) => disposed)).toBe(true);
  const late = { ...question, to: { run: RUN, update: 5 } };
  expect((await refusalOf(open.ask({ kind: 'replay', ...late }))).where).toBe('question.to.update');
});

/** Opens a fork of the run after update 2 and plays it to its end. */
async function fork(child: RunConfig) {
  const told: SettledMessage[] = [];
  const open = scriptedEngine(config, { tell: (message) => void told.push(message) });
  await replayTo(open, 2);
  const { bytes } = await open.ask({ kind: 'replayed-checkpoint', at: { run: RUN, update: 2 } });
  const over = open.until(
    (event) => event.kind === 'failed' || (event.kind === 'status' && event.status === 'finished'),
  );
  await open.send({ kind: 'resume', bytes, fork: { run: RUN, config: child } });
  await open.send({ kind: 'play' });
  await over;
  await open.engine.dispose();
  return { events: open.events, told };
}

test('a fork without a change says what its parent says, names it, and is kept from its first moment', async () => {
  const { events } = await playedRun(config);
  const { events: forked, told } = await fork(config);
  expect(forked.find(({ kind }) => kind === 'run-started')).toMatchObject({
    origin: { kind: 'forked', run: RUN, update: 2 },
    resumedAfter: 2,
    config,
  });
  expect(logged(forked).map(withoutTimes)).toEqual(eventsAfter(logged(events), 2).map(withoutTimes));
  expect(told.map(({ update }) => update)).toEqual([2, 3, 4]);
  expect(new Set(told.map(({ id }) => id)).size).toBe(1);
  expect(told[0].events.map(({ kind }) => kind)).toEqual(['run-started']);
  expect((await decodeCheckpoint(told[0].checkpoint!)).update).toBe(2);
});

test('a fork with another setting trains with it', async () => {
  const child = { ...config, updates: 3, promptsPerUpdate: 1 };
  const { events } = await fork(child);
  const started = events.filter((event) => event.kind === 'update-started');
  expect(started.map(({ update, prompts }) => [update, prompts.length])).toEqual([[3, 1]]);
});

test('what cannot change at a fork is refused by its setting, and says why', async () => {
  const wider = { ...config, model: { ...config.model, channels: 2 * config.model.channels } };
  const { events } = await fork(wider);
  expect(events.find((event) => event.kind === 'failed')?.report).toMatchObject({
    what: 'This setting cannot change at a fork',
    where: 'model.channels',
    wanted: `${config.model.channels}: the weights of the parent have its shape`,
  });
  const paths = (child: RunConfig) => fixedAtFork(config, child, 2).map(({ path }) => path);
  const rate = { ...config.optimiser, learningRate: 0.1 };
  expect(paths({ ...config, optimiser: rate, seed: 9, temperature: 0.5, updates: 9 })).toEqual([]);
  expect(paths({ ...config, updates: 2, environment: 'corridor', weights: 'x' })).toEqual([
    'environment',
    'weights',
    'updates',
  ]);
  expect(paths(withAlgorithm(config, algorithms.istar.config))).toContain('algorithm');
  expect(() => checkFork(config, config, 2)).not.toThrow();
});
