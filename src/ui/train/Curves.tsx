/** Small multiples over updates, or the same numbers as a table. */
import { useMemo, useState } from 'react';
import { SaveDrawing } from '../drawing/SaveDrawing.tsx';
import { useRecipe, useLab, useRun, useSelection, useUpdateNumber } from '../parts/binding.ts';
import { Chart, Readout } from '../parts/Chart.tsx';
import { HeldOut } from './HeldOut.tsx';
import { curveData, formatIn, summarise, type CurveData } from '../parts/curve_data.ts';
import { Label } from '../parts/Term.tsx';

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

function CurveTable({ data }: { readonly data: CurveData }) {
  const columns = data.curves.flatMap((curve) => curve.series.map((series) => ({ curve, series })));
  return (
    <div className="curve-table" tabIndex={0} role="region" aria-label="Curves as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">
              <Label>update</Label>
            </th>
            {columns.map(({ curve, series }) => (
              <th key={curve.key + series.label} scope="col">
                <Label>{`${curve.title}, ${series.label}`}</Label>
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

export function Curves({ onStory }: { readonly onStory?: () => void }) {
  const data = useCurveData();
  const { selection } = useLab();
  const following = useSelection((state) => state.update === null);
  const shown = useUpdateNumber();
  const selected = following ? null : shown; // an update asked for that is still to come is not on screen
  const planned = useRecipe((config) => config.updates) ?? 0;
  const [hovered, setHovered] = useState<number | null>(null);
  const [asTable, setAsTable] = useState(false);
  const charts = data.curves.filter(({ onlyInTable }) => !onlyInTable);
  const named = hovered ?? selected;
  const at = named ?? data.x.length - 1;
  return (
    <section className="curves" aria-label="Curves">
      <div className="section-head">
        <h2>By update{named === null ? ' · latest values' : ` · values at update ${at}`}</h2>
        {onStory && (
          <button type="button" className="quiet small" onClick={onStory}>
            What happens here?
          </button>
        )}
        <HeldOut update={selected ?? data.x.length - 1} />
        <SaveDrawing
          name="curves"
          about={[`values at update ${at}`]}
          sheet={async (colour) =>
            (await import('../drawing/curve_sheet.ts')).curveSheet(
              'Curves',
              { ...data, curves: charts },
              at,
              planned,
              colour,
            )
          }
        />
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
          <figure key={curve.key} data-curve={curve.key} data-tall={index === 0}>
            <Readout curve={curve} at={at} named={named !== null} />
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
