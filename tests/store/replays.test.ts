import { beforeAll, expect, test } from 'vitest';
import { isLogged, placeKey, type EngineEvent, type RunEvent } from '../../src/protocol/protocol.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { createReplays, type ReplaysParts } from '../../src/store/ask/replays.ts';
import { firstDifference } from '../../src/store/record/replay_difference.ts';
import { createRunStore, type RunStore } from '../../src/store/record/run.ts';
import type { ErrorReport } from '../../src/units.ts';
import { playedRun, scriptedEngine, smallConfig } from '../support/scripted_run.ts';

const config = smallConfig({
  ...{ updates: 5, promptsPerUpdate: 2, promptsPerMinibatch: 1 },
  evaluation: { every: 2, questions: 4, datasets: ['hotpot'] },
});
let log: readonly EngineEvent[];
let filed: readonly RunEvent[]; // as a file holds it: six digits
beforeAll(async () => {
  ({ events: log } = await playedRun(config));
  const read: RunEvent[] = [];
  for await (const event of readRecording(new Blob([await writeRecording(log.filter(isLogged))])))
    read.push(event);
  filed = read;
});

function recordOf(events: readonly EngineEvent[]): RunStore {
  const record = createRunStore();
  record.apply(events);
  return record;
}

/** Replays of a record by an engine of its own. */
function openReplays(record: RunStore, change: Partial<ReplaysParts> = {}) {
  const reports: ErrorReport[] = [];
  const engine = scriptedEngine(config);
  const replays = createReplays({
    ...{ ask: engine.ask, run: record, shown: () => record, standsAt: () => false },
    checkpointOf: () => Promise.resolve(null),
    report: (report) => void reports.push(report),
    ...change,
  });
  return { replays, reports, engine };
}

const RUN = (): string => (log.find(({ kind }) => kind === 'run-started') as { date: string }).date;

test('the weights of an update are come to from the start, and from the nearest checkpoint, and say that they equal the log', async () => {
  const record = recordOf(filed);
  const { replays, engine } = openReplays(record);
  expect(await replays.reach(record, 2)).toEqual({
    ...{ place: { run: RUN(), update: 2 }, checkpoint: null },
    ...{ replayed: 2, compared: 2, difference: null },
  });
  const two = await engine.ask({ kind: 'replayed-checkpoint', at: { run: RUN(), update: 2 } });
  const bytes = new Uint8Array(two.bytes);
  const asked: number[] = [];
  const other = openReplays(record, {
    checkpointOf(run, update) {
      expect(run).toBe(RUN());
      asked.push(update);
      return Promise.resolve({ update: 2, bytes });
    },
  });
  const jobs: unknown[] = [];
  other.replays.subscribe(({ job }) => jobs.push(job && [job.done, job.total]));
  expect(await other.replays.reach(record, 4)).toMatchObject({
    checkpoint: 2,
    replayed: 2,
    compared: 2,
    difference: null,
  });
  expect(asked).toEqual([4]);
  expect(jobs).toContainEqual([1, 2]);
  expect(other.replays.getState().job).toBe(null);
  expect(await other.replays.reach(record, 4)).toMatchObject({ checkpoint: 2, replayed: 2 }); // at hand
});

test('a question about an update is answered by the weights that grew its trees, unless the run stands there', async () => {
  const record = recordOf(log);
  const asked: unknown[] = [];
  const { replays, engine } = openReplays(record, { standsAt: (update) => update === 4 });
  const listening = createReplays({
    ...{
      run: record,
      shown: () => record,
      report: () => undefined,
      checkpointOf: () => Promise.resolve(null),
    },
    standsAt: (update) => update === 4,
    ask(question, signal) {
      asked.push([question.kind, (question as { at?: unknown }).at ?? null]);
      if (question.kind !== 'replay') return Promise.resolve(null as never);
      return engine.ask(question, signal);
    },
  });
  const token = { kind: 'inspect-token', update: 3 } as never;
  await listening.ask(token);
  expect(asked).toEqual([
    ['replay', null],
    ['replay', null],
    ['inspect-token', { run: RUN(), update: 2 }],
  ]);
  expect(Object.keys(listening.getState().reached)).toContain(placeKey({ run: RUN(), update: 2 }));
  asked.length = 0;
  await listening.ask({ kind: 'inspect-token', update: 5 } as never);
  await listening.ask({ kind: 'inspect-token', update: 1 } as never);
  await listening.ask({ kind: 'list-kernels' });
  listening.setExact(false);
  await listening.ask(token);
  expect(asked.map((entry) => (entry as [string, unknown])[1])).toEqual([
    null,
    { run: RUN(), update: 0 }, // what the run started from, wherever it stands now
    null,
    null,
  ]);
  expect(replays.getState().exact).toBe(true);
});

