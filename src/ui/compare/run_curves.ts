/** Curves of several runs over one axis. Pure. */
import type { RunState } from '../../store/record/run_state.ts';
import {
  curveData,
  knowsAdmissions,
  type CurveData,
  type CurveSeries,
  type Series,
} from '../parts/curve_data.ts';

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

/**
 * The main series of every curve that some run has, a line per run; a shorter run ends where it ends. Lines of one
 * chart are of the same curve and series by their names: runs need not have the same charts.
 */
export function runCurves(runs: readonly ComparedRun[]): CurveData {
  const admissions = runs.some(({ run }) => knowsAdmissions(run));
  const data = runs.map(({ run }) => curveData(run, admissions));
  const length = Math.max(...data.map(({ x }) => x.length));
  const padded = (values: Series): Series => [
    ...values,
    ...Array.from({ length: length - values.length }, () => null),
  ];
  const all = data.flatMap(({ curves }) => curves);
  const shown = all.filter(({ key }, at) => all.findIndex((curve) => curve.key === key) === at);
  return {
    x: Array.from({ length }, (_, update) => update),
    curves: shown.map((curve) => ({
      ...curve,
      series: data.map(({ curves }, index) => {
        const same = curves.find(({ key }) => key === curve.key);
        const main = same?.series.find(({ label }) => label === curve.series[0].label);
        return { label: runs[index].letter, style: RUN_STYLES[index], values: padded(main?.values ?? []) };
      }),
    })),
  };
}
