/** Runs side by side: what differs in their settings, what changed first, aligned curves, one prompt's tree under each. */
import { creditRulesOf } from '../../store/credit/credit.ts';
import { recipeOf } from '../../store/record/reading.ts';
import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { worthOf } from '../../store/credit/advantage_range.ts';
import { whatChangedFirst, whatDiffers } from '../../store/record/run_difference.ts';
import type { RunState } from '../../store/record/run_state.ts';
import { titleOf, type KeptRun, type Reading } from '../../store/record/shelf.ts';
import { advantageExtent, drawAdvantage } from '../drawing/encodings.ts';
import { SaveDrawing } from '../drawing/SaveDrawing.tsx';
import { TreeDrawing } from '../drawing/TreeDrawing.tsx';
import { useLab, useRun, useSelection } from '../parts/binding.ts';
import { Boundary } from '../parts/Boundary.tsx';
import { Chart, Readout } from '../parts/Chart.tsx';
import { newestUpdate, summarise } from '../parts/curve_data.ts';
import { formatCount } from '../parts/format.ts';
import { OpenButton } from '../runs/Files.tsx';
import { RUN_STYLES, runCurves, type ComparedRun } from './run_curves.ts';
import { WhatChanged } from './WhatChanged.tsx';

const LETTERS = ['A', 'B', 'C', 'D'] as const;

/** Recomputed when an update of the run on screen closes, not with every node. */
function useClosedRun(): RunState {
  const { run } = useLab();
  const closed = useRun((state) => state.updates.findLast((update) => update.metrics)?.metrics);
  const evaluations = useRun((state) => state.evaluations);
  const header = useRun((state) => state.header);
  return useMemo(() => {
    void [closed, evaluations, header]; // what the snapshot depends on
    return run.getState();
  }, [run, closed, evaluations, header]);
}

/** The file under way: how much of it is read, and a way to leave it. */
function BeingRead({ reading: { name, share, events } }: { readonly reading: Reading }) {
  const { shelf } = useLab();
  return (
    <span className="being-read">
      <span role="status">reading {name} …</span>
      <progress value={share} aria-label={`Share of ${name} that is read`} />
      <span className="number small soft">
        {formatCount(events)} {events === 1 ? 'event' : 'events'}
      </span>
      <button type="button" className="small" onClick={shelf.cancel}>
        Cancel
      </button>
    </span>
  );
}

