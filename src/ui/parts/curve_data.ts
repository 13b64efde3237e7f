/** What the curves show: one entry per chart, its series by update, and a sentence that sums it up. Pure. */
import type { RunState } from '../../store/record/run_state.ts';
import { metricSeries } from '../../store/record/reading.ts';
import { formatNumber, formatSetting, formatShare } from './format.ts';

export type Series = readonly (number | null)[];

export interface CurveSeries {
  readonly label: string;
  readonly style: 'line' | 'dashed' | 'dotted' | 'dash-dot' | 'points';
  readonly values: Series; // one per x
}

export interface Curve {
  readonly key: string;
  readonly title: string;
  readonly unit: 'share' | 'nats';
  readonly meaning: string;
  readonly top: number | null; // fixed upper end of the axis, or null: from the data
  readonly series: readonly CurveSeries[];
  readonly onlyInTable?: boolean; // a chart that came in the middle of a run would shrink the others
}

/** A curve as it is drawn. */
export interface ChartProps {
  readonly curve: Curve;
  readonly x: readonly number[];
  readonly xMax: number; // updates planned
  readonly withX: boolean; // draws the labels of the shared axis
  readonly selected: number | null; // update to mark
  readonly summary: string;
  readonly onPoint: (index: number | null) => void; // under the cursor
  readonly onPick: (update: number) => void;
}

export interface CurveData {
  readonly x: readonly number[]; // update numbers, 0 is before the first
  readonly curves: readonly Curve[];
}

/** Dashes of a line style, px; undefined is solid. */
export const DASHES: Readonly<Partial<Record<CurveSeries['style'], number[]>>> = {
  dashed: [5, 3],
  dotted: [1.5, 3],
  'dash-dot': [8, 3, 1.5, 3],
};

/** Custom properties of CSS. */
export const COLOURS: Readonly<Record<CurveSeries['style'], string>> = {
  line: '--accent',
  dashed: '--ink-soft',
  dotted: '--credit-plus',
  'dash-dot': '--credit-minus',
  points: '--ink',
};

/** From zero, or from the lowest value below it; 0 to 1 while there is nothing to show. */
export function yRange({ top, unit }: Curve, low: number | null, high: number | null): [number, number] {
  if (top !== null || low === null || high === null) return [0, top ?? 1];
  const floor = Math.min(0, low * 1.15);
  return [floor, Math.max(high * 1.15, floor + (unit === 'share' ? 0.01 : 1e-4))];
}

