/** Curves over updates as a drawing for a file, from their numbers: the same lines, dashes and axes as on screen. */
import {
  axisTicks,
  COLOURS,
  DASHES,
  formatIn,
  readingAt,
  tickIn,
  yRange,
  type Curve,
  type CurveData,
  type CurveSeries,
} from '../parts/curve_data.ts';
import { element, text, titleOf, type Sheet } from './drawing_file.ts';
import type { ResolveColour } from './encodings.ts';

const [LEFT, WIDTH, RIGHT] = [64, 560, 16]; // px
const [HEADING, TALL, LOW, AXIS, GAP] = [22, 150, 84, 18, 14];
const LEGEND_STEP = 16;
const POINT = 3.5; // px, radius

const known = (values: CurveSeries['values']): readonly number[] => values.filter((value) => value !== null);

interface Place {
  readonly x: (update: number) => number; // px
  readonly y: (value: number) => number;
}

function seriesOf(
  { label, style, values }: CurveSeries,
  updates: readonly number[],
  { x, y }: Place,
  colour: ResolveColour,
): string {
  const stroke = colour(`var(${COLOURS[style]})`);
  const points = values.flatMap((value, index) =>
    value === null ? [] : [[x(updates[index]), y(value)] as const],
  );
  const isDots = style === 'points' || points.length === 1;
  const dots = points.map(([cx, cy]) => element('circle', { cx, cy, r: POINT, fill: stroke }));
  const line = { fill: 'none', stroke, 'stroke-width': 1.75, 'stroke-dasharray': DASHES[style]?.join(' ') };
  const path = (): string =>
    element('path', { d: `M${points.map((point) => point.join(' ')).join('L')}`, ...line });
  const inside = points.length === 0 ? '' : isDots ? dots.join('') : path();
  return element('g', {}, titleOf(label) + inside);
}

/** What each line is, and its value. */
function legend({ series, unit }: Curve, at: number, top: number, colour: ResolveColour): string {
  return series
    .map(({ label, style, values }, index) => {
      const y = top + index * LEGEND_STEP;
      const stroke = colour(`var(${COLOURS[style]})`);
      const sample =
        style === 'points'
          ? element('circle', { cx: LEFT + WIDTH + RIGHT + 9, cy: y, r: POINT, fill: stroke })
          : element('path', { d: `M${LEFT + WIDTH + RIGHT} ${y}h18`, stroke, 'stroke-width': 1.75, 'stroke-dasharray': DASHES[style]?.join(' ') }); // prettier-ignore
      const words = `${label} ${formatIn(unit, readingAt(values, at)?.value ?? null)}`;
      return (
        sample +
        text(words, { x: LEFT + WIDTH + RIGHT + 24, y: y + 4, 'font-size': 12, fill: colour('var(--ink)') })
      );
    })
    .join('');
}

function chart(
  curve: Curve,
  updates: readonly number[],
  {
    top,
    height,
    xMax,
    at,
    withX,
  }: {
    readonly top: number;
    readonly height: number;
    readonly xMax: number;
    readonly at: number;
    readonly withX: boolean;
  },
  colour: ResolveColour,
): string {
  const all = curve.series.flatMap(({ values }) => known(values));
  const [low, high] = all.length === 0 ? [null, null] : [Math.min(...all), Math.max(...all)];
  const [floor, ceiling] = yRange(curve, low, high);
  const foot = top + HEADING + height;
  const place: Place = {
    x: (update) => LEFT + (WIDTH * update) / xMax,
    y: (value) => foot - (height * (value - floor)) / (ceiling - floor),
  };
  const faint = { 'font-size': 11, fill: colour('var(--ink-soft)') };
  const grid = { stroke: colour('var(--line)'), 'stroke-width': 1 };
  const rows = axisTicks(floor, ceiling, height).map((value) => {
    const y = place.y(value);
    return (
      element('path', { d: `M${LEFT} ${y}h${WIDTH}`, ...grid }) +
      text(tickIn(curve.unit, value), { x: LEFT - 6, y: y + 4, 'text-anchor': 'end', ...faint })
    );
  });
  const columns = axisTicks(0, xMax, WIDTH / 2)
    .filter(Number.isInteger)
    .map((update) => {
      const x = place.x(update);
      const words = withX ? text(String(update), { x, y: foot + 14, 'text-anchor': 'middle', ...faint }) : '';
      return element('path', { d: `M${x} ${foot}v${-height}`, ...grid }) + words;
    });
  const heading = `${curve.title}${curve.unit === 'nats' ? ', nats' : ''}`;
  return element(
    'g',
    {},
    [
      titleOf(heading),
      text(heading, { x: LEFT, y: top + 14, 'font-weight': 600, fill: colour('var(--ink)') }),
      ...rows,
      ...columns,
      ...curve.series.map((series) => seriesOf(series, updates, place, colour)),
      legend(curve, at, top + HEADING + 6, colour),
    ].join('\n'),
  );
}

/**
 * Charts below each other, on one axis of updates.
 * @param at update whose values stand beside the lines
 * @param planned updates of the run
 */
export function curveSheet(
  title: string,
  { x: updates, curves }: CurveData,
  at: number,
  planned: number,
  colour: ResolveColour,
): Sheet {
  const xMax = Math.max(planned, updates.length - 1, 1);
  let top = 8;
  const charts = curves.map((curve, index) => {
    const height = Math.max(index === 0 ? TALL : LOW, curve.series.length * LEGEND_STEP);
    const withX = index === curves.length - 1;
    const drawn = chart(curve, updates, { top, height, xMax, at, withX }, colour);
    top += HEADING + height + GAP;
    return drawn;
  });
  const longest = Math.max(...curves.flatMap(({ series }) => series.map(({ label }) => label.length)));
  const width = LEFT + WIDTH + RIGHT + 24 + 7 * (longest + 8);
  return { title, width, height: top + AXIS, inside: charts.join('\n') };
}
