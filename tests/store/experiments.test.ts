/** The queue of experiments: which run comes next, what holds it, and what a reload finds again. */
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { NOTHING_SPENT, spend } from '../../src/experiment/budget.ts';
import { parseExperiment, plannedRuns, type AskedRun } from '../../src/experiment/experiment.ts';
import { resultsOf } from '../../src/experiment/report.ts';
import { readRecording, recordingPart } from '../../src/files/recording.ts';
import { isHeadline, isLogged } from '../../src/protocol/protocol.ts';
import { experimentOf, FIRST_DRAFT } from '../../src/store/experiment/draft.ts';
import {
  fileOfExperiment,
  heldRun,
  missingRuns,
  NO_EXPERIMENTS,
  resultsIn,
  type ExperimentTools,
  type HeldExperiment,
  type Hold,
} from '../../src/store/experiment/held.ts';
import { experimentOfRuns, readingOf, sayCertainty, secondsLeft, shownRuns } from '../../src/store/experiment/reading.ts'; // prettier-ignore
import { createLab } from '../../src/store/lab/lab.ts';
import { NO_KEEPER, NO_TAB, type KeptEntry } from '../../src/store/lab/kept.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const EXPERIMENT = experimentOf({ ...FIRST_DRAFT, seeds: 2 });

type Train = Awaited<ReturnType<ExperimentTools['trainer']>>['train'];

interface Training {
  readonly seed: number;
  readonly hold: Hold;
  readonly run: Parameters<Train>[0];
  readonly tell: Parameters<Train>[2];
  readonly end: (score: number) => void;
  readonly fail: (error: Error) => void;
}

const dateOf = (index: number): string => `2026-11-28T10:00:${String(index).padStart(2, '0')}Z`;

/** A result as the engine condenses it. */
const result = (date: string, exactMatch: number) => ({
  ...{ seed: 1, adapter: { vendor: 'acme', architecture: 'one' }, date },
  heldOut: {
    questions: 300,
    before: { exactMatch: 0.05, greedyExactMatch: 0.05 },
    after: { exactMatch, greedyExactMatch: exactMatch },
  },
  ...{ used: { updates: 3, tokens: 10, generated: 20, seconds: 7 }, metrics: {} },
});

/** The page over a table and a trainer of the test's. */
function page(
  stored = new Map<string, HeldExperiment>(),
  entries: KeptEntry[] = [],
  shipped: ExperimentTools['shipped'] = NO_EXPERIMENTS.shipped,
  log = '', // of the kept run
) {
  const trainings: Training[] = [];
  const remembered: boolean[] = [];
  let closed = 0;
  const configOf = ({ seed }: AskedRun) => ({ ...smallConfig(), seed });
  const tools: ExperimentTools = {
    ...NO_EXPERIMENTS,
    trainer: () =>
      Promise.resolve({
        configOf,
        train: (run, hold, tell) =>
          new Promise<object>((resolve, fail) => {
            const date = run.earlier ? 'as before' : dateOf(trainings.length);
            const own = { seed: run.config.seed, hold, run, tell, fail };
            trainings.push({ ...own, end: (score) => resolve(result(date, score)) });
          }),
        close: () => void (closed += 1),
      }),
    table: () =>
      Promise.resolve({
        all: () => Promise.resolve([...stored.values()]),
        put: (value) => Promise.resolve(void stored.set(value.id, value)),
        delete: (id) => Promise.resolve(void stored.delete(id)),
      }),
    remember: (hasWork) => void remembered.push(hasWork),
    shipped,
  };
  const keeper = {
    ...NO_KEEPER,
    list: () => Promise.resolve(entries),
    goOn: () => Promise.resolve({ update: 1, bytes: new Uint8Array(4) }),
    open: () => Promise.resolve(new Blob([log])),
  };
  const lab = createLab(() => undefined, '', (file) => readRecording(file), null, {}, { keeper, tab: NO_TAB, experiments: tools }); // prettier-ignore
  return { lab, trainings, stored, remembered, closed: () => closed };
}

const shown = (held: HeldExperiment) => shownRuns(held, null).map(({ score }) => score);

