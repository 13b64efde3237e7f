/** One curve for the last row: thick, with words that can be read there. */
import { useRef } from 'react';
import { formatIn, readingAt, type Curve, type Series } from '../parts/curve_data.ts';
import { useSize } from '../parts/use_size.ts';

interface FigureCurveProps {
  readonly curve: Curve;
  readonly at: number; // update that is marked
  readonly updates: number; // planned ones
}

/** Points that follow each other are joined. */
function linePath(
  values: Series,
  place: (update: number, value: number) => readonly [number, number],
): string {
  const points = values.flatMap((value, update) => (value === null ? [] : [place(update, value)]));
  return points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');
}

export function FigureCurve({ curve, at, updates }: FigureCurveProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(frame);
  const fontPx = Math.max(24, Math.round(width * 0.035));
  const [left, top, right, bottom] = [fontPx * 3.4, fontPx * 1.8, width - fontPx, height - fontPx * 1.8];
  const known = curve.series.flatMap(({ values }) => values.filter((value) => value !== null));
  const most = curve.top ?? Math.max(1e-9, ...known);
  const x = (update: number): number => left + ((right - left) * update) / Math.max(1, updates);
  const y = (value: number): number => bottom - ((bottom - top) * value) / most;
  const [line, ...others] = curve.series;
  const reading = readingAt(line.values, at);
  return (
    <div className="figure-curve" ref={frame}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={`${curve.title} by update`}
          fontSize={fontPx}
        >
          <text x={0} y={fontPx} fontWeight={600} fill="var(--ink)">
            {curve.title}
          </text>
          {[0, most / 2, most].map((value) => (
            <g key={value}>
              <line x1={left} x2={right} y1={y(value)} y2={y(value)} stroke="var(--line-strong)" />
              <text x={left - 8} y={y(value)} textAnchor="end" dominantBaseline="central" fill="var(--ink)">
                {formatIn(curve.unit, value)}
              </text>
            </g>
          ))}
          <text x={left} y={height - 6} fill="var(--ink)">
            update 0
          </text>
          <text x={right} y={height - 6} textAnchor="end" fill="var(--ink)">
            {updates}
          </text>
          <line x1={x(at)} x2={x(at)} y1={top} y2={bottom} stroke="var(--look)" strokeWidth={4} />
          {others.map(({ label, values }) =>
            values.map(
              (value, update) =>
                value !== null && (
                  <circle key={`${label} ${update}`} cx={x(update)} cy={y(value)} r={7} fill="var(--ink)" />
                ),
            ),
          )}
          <path
            d={linePath(line.values, (update, value) => [x(update), y(value)])}
            fill="none"
            stroke="var(--accent)"
            strokeWidth={5}
          />
          {reading && <circle cx={x(reading.update)} cy={y(reading.value)} r={9} fill="var(--accent)" />}
        </svg>
      )}
    </div>
  );
}
