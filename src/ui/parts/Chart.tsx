/** A curve over updates: what it is of with its values at one update, and its plot, which is fetched when the first is drawn. */
import { LazyPart } from './Boundary.tsx';
import { formatIn, readingAt, type ChartProps, type Curve } from './curve_data.ts';
import { Label } from './Term.tsx';

interface ReadoutProps {
  readonly curve: Curve;
  readonly at: number; // update
  readonly named?: boolean; // the heading says that values are of this update: one of another says so itself
}

export function Readout({ curve, at, named = false }: ReadoutProps) {
  return (
    <figcaption title={curve.meaning}>
      <span className="heading">
        <Label>{curve.title}</Label>
        {curve.unit === 'nats' ? ', nats' : ''}
      </span>
      {curve.series.map(({ label, style, values }) => {
        const reading = readingAt(values, at);
        return (
          <span key={label} className="readout small">
            <svg viewBox="0 0 18 8" width="18" height="8" aria-hidden="true" data-style={style}>
              {style === 'points' ? <circle cx="9" cy="4" r="3" /> : <path d="M0 4H18" />}
            </svg>
            <Label>{label}</Label> <b className="number">{formatIn(curve.unit, reading?.value ?? null)}</b>
            {named && reading && reading.update !== at && ` at update ${reading.update}`}
          </span>
        );
      })}
    </figcaption>
  );
}

const loadPlot = () => import('./Plot.tsx');

export const Chart = (props: ChartProps) => <LazyPart name="The curve" load={loadPlot} props={props} />;
