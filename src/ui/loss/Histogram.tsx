/** A histogram as SVG, with a band drawn in, a sentence above and the bins as a table below. */
import type { Bin } from '../../store/batch_reading.ts';
import { formatCount } from '../format.ts';

const WIDTH = 360; // px
const HEIGHT = 90;
const AXIS = 18;

interface HistogramProps {
  readonly title: string;
  readonly sentence: string;
  readonly bins: readonly Bin[];
  readonly band?: readonly [number, number]; // drawn behind the bars
  readonly middle: number; // where bars change sign
  readonly format: (value: number) => string;
}

export function Histogram({ title, sentence, bins, band, middle, format }: HistogramProps) {
  const [low, high] = [bins[0].from, bins[bins.length - 1].to];
  const most = Math.max(...bins.map(({ count }) => count), 1);
  const x = (value: number): number =>
    (WIDTH * (Math.min(high, Math.max(low, value)) - low)) / (high - low || 1);
  const ends = band && [x(band[0]), x(band[1])];
  return (
    <figure>
      <figcaption className="small">
        <strong>{title}.</strong> {sentence}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + AXIS}`} className="histogram" aria-hidden="true">
        {ends && (
          <rect
            className="in-band"
            x={ends[0]}
            width={Math.max(1, ends[1] - ends[0])}
            y={0}
            height={HEIGHT}
          />
        )}
        {bins.map(({ from, to, count }) => {
          const height = (HEIGHT * count) / most;
          const sign = from >= middle ? 'plus' : to <= middle ? 'minus' : undefined;
          return (
            <rect
              key={from}
              className="bar-rect"
              data-sign={sign}
              x={x(from) + 0.5}
              width={Math.max(1, x(to) - x(from) - 1)}
              y={HEIGHT - height}
              height={height}
            />
          );
        })}
        <line className="axis" x1={0} x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        <line className="axis" x1={x(middle)} x2={x(middle)} y1={0} y2={HEIGHT + 3} />
        <text x={0} y={HEIGHT + 15}>
          {format(low)}
        </text>
        <text x={WIDTH} y={HEIGHT + 15} textAnchor="end">
          {format(high)}
        </text>
        {x(middle) > 70 && x(middle) < WIDTH - 70 && (
          <text x={x(middle)} y={HEIGHT + 15} textAnchor="middle">
            {format(middle)}
          </text>
        )}
      </svg>
      <details className="small">
        <summary>as a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">from</th>
              <th scope="col">to</th>
              <th scope="col">count</th>
            </tr>
          </thead>
          <tbody>
            {bins
              .filter(({ count }) => count > 0)
              .map(({ from, to, count }) => (
                <tr key={from}>
                  <td>{format(from)}</td>
                  <td>{format(to)}</td>
                  <td>{formatCount(count)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
