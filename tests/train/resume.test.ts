import { expect, test } from 'vitest';
import { LogOrder } from '../../src/protocol/log_order.ts';
import { isLogged, type RunEvent } from '../../src/protocol/protocol.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { eventsAfter } from '../support/resumed_runs.ts';
import { START } from '../support/sample_log.ts';
import { playedRun, scriptedEngine, smallConfig, withoutTimes } from '../support/scripted_run.ts';

type Of<K extends RunEvent['kind']> = Extract<RunEvent, { kind: K }>;
const only = <K extends RunEvent['kind']>(events: readonly RunEvent[], kind: K): Of<K>[] =>
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
  (event: RunEvent): boolean =>
    event.kind === kind && fits(event as Of<K>);
const paused = is('status', ({ status }) => status === 'paused');
const finished = is('status', ({ status }) => status === 'finished');

/** What a run says, pauses and times left out: equal runs are equal there. */
const said = (events: readonly RunEvent[]): readonly RunEvent[] =>
  events.filter(({ kind }) => kind !== 'status').map(withoutTimes);

/** The checkpoint that is asked for in the middle of an update. */
async function checkpointAfter(update: number): Promise<Of<'checkpoint'>> {
  const { engine, send, until, events } = scriptedEngine(config);
  await send({ kind: 'open', config });
  const middle = until(paused);
  await send({ kind: 'play', to: { update, phase: 'advantage' } });
  await middle;
  await send({ kind: 'save-checkpoint' });
  expect(only(events, 'checkpoint')).toEqual([]); // there is no place to go on from yet
  const saved = until(is('checkpoint'));
  await send({ kind: 'play' });
  const event = (await saved) as Of<'checkpoint'>;
  expect(only(events, 'evaluation').some((event) => event.update === update)).toBe(true); // it is over
  await engine.dispose();
  return event;
}

test('a checkpoint asked for in an update comes at its end, and an engine that resumes from it posts the rest of the run', async () => {
  const { events: straight } = await playedRun(config);
  const { update, bytes } = await checkpointAfter(2);
  expect(update).toBe(2);

  const { engine, send, until, events } = scriptedEngine(config);
  await send({ kind: 'resume', bytes: bytes.slice(0) });
  expect(only(events, 'run-started')).toMatchObject([{ config, resumedAfter: 2 }]);
  expect(only(events, 'status').at(-1)).toMatchObject({ status: 'paused', update: 2 });
  const saved = until(is('checkpoint'));
  await send({ kind: 'save-checkpoint' }); // it stands between two updates: at once
  const again = (await saved) as Of<'checkpoint'>;
  expect(again).toEqual({ kind: 'checkpoint', update, bytes });
  const over = until(finished);
  await send({ kind: 'play' });
  await over;
  const after = said(eventsAfter(straight, 2));
  expect(after.length).toBeGreaterThan(50);
  expect(said(eventsAfter(events, 2))).toEqual(after);

  // The log of a resumed run is in order, and reads as a run whose first updates are not at hand.
  const order = new LogOrder();
  for (const event of events.filter(isLogged)) order.check(event, event.kind);
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
  const { engine, send, events } = scriptedEngine(config);
  await send({ kind: 'save-checkpoint' });
  expect(only(events, 'failed').at(-1)?.report.where).toBe('command save-checkpoint');
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
  await engine.dispose();
});

test('a log cannot go on after more updates than its run has', () => {
  const started: RunEvent = { ...START, resumedAfter: START.config.updates + 1 };
  expect(() => new LogOrder().check(started, 'line 2')).toThrow(`at most ${START.config.updates}`);
});
