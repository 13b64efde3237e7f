/** Curves of several runs over one axis: lines of a chart are of the same quantity, whatever charts a run has. */
import { expect, test } from 'vitest';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN, type RunState } from '../../src/store/record/run_state.ts';
import type { UpdateMetrics } from '../../src/protocol/protocol.ts';
import { runCurves, type ComparedRun } from '../../src/ui/compare/run_curves.ts';
import { curveData, newestUpdate, readingAt } from '../../src/ui/parts/curve_data.ts';
import { METRICS, START, updateEvents } from '../support/sample_log.ts';

const runOf = (...updates: readonly Partial<UpdateMetrics>[]): RunState =>
  foldEvents(EMPTY_RUN, [
    START,
    ...updates.flatMap((metrics, index) => updateEvents(index + 1, { ...METRICS, ...metrics })),
  ]);
const compared = (...runs: readonly RunState[]): readonly ComparedRun[] =>
  runs.map((run, index) => ({ run, letter: 'ABCD'[index], title: `run ${index}` }));

const ADMITS = { unknown: 0.25, reliability: 0.7, entropy: 0.1, clipFraction: 0.5, ppoKl: 0.03 };
const PLAIN = { unknown: 0, reliability: 0.5, entropy: 0.0952, clipFraction: 0.02, ppoKl: 0.0002 };
const KEYS = { entropy: 'entropy', clipFraction: 'clipFraction', kl: 'ppoKl', deadTrees: 'deadTrees', exactMatch: 'exactMatch', unknown: 'unknown', reliability: 'reliability' } as const; // prettier-ignore

test.each([
  ['the first', ADMITS, PLAIN],
  ['the second', PLAIN, ADMITS],
])(
  'where only %s run admits that it does not know, every title has the numbers of its own metric',
  (_, a, b) => {
    const { curves } = runCurves(compared(runOf(a), runOf(b)));
    expect(curves.map(({ key }) => key).toSorted()).toEqual(Object.keys(KEYS).toSorted());
    const [wantA, wantB] = [
      { ...METRICS, ...a },
      { ...METRICS, ...b },
    ];
    for (const { key, series } of curves) {
      const metric = KEYS[key as keyof typeof KEYS];
      expect([key, ...series.map(({ values }) => values[1])]).toEqual([key, wantA[metric], wantB[metric]]);
    }
  },
);

test('runs of which nobody admits have no chart of admissions', () => {
  const keys = runCurves(compared(runOf(PLAIN), runOf(PLAIN))).curves.map(({ key }) => key);
  expect(keys).toEqual(curveData(runOf(PLAIN)).curves.map(({ key }) => key));
  expect(keys).not.toContain('unknown');
});

test('a line says at which update it was read, and a shorter run is read where it ends', () => {
  const data = runCurves(compared(runOf(PLAIN, PLAIN, PLAIN), runOf({ entropy: 0.2 })));
  expect(newestUpdate(data)).toBe(3);
  const [long, short] = data.curves.find(({ key }) => key === 'entropy')!.series;
  expect(readingAt(long.values, 3)).toEqual({ value: 0.0952, update: 3 });
  expect(readingAt(short.values, 3)).toEqual({ value: 0.2, update: 1 });
  expect(readingAt(short.values, 0)).toBeNull();
});
