/** Curves of several runs over one axis. Pure. */
import type { RunState } from '../../store/run_state.ts';
import { curveData, type Curve, type CurveSeries } from '../train/curve_data.ts';

/** One run of a comparison. */
export interface ComparedRun {
  readonly letter: string; // A, B, C, D
  readonly title: string;
  readonly run: RunState;
}

/** Line styles of runs, in order; no more runs than these are drawn together. */
export const RUN_STYLES = [
  'line',
  'dashed',
  'dotted',
  'dash-dot',
] as const satisfies readonly CurveSeries['style'][];

export interface RunCurves {
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
}

/** The first series of every curve, a line per run; a shorter run ends where it ends. */
export function runCurves(runs: readonly ComparedRun[]): RunCurves {
  const data = runs.map(({ run }) => curveData(run));
  const length = Math.max(...data.map(({ x }) => x.length));
  const padded = (values: readonly (number | null)[]): readonly (number | null)[] => [
    ...values,
    ...Array.from({ length: length - values.length }, () => null),
  ];
  return {
    x: Array.from({ length }, (_, update) => update),
    curves: data[0].curves.map((curve, place) => ({
      ...curve,
      series: data.map(({ curves }, index) => ({
        label: runs[index].letter,
        style: RUN_STYLES[index],
        values: padded(curves[place].series[0].values),
      })),
    })),
  };
}