test('runs are trained one after another, seed by seed; the answer is that of the command line for the same results', async () => {
  const { lab, trainings, stored, remembered } = page();
  const experiments = await lab.experiments();
  const id = await experiments.start(EXPERIMENT);
  const scores = [0.1, 0.2, 0.3, 0.25];
  for (const [index, score] of scores.entries()) {
    await vi.waitUntil(() => trainings.length === index + 1);
    trainings[index].tell({ date: dateOf(index), update: 1, updates: 3 });
    expect(experiments.getState().underWay).toMatchObject({ run: plannedRuns(EXPERIMENT)[index].id, update: 1 });
    trainings[index].end(score);
  }
  await vi.waitUntil(() => missingRuns(stored.get(id)!).length === 0);
  expect(trainings.map(({ seed }) => seed)).toEqual([1, 1, 2, 2]);
  const held = experiments.getState().experiments.find((each) => each.id === id)!;
  expect(shown(held)).toEqual(scores);
  const file = await fileOfExperiment(held).text();
  const again = await experiments.openFile(new Blob([file]), 'f.json');
  const opened = experiments.getState().experiments.find((each) => each.id === again)!;
  expect(readingOf(opened)).toEqual(resultsOf(EXPERIMENT, resultsIn(held)));
  expect(readingOf(held).comparisons[0].difference?.mean).toBeCloseTo((0.1 - 0.05) / 2, 12); // (.2−.1, .25−.3)
  expect([remembered[0], remembered.at(-1)]).toEqual([true, false]);
}); // prettier-ignore

test('a pause holds the run where it is; another experiment then takes its place, and it goes on after that', async () => {
  const { lab, trainings, closed } = page();
  const experiments = await lab.experiments();
  const first = await experiments.start(EXPERIMENT);
  await vi.waitUntil(() => trainings.length === 1);
  const { hold } = trainings[0];
  const heard = vi.fn();
  hold.subscribe(heard);
  trainings[0].tell({ date: dateOf(0), update: 1, updates: 3 });
  expect([hold.isHeld(), heard.mock.calls.length]).toEqual([false, 0]); // progress is no change of it
  experiments.pause(first);
  expect([hold.isHeld(), heard.mock.calls.length]).toEqual([true, 1]);
  experiments.resume(first);
  expect([hold.isHeld(), heard.mock.calls.length]).toEqual([false, 2]);
  experiments.pause(first);
  await experiments.start({ ...EXPERIMENT, name: 'other', seeds: [9] });
  await vi.waitUntil(() => trainings.length === 2);
  expect([trainings[1].seed, closed()]).toEqual([9, 1]);
  heard.mockClear();
  experiments.resume(first);
  expect(heard).not.toHaveBeenCalled(); // its engine is closed, and would be started again
  trainings[1].end(0.1);
  await vi.waitUntil(() => trainings.length === 3);
  expect(trainings[2].seed).toBe(1); // the older one first
});

test('after a reload the run under way goes on from its checkpoint, and what is over is not trained again', async () => {
  const before = page();
  const experiments = await before.lab.experiments();
  const id = await experiments.start(EXPERIMENT);
  await vi.waitUntil(() => before.trainings.length === 1);
  before.trainings[0].end(0.4);
  await vi.waitUntil(() => before.trainings.length === 2);
  before.trainings[1].tell({ date: 'as before', update: 1, updates: 3 });
  const config = before.trainings[1].run.config;
  const entry = { id: 'k', created: 'as before', config, removed: null, name: null, update: 1 } as KeptEntry;
  const events = (await scriptedRun(smallConfig())).filter(isLogged);
  const first = events.filter((event) => !('update' in event) || event.update <= 1);
  const after = page(before.stored, [entry], undefined, recordingPart(first)); // as it is kept: without an end line
  const again = await after.lab.experiments();
  await vi.waitUntil(() => after.trainings.length === 1);
  const { kept, log, used, checkpoint } = after.trainings[0].run.earlier!;
  expect([kept, checkpoint.byteLength]).toEqual(['k', 4]);
  expect(log.map(({ kind }) => kind)).toEqual(first.filter(isHeadline).map(({ kind }) => kind));
  expect(log.length).toBeGreaterThan(2);
  expect(used).toMatchObject({ updates: 1, tokens: first.reduce(spend, NOTHING_SPENT).tokens });
  const [held] = again.getState().experiments;
  expect([held.id, shown(held)]).toEqual([id, [0.4, null, null, null]]);
  expect(secondsLeft(held, null)).toBe(3 * 7);
});

