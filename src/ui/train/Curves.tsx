/** Small multiples over updates, or the same numbers as a table. */
import { useMemo, useState } from 'react';
import { useLab, useRun, useSelection } from '../binding.ts';
import { Chart } from './Chart.tsx';
import { curveData, formatIn, summarise, valueAt, type Curve, type CurveData } from './curve_data.ts';

/** Recomputed when an update closes or an evaluation arrives, not with every node. */
function useCurveData(): CurveData {
  const { run } = useLab();
  const closed = useRun((state) => state.updates.findLast((update) => update.metrics)?.metrics);
  const evaluations = useRun((state) => state.evaluations);
  const header = useRun((state) => state.header);
  return useMemo(() => {
    void [closed, evaluations, header]; // what the data depends on
    return curveData(run.getState());
  }, [run, closed, evaluations, header]);
}

interface ReadoutProps {
  readonly curve: Curve;
  readonly at: number;
}

function Readout({ curve, at }: ReadoutProps) {
  return (
    <figcaption title={curve.meaning}>
      <span className="heading">
        {curve.title}
        {curve.unit === 'nats' ? ', nats' : ''}
      </span>
      {curve.series.map(({ label, style, values }) => (
        <span key={label} className="readout small">
          <svg viewBox="0 0 18 8" width="18" height="8" aria-hidden="true" data-style={style}>
            {style === 'points' ? <circle cx="9" cy="4" r="3" /> : <path d="M0 4H18" />}
          </svg>
          {label} <b className="number">{formatIn(curve.unit, valueAt(values, at))}</b>
        </span>
      ))}
    </figcaption>
  );
}

function CurveTable({ data }: { readonly data: CurveData }) {
  const columns = data.curves.flatMap((curve) => curve.series.map((series) => ({ curve, series })));
  return (
    <div className="curve-table" tabIndex={0} role="region" aria-label="Curves as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">update</th>
            {columns.map(({ curve, series }) => (
              <th key={curve.key + series.label} scope="col">
                {curve.title}, {series.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.x.map((update, index) => (
            <tr key={update}>
              <th scope="row">{update}</th>
              {columns.map(({ curve, series }) => (
                <td key={curve.key + series.label}>{formatIn(curve.unit, series.values[index])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Curves() {
  const data = useCurveData();
  const { selection } = useLab();
  const selected = useSelection((state) => state.update);
  const planned = useRun((state) => state.header?.config.updates ?? 0);
  const [hovered, setHovered] = useState<number | null>(null);
  const [asTable, setAsTable] = useState(false);
  const charts = data.curves.filter(({ onlyInTable }) => !onlyInTable);
  const at = hovered ?? selected ?? data.x.length - 1;
  return (
    <section className="curves" aria-label="Curves">
      <div className="section-head">
        <h2>
          By update{hovered !== null || selected !== null ? ` · values at update ${at}` : ' · latest values'}
        </h2>
        <button
          type="button"
          className="quiet small"
          aria-pressed={asTable}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? 'As curves' : 'As a table'}
        </button>
      </div>
      {asTable ? (
        <CurveTable data={data} />
      ) : (
        charts.map((curve, index) => (
          <figure key={curve.key} data-tall={index === 0}>
            <Readout curve={curve} at={at} />
            <Chart
              curve={curve}
              x={data.x}
              xMax={planned}
              withX={index === charts.length - 1}
              selected={selected}
              summary={summarise(curve, data.x)}
              onPoint={setHovered}
              onPick={(update) => update > 0 && selection.select({ update })}
            />
          </figure>
        ))
      )}
    </section>
  );
}
