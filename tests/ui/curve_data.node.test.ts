import { expect, test } from 'vitest';
import { keyedRandom } from '../../src/algo/random.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { axisTicks, curveData, tickIn } from '../../src/ui/parts/curve_data.ts';
import { METRICS, SAMPLE_LOG } from '../support/sample_log.ts';

const run = foldEvents(EMPTY_RUN, SAMPLE_LOG);
const keys = (state: typeof run): readonly string[] => curveData(state).curves.map(({ key }) => key);

const evaluation = (dataset: string, unknown: number, reliability: number): RunEvent => ({
  kind: 'evaluation',
  update: 2,
  dataset,
  questions: 64,
  exactMatch: 0.4,
  unknown,
  reliability,
  greedy: false,
});

test('admissions and reliability are shown once somebody admits, and not before', () => {
  expect(keys(run)).not.toContain('unknown');
  expect(keys(foldEvents(run, [evaluation('hotpot', 0, 0.4)]))).not.toContain('reliability');
  const metrics = { ...METRICS, unknown: 0.25, reliability: 0.7 };
  const admitted = foldEvents(run, [{ kind: 'metrics', update: 2, metrics }]);
  expect(keys(admitted).slice(0, 3)).toEqual(['exactMatch', 'unknown', 'reliability']);
  const [, unknown, reliability] = curveData(admitted).curves;
  expect(unknown.series[0].values[2]).toBe(0.25);
  expect(reliability.series[0].values[2]).toBe(0.7);
});

test('held-out admissions are the mean over data sets; logs without them leave a gap', () => {
  const events = [evaluation('hotpot', 0.02, 0.5), evaluation('unanswerable', 0.3, 0)];
  const state = { ...run, evaluations: run.evaluations.filter(({ update }) => update === 0) };
  const [, unknown, reliability] = curveData(foldEvents(state, events)).curves;
  expect(unknown.series[1].values).toEqual([null, null, 0.16]);
  expect(reliability.series[1].values[2]).toBe(0.25);
});

test('an axis says its places exactly, also between whole percents', () => {
  expect([0, 0.025, 0.05, 0.07, 1].map((value) => tickIn('share', value))).toEqual(['0 %', '2.5 %', '5 %', '7 %', '100 %']); // prettier-ignore
  expect([0.0005, 0.25].map((value) => tickIn('nats', value))).toEqual(['5e−4', '0.25']);
});

test('every axis has two places or more, round ones, within it, and no more than have room', () => {
  const random = keyedRandom({ seed: 3, update: 0 }, 1, 2);
  for (let round = 0; round < 3000; round += 1) {
    const high = 10 ** (random.integer(12) - 9) * (1 + random.integer(900) / 100);
    const low = random.integer(2) === 0 ? 0 : -high * (random.integer(300) / 100);
    const size = 20 + random.integer(300);
    const ticks = axisTicks(low, high, size);
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThanOrEqual(Math.max(3, size / 26 + 1));
    expect(ticks).toContain(0);
    const slack = 1e-9 * (high - low);
    expect(ticks[0]).toBeGreaterThanOrEqual(low - slack);
    expect(ticks.at(-1)).toBeLessThanOrEqual(high + slack);
    expect(new Set(ticks.map((tick) => tickIn('nats', tick))).size).toBe(ticks.length);
  }
});

test('charts are those of the first update to the last: who admits in the middle of a run is in the table', () => {
  const metrics = { ...METRICS, unknown: 0.25, reliability: 0.7 };
  const charts = (state: typeof run): readonly string[] =>
    curveData(state).curves.filter(({ onlyInTable }) => !onlyInTable).map(({ key }) => key); // prettier-ignore
  expect(charts(foldEvents(run, [{ kind: 'metrics', update: 2, metrics }]))).toEqual(charts(run));
  const { header } = run;
  const asking = { ...run, header: { ...header!, config: { ...header!.config!, datasets: ['hotpot', 'unanswerable'] } } }; // prettier-ignore
  const fresh = { ...asking, updates: [], evaluations: [] };
  expect(charts(fresh)).toContain('unknown');
  expect(charts(foldEvents(asking, [{ kind: 'metrics', update: 2, metrics }]))).toEqual(charts(fresh));
});