/** The log with one number of a node's changed. */
function changed(update: number): {
  readonly events: readonly RunEvent[];
  readonly was: number;
  readonly at: [number, number];
} {
  const place = filed.findIndex(
    (event) =>
      event.kind === 'node' &&
      event.update === update &&
      (event.node.logProb?.length ?? 0) > 1 &&
      event.node.logProb![1] !== 0,
  );
  const event = filed[place] as Extract<RunEvent, { kind: 'node' }>;
  const logProb = [...event.node.logProb!];
  const was = logProb[1];
  logProb[1] = was * 1.0001;
  const node = { ...event.node, logProb };
  return { events: filed.with(place, { ...event, node }), was, at: [event.prompt, event.node.id] };
}

test('a check trains the first updates again and finds them equal, of a file and of a run in memory', async () => {
  for (const events of [filed, log]) {
    const record = recordOf(events);
    const { replays, reports } = openReplays(record);
    await replays.checkReplay(record, 2);
    expect(replays.getState().check).toEqual({
      run: RUN(),
      first: 1,
      last: 2,
      difference: null,
      otherAdapter: null,
    });
    await replays.checkReplay(record, null);
    expect(replays.getState().check).toMatchObject({ last: 5, difference: null });
    expect(reports).toEqual([]);
  }
});

test('a number of the log that was changed by hand is what the check finds, and nothing else', async () => {
  const { events, was, at } = changed(3);
  const record = recordOf(events);
  const { replays } = openReplays(record);
  await replays.checkReplay(record, 2);
  expect(replays.getState().check?.difference).toBe(null);
  await replays.checkReplay(record, null);
  const { check } = replays.getState();
  expect(check?.last).toBe(3);
  expect(check?.difference).toMatchObject({
    ...{ update: 3, phase: 'rollout', kind: 'node', prompt: at[0], node: at[1], token: 1, field: 'logProb' },
    ...{ logged: was * 1.0001 },
  });
  expect(check?.difference?.replayed).toBeCloseTo(was, 4);
  const reached = await replays.reach(record, 4);
  expect(reached.difference?.update).toBe(3); // what comes after stands on it
});

test('a replay is cancelled without a word, and the next begins where it was', async () => {
  const record = recordOf(filed);
  const { replays, reports } = openReplays(record);
  const leave = replays.subscribe(({ check }) => check && replays.cancel());
  await replays.checkReplay(record, null);
  leave();
  expect(replays.getState()).toMatchObject({ job: null, check: { last: 1 } });
  expect(reports).toEqual([]);
  expect((await replays.reach(record, 2)).replayed).toBe(2);
});

