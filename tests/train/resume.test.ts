import { expect, test } from 'vitest';
import { LogOrder } from '../../src/protocol/log_order.ts';
import {
  isLogged,
  type EngineEvent,
  type RunEvent,
  type SavedCheckpoint,
} from '../../src/protocol/protocol.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { refusalOf } from '../support/questions.ts';
import { eventsAfter } from '../support/resumed_runs.ts';
import { START } from '../support/sample_log.ts';
import { playedRun, scriptedEngine, smallConfig, withoutTimes } from '../support/scripted_run.ts';

type Of<K extends RunEvent['kind']> = Extract<RunEvent, { kind: K }>;
const only = <K extends RunEvent['kind']>(events: readonly EngineEvent[], kind: K): Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);

const config = withAlgorithm(
  smallConfig({
    ...{ updates: 4, promptsPerUpdate: 2, promptsPerMinibatch: 1 },
    evaluation: { every: 1, questions: 4, datasets: ['hotpot'] },
  }),
  algorithms.bapo.config,
);
const is =
  <K extends RunEvent['kind']>(kind: K, fits: (event: Of<K>) => boolean = () => true) =>
  (event: EngineEvent): boolean =>
    event.kind === kind && fits(event as Of<K>);
const paused = is('status', ({ status }) => status === 'paused');
const finished = is('status', ({ status }) => status === 'finished');

/** What a run says, pauses and times left out: equal runs are equal there. */
const said = (events: readonly EngineEvent[]): readonly RunEvent[] =>
  events
    .filter(isLogged)
    .filter(({ kind }) => kind !== 'status')
    .map(withoutTimes);

/** The checkpoint that is asked for in the middle of an update. */
async function checkpointAfter(update: number): Promise<SavedCheckpoint> {
  const { engine, ask, send, until, events } = scriptedEngine(config);
  await send({ kind: 'open', config });
  const middle = until(paused);
  await send({ kind: 'play', to: { update, phase: 'advantage' } });
  await middle;
  const gone = new AbortController();
  const abandoned = ask({ kind: 'save-checkpoint' }, gone.signal);
  const saved = [ask({ kind: 'save-checkpoint' }), ask({ kind: 'save-checkpoint' })]; // there is no place to go on from yet
  await send({ kind: 'play', to: { update: update + 1, phase: 'rollout' } });
  gone.abort(new Error('nobody waits'));
  await expect(abandoned).rejects.toThrow('nobody waits');
  const [answer, other] = await Promise.all(saved);
  expect(other).toEqual(answer);
  expect(other.bytes).not.toBe(answer.bytes); // each can be moved
  expect(only(events, 'evaluation').some((event) => event.update === update)).toBe(true); // it is over
  await engine.dispose();
  return answer;
}

test('a checkpoint asked for in an update comes at its end, and an engine that resumes from it posts the rest of the run', async () => {
  const { events: straight } = await playedRun(config);
  const { update, bytes } = await checkpointAfter(2);
  expect(update).toBe(2);

  const { engine, ask, send, until, events } = scriptedEngine(config);
  await send({ kind: 'resume', bytes: bytes.slice(0) });
  expect(only(events, 'run-started')).toMatchObject([{ config, resumedAfter: 2 }]);
  expect(only(events, 'status').at(-1)).toMatchObject({ status: 'paused', update: 2 });
  expect(await ask({ kind: 'save-checkpoint' })).toEqual({ update, bytes }); // it stands between two updates: at once
  const over = until(finished);
  await send({ kind: 'play' });
  await over;
  expect((await ask({ kind: 'save-checkpoint' })).update).toBe(config.updates); // the last place that it stood at
  const after = said(eventsAfter(straight.filter(isLogged), 2));
  expect(after.length).toBeGreaterThan(50);
  const logged = events.filter(isLogged);
  expect(said(eventsAfter(logged, 2))).toEqual(after);

  // The log of a resumed run is in order, and reads as a run whose first updates are not at hand.
  const order = new LogOrder();
  for (const event of logged) order.check(event, event.kind);
  const state = foldEvents(EMPTY_RUN, events);
  expect(state.updates.map(({ update, detail, ended }) => [update, detail, ended])).toEqual([
    [1, 'lost', true],
    [2, 'lost', true],
    [3, 'here', true],
    [4, 'here', true],
  ]);

  const rested = until(is('status', ({ status }) => status === 'paused'));
  await send({ kind: 'reset' }); // as it was opened: from the checkpoint
  await rested;
  expect(only(events, 'run-started').map(({ resumedAfter }) => resumedAfter)).toEqual([2, 2]);
  await engine.dispose();
});

test('a damaged checkpoint, and one without a run, are errors that leave the engine usable', async () => {
  const { bytes } = await checkpointAfter(1);
  const { engine, ask, send, until, events } = scriptedEngine(config);
  const none = await refusalOf(ask({ kind: 'save-checkpoint' }));
  expect(none.what).toBe('There is no run to do this with');
  const damaged = bytes.slice(0);
  new Uint8Array(damaged)[damaged.byteLength - 1] ^= 1;
  await send({ kind: 'resume', bytes: damaged });
  expect(only(events, 'failed').at(-1)?.report).toMatchObject({
    what: 'The checkpoint cannot be read',
    where: 'reference/parameters', // the last part of the file
  });
  await send({ kind: 'resume', bytes: 'none' as unknown as ArrayBuffer });
  expect(only(events, 'failed').at(-1)?.report.what).toBe('The command to resume has no checkpoint');
  await send({ kind: 'resume', bytes });
  expect(only(events, 'run-started')).toHaveLength(1);
  const begun = until(is('update-started'));
  await send({ kind: 'step-phase' });
  await begun;
  const early = refusalOf(ask({ kind: 'save-checkpoint' })); // in the middle of an update
  await send({ kind: 'close' });
  expect((await early).what).toBe('The run ended before it could answer this');
  await engine.dispose();
});

test('a log cannot go on after more updates than its run has', () => {
  const started: RunEvent = { ...START, resumedAfter: START.config.updates + 1 };
  expect(() => new LogOrder().check(started, 'line 2')).toThrow(`at most ${START.config.updates}`);
});