function Shelf() {
  const { shelf, run, transport, files } = useLab();
  const runs = useStore(shelf, (state) => state.runs);
  const reading = useStore(shelf, (state) => state.reading);
  const failure = useStore(shelf, (state) => state.failure);
  const hasRun = useRun((state) => state.updates.length > 0);
  return (
    <section className="shelf" aria-label="Kept runs">
      <div className="bar">
        <button type="button" disabled={!hasRun} onClick={() => shelf.keep(run)}>
          Keep the run on screen
        </button>
        <OpenButton accept=".turnwise,.gz,.ndjson" onFile={(file) => void files.open(file, 'beside')}>
          Open a run beside it
        </OpenButton>
        {reading && <BeingRead reading={reading} />}
      </div>
      {failure && (
        <p role="alert" className="error-line">
          <b>{failure.what}</b> ({failure.where}): got {failure.got}, wanted {failure.wanted}. {failure.next}{' '}
          <button type="button" className="small" onClick={shelf.dismiss}>
            Dismiss
          </button>
        </p>
      )}
      {runs.length === 0 ? (
        <p className="small soft">
          Keep the run on screen, then choose another method under Settings (Train) with the same seed and
          press “Restart with this”: both stand here side by side. Or open a run from a file (npm run lab --
          --record run.turnwise).
        </p>
      ) : (
        <ul>
          {runs.map((kept) => (
            <li key={kept.id}>
              {kept.title} <span className="soft">({kept.origin === 'file' ? 'from a file' : 'kept'})</span>{' '}
              <button type="button" className="small" onClick={() => shelf.compare([kept.id])}>
                Compare
              </button>{' '}
              <button
                type="button"
                className="small"
                aria-label={`Show ${kept.title}`}
                onClick={() => transport.show(kept.record)}
              >
                Show
              </button>{' '}
              <button
                type="button"
                className="small quiet"
                aria-label={`Remove ${kept.title}`}
                onClick={() => shelf.remove(kept.id)}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Whether a difference between two of the runs says more than chance: the answer of an experiment that they are of. */
function Certainty({ dates }: { readonly dates: readonly string[] }) {
  const { experiments } = useLab();
  const [sentence, setSentence] = useState<string | null>(null);
  const key = dates.join();
  useEffect(() => {
    let isShown = true;
    void Promise.all([experiments(), import('../../store/experiment/reading.ts')])
      .then(async ([store, { sayCertainty }]) => {
        await store.ready;
        if (isShown) setSentence(sayCertainty(store.getState().experiments, key.split(',')));
      })
      .catch(() => undefined); // what fetches them says so where they are asked for
    return () => {
      isShown = false;
    };
  }, [experiments, key]);
  return sentence === null ? null : (
    <p className="small" role="note" aria-label="How sure is it">
      {sentence}
    </p>
  );
}

function AlignedCurves({ runs }: { readonly runs: readonly ComparedRun[] }) {
  const { selection } = useLab();
  const chosen = useSelection(({ update }) => update);
  const data = useMemo(() => runCurves(runs), [runs]);
  const selected = chosen !== null && chosen < data.x.length ? chosen : null;
  const at = selected ?? newestUpdate(data);
  return (
    <section className="curves" aria-label="Aligned curves">
      <div className="section-head">
        <h2>By update · values at update {at}</h2>
        <SaveDrawing
          name="compared runs"
          about={[...runs.map(({ letter, title }) => `${letter}: ${title}`), `values at update ${at}`]}
          of={null}
          sheet={async (colour) =>
            (await import('../drawing/curve_sheet.ts')).curveSheet('Aligned curves', data, at, 0, colour)
          }
        />
      </div>
      {data.curves.map((curve, index) => (
        <figure key={curve.key} data-tall={index === 0}>
          <Readout curve={curve} at={at} named />
          <Chart
            curve={curve}
            x={data.x}
            xMax={data.x.length - 1}
            withX={index === data.curves.length - 1}
            selected={selected}
            summary={summarise(curve, data.x)}
            onPoint={() => undefined}
            onPick={(update) => update > 0 && selection.select({ update })}
          />
        </figure>
      ))}
    </section>
  );
}

/** The same update and prompt under each run. */
function Trees({ runs }: { readonly runs: readonly ComparedRun[] }) {
  const update = useSelection((selection) => selection.update);
  const prompt = useSelection((selection) => selection.prompt);
  const shared = Math.min(...runs.map(({ run }) => run.updates.length));
  const at = Math.min(update ?? shared, shared);
  return (
    <div className="compare-sides">
      {runs.map(({ letter, title, run }) => {
        const tree = run.updates[at - 1]?.trees[prompt];
        const own = creditRulesOf(run);
        const ranges =
          tree && own
            ? worthOf(tree, own, run.updates[at - 1].trees, recipeOf(run) !== null).advantages
            : null;
        const extent = advantageExtent(ranges);
        return (
          <figure key={letter} className="compare-side">
            <figcaption className="small">
              <b>{letter}</b> {title} <span className="soft">· update {at}, advantages</span>
            </figcaption>
            {tree ? (
              <TreeDrawing
                title={`Prompt ${prompt + 1} at update ${at}, run ${letter}`}
                caption="advantages"
                of={{ header: run.header, update: at }}
                tree={tree}
                nodes={tree.nodes}
                draw={(node) => drawAdvantage(node, ranges?.[node.id], extent)}
              />
            ) : (
              <p className="empty">This run has no such tree.</p>
            )}
          </figure>
        );
      })}
    </div>
  );
}

function Pair({ a, b }: { readonly a: ComparedRun; readonly b: ComparedRun }) {
  const ready = useRun((state) => state.ready);
  const settings = useMemo(() => whatDiffers(a.run, b.run, ready), [a, b, ready]);
  const changes = useMemo(() => whatChangedFirst(a.run, b.run), [a, b]);
  return <WhatChanged a={a} b={b} settings={settings} changes={changes} />;
}

export function CompareRuns() {
  const { shelf, run: screen } = useLab();
  const all = useStore(shelf, (state) => state.runs);
  const onScreen = screen.shown();
  const kept = useMemo(() => all.filter(({ record }) => record !== onScreen), [all, onScreen]);
  const shown = useStore(shelf, (state) => state.compared);
  const own = useClosedRun();
  const others: readonly KeptRun[] = kept.filter(({ id }) => shown.length === 0 || shown.includes(id));
  const runs = useMemo(
    () =>
      [{ title: titleOf(own), run: own }, ...others.map(({ title, run }) => ({ title, run }))]
        .filter(({ run }) => run.updates.length > 0)
        .slice(0, RUN_STYLES.length)
        .map((entry, index): ComparedRun => ({ ...entry, letter: LETTERS[index] })),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- others follows kept and shown
    [own, kept, shown],
  );
  const close = (
    <button type="button" onClick={() => others.forEach(({ id }) => shelf.remove(id))}>
      Close the compared {others.length === 1 ? 'run' : 'runs'}
    </button>
  );
  return (
    <div className="compare-runs">
      <Shelf />
      {runs.length > 1 && (
        <Boundary name="The comparison" resetKeys={[kept, shown]} ways={close}>
          <Pair a={runs[0]} b={runs[1]} />
          <Certainty dates={runs.map(({ run }) => run.header?.date ?? '')} />
          <Trees runs={runs.slice(0, 2)} />
          <AlignedCurves runs={runs} />
        </Boundary>
      )}
    </div>
  );
}