test('a kept run that cannot be read is named, and begun anew when it is asked for again', async () => {
  const before = page();
  const experiments = await before.lab.experiments();
  await experiments.start({ ...EXPERIMENT, seeds: [1] });
  await vi.waitUntil(() => before.trainings.length === 1);
  before.trainings[0].tell({ date: 'as before', update: 1, updates: 3 });
  const { config } = before.trainings[0].run;
  const entry = { id: 'k', created: 'as before', config, removed: null, name: null, update: 1 } as KeptEntry;
  const after = page(before.stored, [entry], undefined, '{"format":"other"}\n');
  const again = await after.lab.experiments();
  await vi.waitUntil(() => after.trainings.length === 1); // the next run
  const [held] = again.getState().experiments;
  expect(shownRuns(held, null)[0]).toMatchObject({ standing: 'failed', failure: expect.stringMatching(/recorded run/) as string }); // prettier-ignore
  again.resume(held.id);
  after.trainings[0].end(0.3);
  await vi.waitUntil(() => after.trainings.length === 2);
  expect([after.trainings[1].seed, after.trainings[1].run.earlier]).toEqual([1, null]);
});

test('a run that fails three times is named and left; asked again it is tried again', async () => {
  const { lab, trainings } = page();
  const experiments = await lab.experiments();
  const id = await experiments.start({ ...EXPERIMENT, seeds: [1] });
  for (let at = 0; at < 3; at += 1) {
    await vi.waitUntil(() => trainings.length === at + 1);
    trainings[at].fail(new Error('the device was lost'));
  }
  await vi.waitUntil(() => trainings.length === 4);
  trainings[3].end(0.3);
  const of = (): HeldExperiment => experiments.getState().experiments.find((each) => each.id === id)!;
  await vi.waitUntil(() => missingRuns(of()).length === 0);
  expect(shownRuns(of(), null).map(({ standing, failure }) => [standing, failure])).toEqual([
    ['failed', 'the device was lost'],
    ['over', null],
  ]);
  experiments.resume(id);
  await vi.waitUntil(() => trainings.length === 5);
  expect(heldRun(of(), plannedRuns(EXPERIMENT)[0]).failure).toBeNull();
});

test('where no engine is to be had nothing is tried and nothing fails; when there is one, it goes on', async () => {
  const { lab, trainings } = page();
  const experiments = await lab.experiments();
  const report = { what: 'No adapter', where: 'a', got: 'none', wanted: 'one', next: 'c' };
  const id = await experiments.start(EXPERIMENT);
  await vi.waitUntil(() => trainings.length === 1);
  lab.transport.engineUnavailable(report);
  trainings[0].fail(new Error('no adapter'));
  await vi.waitUntil(() => experiments.getState().underWay === null);
  experiments.resume(id); // a person asks, and nothing can begin
  const held = (): HeldExperiment => experiments.getState().experiments.find((each) => each.id === id)!;
  expect([trainings.length, missingRuns(held()).length]).toEqual([1, 4]);
  lab.transport.restartEngine();
  await vi.waitUntil(() => trainings.length === 2);
});

test('shipped experiments that cannot be loaded are said, and what is kept is there', async () => {
  const { stored } = page();
  const before = page(stored);
  const id = await (
    await before.lab.experiments()
  ).openFile(new Blob([JSON.stringify(EXPERIMENT)]), 'f.json');
  const { lab } = page(stored, [], () => Promise.reject(new Error('offline')));
  const experiments = await lab.experiments();
  await experiments.ready;
  expect(experiments.getState().trouble).toMatchObject({ what: 'The experiments of this site could not be loaded', got: 'Error: offline' }); // prettier-ignore
  expect(experiments.getState().experiments.map((held) => held.id)).toEqual([id]);
});