/** Mean over data sets of the evaluations made at each update; null where none has the score. */
function heldOut(
  run: RunState,
  x: readonly number[],
  score: 'exactMatch' | 'unknown' | 'reliability' = 'exactMatch',
): Series {
  const sampled = run.evaluations.filter((evaluation) => !evaluation.greedy);
  const shown = sampled.length > 0 ? sampled : run.evaluations;
  return x.map((update) => {
    const here = shown.flatMap((evaluation) => (evaluation.update === update ? [evaluation[score]] : []));
    const known = here.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

/** Whether anybody may rightly say "I do not know", or has said it: elsewhere admissions are 0 and reliability is exact match once more. */
export const knowsAdmissions = (run: RunState): boolean =>
  asksForAdmissions(run) ||
  run.updates.some(({ metrics }) => (metrics?.unknown ?? 0) > 0) ||
  run.evaluations.some(({ unknown }) => (unknown ?? 0) > 0);

/** Whether a run is set up so that "I do not know" can be right: known before its first update. */
function asksForAdmissions({ header }: RunState): boolean {
  if (!header?.config) return false;
  const { algorithm, datasets, evaluation } = header.config;
  return (
    algorithm.reward.rule === 'boundary' || [...datasets, ...evaluation.datasets].includes('unanswerable')
  );
}

function admissionCurves(run: RunState, x: readonly number[]): readonly Curve[] {
  const asks = asksForAdmissions(run);
  const rollouts = (key: 'unknown' | 'reliability'): Series => [null, ...metricSeries(run, key)];
  const both = (key: 'unknown' | 'reliability'): readonly CurveSeries[] => [
    { label: 'rollouts', style: 'line', values: rollouts(key) },
    { label: 'held out', style: 'points', values: heldOut(run, x, key) },
  ];
  return [
    {
      key: 'unknown',
      title: 'Admissions',
      unit: 'share',
      meaning:
        'Share of answers that say “I do not know”: first rollouts of each update, and held-out questions.',
      top: 1,
      series: both('unknown'),
      onlyInTable: !asks,
    },
    {
      key: 'reliability',
      title: 'Reliability',
      unit: 'share',
      meaning:
        'BAPO’s measure, (1 − ρ)·precision + ρ·accuracy with ρ the share of admissions, which count as no right answer.',
      top: 1,
      series: both('reliability'),
      onlyInTable: !asks,
    },
  ];
}

/** @param admissions whether to show them: in a comparison another run may have made them worth a chart */
export function curveData(run: RunState, admissions = knowsAdmissions(run)): CurveData {
  const x = Array.from({ length: run.updates.length + 1 }, (_, update) => update);
  const of = (key: Parameters<typeof metricSeries>[1]): Series => [null, ...metricSeries(run, key)];
  const line = (label: string, values: Series): CurveSeries => ({ label, style: 'line', values });
  return {
    x,
    curves: [
      {
        key: 'exactMatch',
        title: 'Exact match',
        unit: 'share',
        meaning:
          'Share of questions answered exactly: first rollouts of each update, and held-out questions.',
        top: 1,
        series: [
          line('rollouts', of('exactMatch')),
          { label: 'held out', style: 'points', values: heldOut(run, x) },
        ],
      },
      ...(admissions ? admissionCurves(run, x) : []),
      {
        key: 'entropy',
        title: 'Entropy',
        unit: 'nats',
        meaning:
          'Per token: entropy of the whole next-token distribution, and the mean surprisal of turns, which ranks expansions (the paper’s code calls it entropy).',
        top: null,
        series: [
          line('tokens', of('entropy')),
          { label: 'turns, surprisal', style: 'dashed', values: of('turnSurprisal') },
        ],
      },
      {
        key: 'clipFraction',
        title: 'Clip fraction',
        unit: 'share',
        meaning: 'Share of trained tokens whose ratio left the clip band, so that they push no more.',
        top: null,
        series: [line('clipped', of('clipFraction'))],
      },
      {
        key: 'kl',
        title: 'KL',
        unit: 'nats',
        meaning:
          'Mean of old minus new log-probability over trained tokens: how far an update moved the policy.',
        top: null,
        series: [line('ppo_kl', of('ppoKl'))],
      },
      {
        key: 'deadTrees',
        title: 'Dead trees',
        unit: 'share',
        meaning: 'Share of trees whose leaves all earned the same reward: they give no gradient.',
        top: 1,
        series: [line('dead', of('deadTrees'))],
      },
    ],
  };
}

export const formatIn = (unit: Curve['unit'], value: number | null): string =>
  unit === 'share'
    ? formatShare(value)
    : formatNumber(value, value !== null && Math.abs(value) < 0.1 ? 4 : 2);

/** A place on an axis, exactly: 2.5 % is not rounded to the 3 % that would stand between 0 % and 5 %. */
export const tickIn = (unit: Curve['unit'], value: number): string =>
  unit === 'share' ? `${formatSetting(value * 100, 3)} %` : formatSetting(value, 3);

/** A value, and the update at which it was measured. */
export interface Reading {
  readonly value: number;
  readonly update: number;
}

/** The value at `update`, or the last one before it; null before the first. */
export function readingAt(values: Series, update: number): Reading | null {
  const place = values.slice(0, update + 1).findLastIndex((value) => value !== null);
  const value = values[place] ?? null;
  return value === null ? null : { value, update: place };
}

/** Update of the newest value of any curve; 0 where there is none yet. */
export const newestUpdate = ({ x, curves }: CurveData): number =>
  Math.max(
    0,
    ...curves.flatMap(({ series }) =>
      series.map(({ values }) => readingAt(values, x.length - 1)?.update ?? 0),
    ),
  );

/** "Exact match: rollouts 50 % at update 1, 75 % at update 2; …" */
export function summarise(curve: Curve, x: readonly number[]): string {
  const parts = curve.series.map(({ label, values }) => {
    const known = values.flatMap((value, index) => (value === null ? [] : [{ value, update: x[index] }]));
    const [first, last] = [known[0], known[known.length - 1]];
    if (!first) return `${label} not measured yet`;
    const start = `${label} ${formatIn(curve.unit, first.value)} at update ${first.update}`;
    return known.length === 1
      ? start
      : `${start}, ${formatIn(curve.unit, last.value)} at update ${last.update}`;
  });
  return `${curve.title}${curve.unit === 'nats' ? ' in nats' : ''}: ${parts.join('; ')}.`;
}

/** Numbers that steps of an axis are made of. */
const STEPS = [5, 2.5, 2, 1] as const;
/** px between two labels that can still be read. */
const TICK_SPACE = 26;

/** Multiples of a step within a range, with what float64 leaves of its ends. */
const multiples = (low: number, high: number, step: number): readonly number[] => {
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
};

/**
 * Round places of an axis: as many as have room, and never fewer than two, since one says nothing of the scale.
 * @param size px along the axis
 */
export function axisTicks(low: number, high: number, size: number): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const most = Math.max(2, Math.floor(size / TICK_SPACE) + 1);
  let ticks: readonly number[] = [];
  for (let power = Math.ceil(Math.log10(span)); ; power -= 1)
    for (const digit of STEPS) {
      const finer = multiples(low, high, digit * 10 ** power);
      if (finer.length > most && ticks.length >= 2) return tidied(ticks);
      ticks = finer;
      if (ticks.length > most) return tidied(ticks); // two would be too few: the next finer step it is
    }
}

/** 3 · 0.1 is 0.30000000000000004. */
const tidied = (ticks: readonly number[]): number[] => ticks.map((tick) => Number(tick.toPrecision(12)));
