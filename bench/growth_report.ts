/** Growth as numbers, a table and a drawing: time of an update against its arithmetic, one line per axis. */
import { scaleLog } from './chart_scale.ts';
import type { Axis, GrowthPoint, Term } from './growth.ts';
import { markdownTable, type Header } from './report.ts';
import { fitPower, type PowerFit } from './statistics.ts';

export interface GrowthReport extends Header {
  readonly suite: 'scaling';
  readonly axes: Readonly<Partial<Record<Axis, readonly GrowthPoint[]>>>;
}

/** Exponents: how a time grows with the work that it stands for. */
export interface GrowthFit {
  readonly axis: Axis;
  readonly points: readonly GrowthPoint[];
  /** ms of a whole update against its GFLOP. Above 1 where a term with a lower rate takes over. */
  readonly total: PowerFit;
  /** Of each term alone; null where its work hardly changes along the axis, or there are no timestamps. */
  readonly terms: Readonly<Record<Term, PowerFit | null>>;
}

export const TERMS: readonly Term[] = ['products', 'attention', 'other'];
const LEAST_GROWTH = 4; // of a term's work along an axis, for a fit to say something

const gflop = ({ flops }: GrowthPoint): number => flops / 1e9;

function fitTerm(points: readonly GrowthPoint[], term: Term): PowerFit | null {
  const pairs = points.flatMap(({ terms }) => (terms ? [[terms[term].work, terms[term].ms] as const] : []));
  const works = pairs.map(([work]) => work);
  if (pairs.length < 3 || Math.max(...works) < LEAST_GROWTH * Math.min(...works)) return null;
  return pairs.every(([work, ms]) => work > 0 && ms > 0) ? fitPower(pairs) : null;
}

export function growthFits({ axes }: GrowthReport): readonly GrowthFit[] {
  return Object.entries(axes).map(([axis, points]) => ({
    axis: axis as Axis, // the keys of `axes`
    points,
    total: fitPower(points.map((point) => [gflop(point), point.ms] as const)),
    terms: {
      products: fitTerm(points, 'products'),
      attention: fitTerm(points, 'attention'),
      other: fitTerm(points, 'other'),
    },
  }));
}

const list = (values: readonly number[], digits: number): string =>
  values.map((value) => value.toFixed(digits)).join(', ');

/** '0.97 ± 0.02', or a dash. */
export const sayExponent = (fit: PowerFit | null): string =>
  fit ? `${fit.exponent.toFixed(2)} ± ${fit.error.toFixed(2)}` : '–';

export function growthTable(report: GrowthReport): string {
  const rows = growthFits(report).map(({ axis, points, total, terms }) => [
    axis,
    points.map(({ value }) => value).join(', '),
    list(points.map(gflop), 2),
    list(
      points.map(({ ms }) => ms),
      0,
    ),
    sayExponent(total),
    ...TERMS.map((term) => sayExponent(terms[term])),
  ]);
  const header = ['axis', 'sizes', 'GFLOP', 'ms', 'exponent, whole update', 'products', 'attention', 'other'];
  return markdownTable(header, rows);
}

export const describeGrowth = (report: GrowthReport): string =>
  `${growthTable(report)}\n\n${report.adapter}, ${report.browser}, ${report.date.slice(0, 10)}`;

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 60, right: 170, top: 16, bottom: 46 };
const COLOUR = '#0a5f7d';
const DASHES = ['none', '7 3', '2 3', '8 3 2 3', '1 2'];

/** Log-log, with a line of exponent 1 for comparison. */
export function drawGrowth(report: GrowthReport): string {
  const fits = growthFits(report);
  const all = fits.flatMap(({ points }) => points);
  const x = scaleLog(all.map(gflop), MARGIN.left, WIDTH - MARGIN.right);
  const y = scaleLog(
    all.map(({ ms }) => ms),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const verticals = x.ticks.map(
    (tick) =>
      `<line x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}" stroke="#ddd"/><text x="${x.at(tick)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${tick}</text>`,
  );
  const horizontals = y.ticks.map(
    (tick) =>
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y.at(tick)}" y2="${y.at(tick)}" stroke="#ddd"/><text x="${MARGIN.left - 6}" y="${y.at(tick) + 4}" text-anchor="end">${tick}</text>`,
  );
  const lines = fits.map(({ axis, points, total }, index) => {
    const places = points.map((point) => `${x.at(gflop(point)).toFixed(1)},${y.at(point.ms).toFixed(1)}`);
    const dash = `stroke-dasharray="${DASHES[index % DASHES.length]}"`;
    const key = MARGIN.top + 14 + 20 * index;
    const left = WIDTH - MARGIN.right + 10;
    return [
      `<polyline points="${places.join(' ')}" fill="none" stroke="${COLOUR}" stroke-width="1.8" ${dash}/>`,
      ...places.map((place) => `<circle cx="${place.split(',')[0]}" cy="${place.split(',')[1]}" r="3" fill="${COLOUR}"/>`), // prettier-ignore
      `<line x1="${left}" x2="${left + 28}" y1="${key}" y2="${key}" stroke="${COLOUR}" stroke-width="1.8" ${dash}/>`,
      `<text x="${left + 34}" y="${key + 4}">${axis}, ${total.exponent.toFixed(2)}</text>`,
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="Time of an update against its arithmetic">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...verticals,
    ...horizontals,
    proportional(x, y, fits.length),
    ...lines,
    `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">arithmetic of an update, GFLOP</text>`,
    `<text x="14" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 ${HEIGHT / 2})">time of an update, ms</text>`,
    '</svg>\n',
  ].join('\n');
}

type Scale = ReturnType<typeof scaleLog>;

/** Grey: time proportional to arithmetic, through the corner of the largest point; its key stands below the axes'. */
function proportional(x: Scale, y: Scale, axes: number): string {
  const [low, high] = x.domain;
  const bottom = Math.max(y.domain[0], (y.domain[1] * low) / high);
  const from = (bottom / y.domain[1]) * high;
  const style = 'stroke="#888" stroke-dasharray="4 4"';
  const left = WIDTH - MARGIN.right + 10;
  const key = MARGIN.top + 14 + 20 * axes;
  return [
    `<line x1="${x.at(from)}" y1="${y.at(bottom)}" x2="${x.at(high)}" y2="${y.at(y.domain[1])}" ${style}/>`,
    `<line x1="${left}" x2="${left + 28}" y1="${key}" y2="${key}" ${style}/>`,
    `<text x="${left + 34}" y="${key + 4}">exponent 1</text>`,
  ].join('');
}