test('a file that is no experiment is refused and nothing is lost; one without runs waits until it is wanted', async () => {
  const { lab, trainings } = page();
  const experiments = await lab.experiments();
  await expect(experiments.openFile(new Blob(['{"name": 3}']), 'mine.json')).rejects.toThrow('mine.json');
  const strange = {
    format: 'turnwise experiment',
    version: 1,
    experiment: EXPERIMENT,
    runs: [{ id: 'grpo-7' }],
  };
  await expect(experiments.openFile(new Blob([JSON.stringify(strange)]), 'mine.json')).rejects.toThrow(
    'mine.json.runs.0',
  );
  const id = await experiments.openFile(new Blob([readFileSync('experiments/compare.json')]), 'compare.json');
  const [held] = experiments.getState().experiments;
  expect([held.id, held.origin, trainings.length]).toEqual([id, 'file', 0]);
  expect(missingRuns(held)).toHaveLength(plannedRuns(held.experiment).length);
  experiments.resume(id);
  await vi.waitUntil(() => trainings.length === 1);
});

test('what is deleted can be taken back, its runs wait meanwhile, and the next page does not have it', async () => {
  const { lab, trainings, stored } = page();
  const experiments = await lab.experiments();
  const id = await experiments.start(EXPERIMENT);
  await vi.waitUntil(() => trainings.length === 1);
  experiments.remove(id, true);
  expect(trainings[0].hold.isHeld()).toBe(true);
  await vi.waitUntil(() => experiments.getState().underWay === null);
  experiments.remove(id, false);
  await vi.waitUntil(() => trainings.length === 2);
  experiments.remove(id, true);
  const next = page(stored);
  await (
    await next.lab.experiments()
  ).ready;
  expect((await next.lab.experiments()).getState().experiments).toEqual([]);
});

test('two runs of one experiment are told of by all its seeds; others by themselves say nothing about chance', () => {
  const run = (index: number, score: number) => ({ date: dateOf(index), file: { ...result(dateOf(index), score), id: '', options: [] }, failure: null }); // prettier-ignore
  const runs = {
    'grpo-1': run(0, 0.1),
    'at2po-1': run(1, 0.2),
    'grpo-2': run(2, 0.3),
    'at2po-2': run(3, 0.25),
  };
  const held = { id: 'h', created: '', origin: 'file', experiment: EXPERIMENT, runs, isWanted: false, removed: false } as unknown as HeldExperiment; // prettier-ignore
  expect(experimentOfRuns([held], dateOf(0), dateOf(3))?.arms).toEqual(['grpo', 'at2po']);
  const said = sayCertainty([held], [dateOf(0), dateOf(3)]);
  expect(said).toContain(readingOf(held).comparisons[0].sentence);
  expect(said).toMatch(/No difference seen between AT²PO and GRPO \(2 seeds\)/);
  expect(sayCertainty([held], [dateOf(0), dateOf(2)])).toMatch(/^One run each/); // of the same arm
  expect(sayCertainty([], [dateOf(0), dateOf(3)])).toMatch(/^One run each/);
});

test('what a person chooses is an experiment that the command line reads, or says which field is wrong', () => {
  expect(EXPERIMENT).toMatchObject({
    name: 'grpo-at2po-musique',
    arms: [{ name: 'grpo', title: 'GRPO' }, { name: 'at2po', title: 'AT²PO' }],
    base: { preset: 'instant', settings: ['datasets=musique', 'evaluation.datasets=musique'] },
  });
  const values = experimentOf({ ...FIRST_DRAFT, compares: 'setting', datasets: [] });
  expect(values.base.settings).toEqual([]);
  expect(values.arms.map(({ settings }) => settings[0])).toEqual([
    'algorithm.loss.reduction=seq-mean-token-mean',
    'algorithm.loss.reduction=token-mean',
  ]);
  expect(parseExperiment(JSON.parse(JSON.stringify(values)))).toEqual(values);
  const several = experimentOf({ ...FIRST_DRAFT, datasets: ['musique', 'stale', 'metered'] });
  expect(several.base.settings).toEqual([]);
  expect(several.question).toBe('Which is better on musique, stale and metered: GRPO or AT²PO?');
  expect(plannedRuns(several).map(({ id }) => id).slice(0, 4)).toEqual(['grpo-musique-1', 'at2po-musique-1', 'grpo-stale-1', 'at2po-stale-1']);
  expect(plannedRuns(several)[3].options.join(' ')).toContain('--set datasets=stale --set evaluation.datasets=stale');
  expect(() => experimentOf({ ...FIRST_DRAFT, amount: NaN })).toThrow('budget.amount');
  expect(() => experimentOf({ ...FIRST_DRAFT, compares: 'setting', values: '' })).toThrow('arms');
}); // prettier-ignore