test('times, pauses and what older logs do not hold are no difference; another event, a missing one and the last digit are', () => {
  const rounded = filed.filter((event) => 'update' in event && event.update > 0);
  const slower = rounded.map((event) =>
    event.kind === 'metrics' ? { ...event, metrics: { ...event.metrics, trainMs: 9, unknown: null } } : event,
  );
  const said = log.filter(isLogged).filter((event) => 'update' in event && event.update > 0);
  expect(firstDifference(slower, said)).toBe(null);
  expect(firstDifference(said.slice(0, -3), said)).toMatchObject({ field: 'event', logged: undefined });
  const at = said.findIndex(({ kind }) => kind === 'step');
  const step = said[at] as Extract<RunEvent, { kind: 'step' }>;
  const other = said.with(at, { ...step, gradientNorm: step.gradientNorm + 2 ** -40 });
  expect(firstDifference(said, other)).toMatchObject({
    ...{ phase: 'step', kind: 'step', field: 'gradientNorm', node: null },
    ...{ logged: step.gradientNorm, replayed: step.gradientNorm + 2 ** -40 },
  });
  const loss = said.findIndex(({ kind }) => kind === 'loss');
  const { rows } = said[loss] as Extract<RunEvent, { kind: 'loss' }>;
  const dlogProb = rows[1].dlogProb.with(2, 7);
  const event = { ...said[loss], rows: rows.with(1, { ...rows[1], dlogProb }) } as RunEvent;
  expect(firstDifference(said, said.with(loss, event))).toMatchObject({
    ...{
      phase: 'loss',
      prompt: rows[1].prompt,
      node: rows[1].leaf,
      token: 2,
      field: 'dlogProb',
      replayed: 7,
    },
  });
});

test('held-out scores of an earlier update are those that the run itself came to there, and those of another are of its weights', async () => {
  const record = recordOf(filed);
  const { replays } = openReplays(record);
  const { questions, datasets } = config.evaluation;
  const of = (update: number) => replays.ask({ kind: 'held-out', config, update, questions, datasets });
  const logged = (at: number) =>
    filed.flatMap((event) => {
      if (event.kind !== 'evaluation' || event.update !== at) return [];
      const { dataset, greedy, exactMatch, unknown, reliability } = event;
      return [{ dataset, greedy, exactMatch, unknown, reliability }];
    });
  for (const update of [0, 2, 4]) {
    const answer = await of(update);
    expect(logged(update)).toHaveLength(2);
    expect(answer).toMatchObject({ update, parameters: update === 0 ? 'starting' : 'replayed' });
    for (const { right, exactMatch } of answer.scores) {
      expect(right).toMatch(new RegExp(`^[01]{${questions}}$`));
      expect(right.replaceAll('0', '').length / questions).toBe(exactMatch);
    }
    for (const [index, score] of answer.scores.entries())
      for (const [name, value] of Object.entries(logged(update)[index]))
        expect(score[name as keyof typeof score]).toEqual(typeof value === 'number' ? expect.closeTo(value, 6) : value); // prettier-ignore
  }
  expect(logged(3)).toEqual([]); // the run did not evaluate there
  expect((await of(3)).scores).toHaveLength(2);
  await expect(replays.ask({ kind: 'held-out', config, update: 1, questions: 4, datasets: ['elsewhere'] })).rejects.toMatchObject({ report: { where: 'question.datasets.0' } }); // prettier-ignore
});

test('a fork that nobody kept is come to through its parent, and says what its log says; without the parent it says why not', async () => {
  const parent = recordOf(filed);
  const first = openReplays(parent);
  await first.replays.reach(parent, 2);
  const { bytes } = await first.engine.ask({ kind: 'replayed-checkpoint', at: { run: RUN(), update: 2 } });
  const child = { ...config, promptsPerUpdate: 1 };
  const forking = scriptedEngine(child, { date: () => '2026-11-22T00:00:00.000Z' });
  const over = forking.until((event) => event.kind === 'status' && event.status === 'finished');
  await forking.send({ kind: 'resume', bytes, fork: { run: RUN(), config: child } });
  await forking.send({ kind: 'play' });
  await over;
  const record = recordOf(forking.events);
  const sought: string[] = [];
  const { replays } = openReplays(record, {
    recordOf(run) {
      sought.push(run);
      return Promise.resolve(run === RUN() ? parent : null);
    },
  });
  expect(await replays.reach(record, 4)).toEqual({
    ...{ place: { run: '2026-11-22T00:00:00.000Z', update: 4 }, checkpoint: 2 },
    ...{ replayed: 2, compared: 2, difference: null },
  });
  expect(sought).toEqual([RUN()]);
  const alone = openReplays(record);
  await expect(alone.replays.reach(record, 4)).rejects.toMatchObject({
    report: {
      got: 'neither a checkpoint of the fork nor its parent',
      where: `update 2 of the run of ${RUN()}`,
    },
  });
});
