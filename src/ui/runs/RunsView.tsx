/** The runs that this browser keeps: compared at a glance, gone on with, shown, named, saved and let go. */
import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import type { KeptEntry, StorageState } from '../../store/lab/kept.ts';
import { compareRecords } from '../../store/lab/side_by_side.ts';
import { LabError, type ErrorReport } from '../../units.ts';
import { useKept, useLab, useRun } from '../parts/binding.ts';
import { countWords } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { formatBytes } from '../profile/ProfileTable.tsx';
import { SaveAndOpen } from './Files.tsx';
import { Row, rowOfEntry, rowOfRecord, runTitle, type ShelfRow } from './RunRow.tsx';

// Columns and their order.

type Column = 'name' | 'score' | 'updates' | 'date' | 'adapter' | 'size' | 'kind';
interface Sorting {
  readonly by: Column;
  readonly descending: boolean;
}

const KEYS: Readonly<Record<Column, (row: ShelfRow) => string | number>> = {
  name: ({ title }) => title.toLowerCase(),
  score: ({ score }) => score ?? -1,
  updates: ({ update }) => update,
  date: ({ changed }) => changed,
  adapter: ({ adapter }) => adapter.toLowerCase(),
  size: ({ bytes }) => bytes ?? -1,
  kind: ({ kind }) => kind,
};

export function sortedRuns(rows: readonly ShelfRow[], { by, descending }: Sorting): readonly ShelfRow[] {
  const key = KEYS[by];
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)];
    return x === y ? 0 : x < y ? -sign : sign;
  });
}

interface HeadProps {
  readonly column: Column;
  readonly sorting: Sorting;
  readonly onSort: (sorting: Sorting) => void;
  readonly children: string;
}

/** Numbers and dates begin with the greatest, words with A. */
function Head({ column, sorting: { by, descending }, onSort, children }: HeadProps) {
  const isWords = column === 'name' || column === 'adapter' || column === 'kind';
  const isOwn = by === column;
  return (
    <th
      scope="col"
      data-words={isWords}
      aria-sort={isOwn ? (descending ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        className="quiet small"
        onClick={() => onSort({ by: column, descending: isOwn ? !descending : !isWords })}
      >
        <Label>{children}</Label> <span aria-hidden="true">{isOwn ? (descending ? '↓' : '↑') : ''}</span>
      </button>
    </th>
  );
}

// The room that this site has.

const NEARLY_FULL = 0.8; // of the quota
const OFFERED = 3;

function Storage({
  storage,
  oldest,
}: {
  readonly storage: StorageState;
  readonly oldest: readonly KeptEntry[];
}) {
  const { kept } = useLab();
  const ready = useRun((run) => run.ready);
  const { usage, quota, persisted } = storage;
  if (quota === 0) return null;
  const offered = usage > NEARLY_FULL * quota ? oldest.slice(0, OFFERED) : [];
  return (
    <>
      <div className="bar">
        <p>
          {formatBytes(usage)} of {formatBytes(quota)};{' '}
          {persisted ? 'the browser keeps it for good.' : 'the browser may remove it when room is short.'}
        </p>
        {!persisted && (
          <button type="button" className="small" onClick={() => void kept.persist()}>
            Keep it for good
          </button>
        )}
      </div>
      {offered.length > 0 && (
        <div className="bar" role="note" aria-label="Room is short">
          <p>Room is short. The oldest runs that are not pinned:</p>
          {offered.map((entry) => (
            <button
              key={entry.id}
              type="button"
              className="small"
              onClick={() => void kept.change(entry.id, { removed: new Date().toISOString() })}
            >
              Delete {runTitle(entry, ready)}, {formatBytes(entry.bytes)}
            </button>
          ))}
        </div>
      )}
    </>
  );
}

/** Runs that were deleted since the page was opened. */
function Deleted({ entries }: { readonly entries: readonly KeptEntry[] }) {
  const { kept } = useLab();
  const ready = useRun((run) => run.ready);
  return (
    <div role="status">
      {entries.map((entry) => (
        <p key={entry.id} className="runs-deleted">
          Deleted {runTitle(entry, ready)}. Its room is free when the page is opened again.
          <button
            type="button"
            className="small"
            onClick={() => void kept.change(entry.id, { removed: null })}
          >
            Undo
          </button>
        </p>
      ))}
    </div>
  );
}

const EMPTY =
  'Runs that you train live are written to this browser’s storage after every update and stand here; to keep one for good, or on another machine, save it to a file.';

/** Runs that are kept in this browser, files and runs in this tab, and the shipped recording. */
function useRows(): readonly ShelfRow[] {
  const { kept, shelf, recorded } = useLab();
  const entries = useKept((state) => state.entries);
  const ready = useRun((run) => run.ready);
  const runs = useStore(shelf, (state) => state.runs);
  const isThere = useStore(recorded, (state) => state.header !== null);
  const played = useStore(recorded, (state) => state.updates.findLast(({ ended }) => ended)?.update ?? 0);
  return useMemo(() => {
    void played; // what the shipped recording's row depends on
    const own = entries.filter(({ removed }) => removed === null).map((entry) => rowOfEntry(entry, ready, kept)); // prettier-ignore
    const others = runs
      .filter(({ record }) => kept.entryOf(record) === null)
      .map(
        ({ id, origin, record }) =>
      rowOfRecord(record, { key: `shelf ${id}`, kind: origin === 'file' ? 'file' : 'this tab', remove: () => shelf.remove(id) }, ready), // prettier-ignore
      );
    const shipped = { key: 'shipped', kind: 'shipped', remove: null } as const;
    return [...own, ...others, ...(isThere ? [rowOfRecord(recorded, shipped, ready)] : [])];
  }, [entries, runs, ready, isThere, played, kept, shelf, recorded]);
}

const MOST_COMPARED = 4;

/** Two to four rows that are chosen, side by side. */
function CompareChosen({ chosen }: { readonly chosen: readonly ShelfRow[] }) {
  const lab = useLab();
  const [refusal, setRefusal] = useState<string | null>(null);
  const compare = (): void => {
    Promise.all(chosen.map(({ load }) => load())).then(
      (records) => compareRecords(lab, records),
      (error: unknown) => setRefusal(error instanceof LabError ? `${error.report.what}. ${error.report.next}` : String(error)), // prettier-ignore
    );
  };
  const isOff = chosen.length < 2 || chosen.length > MOST_COMPARED;
  return (
    <div className="bar">
      <button type="button" disabled={isOff} onClick={compare}>
        What differs?
      </button>
      <p className="small soft" role="status">
        {chosen.length === 0
          ? 'Tick two to four runs to see what differs in their settings and numbers.'
          : `${countWords(chosen.length, 'run')} ticked${isOff ? '; two to four are compared' : ''}.`}
      </p>
      {refusal && <p role="alert">{refusal}</p>}
    </div>
  );
}

export function RunsView() {
  const { kept } = useLab();
  const entries = useKept((state) => state.entries);
  const storage = useKept((state) => state.storage);
  const current = useKept((state) => state.current);
  const rows = useRows();
  const [ticked, setTicked] = useState<readonly string[]>([]);
  const [sorting, setSorting] = useState<Sorting>({ by: 'date', descending: true });
  const [refusal, setRefusal] = useState<ErrorReport | null>(null);
  useEffect(() => {
    kept.refresh().then(
      () => setRefusal(null),
      (error: unknown) => setRefusal(error instanceof LabError ? error.report : null),
    );
  }, [kept]);
  const there = entries.filter(({ removed }) => removed === null);
  const removed = entries.filter((entry) => entry.removed !== null);
  const oldest = there
    .filter(({ id, pinned }) => !pinned && id !== current)
    .toSorted((a, b) => (a.changed < b.changed ? -1 : 1));
  const heads = { sorting, onSort: setSorting };
  return (
    <div className="view runs-view">
      {refusal && (
        <p role="alert">
          <strong>{refusal.what}.</strong> {refusal.next}
        </p>
      )}
      <SaveAndOpen />
      {storage && <Storage storage={storage} oldest={oldest} />}
      <Deleted entries={removed} />
      {there.length === 0 && <p className="empty">{EMPTY}</p>}
      {rows.length > 1 && <CompareChosen chosen={rows.filter(({ key }) => ticked.includes(key))} />}
      {rows.length > 0 && (
        <section className="panel runs-scroll" aria-label="Runs" tabIndex={0}>
          <table>
            <caption className="small soft">
              {countWords(rows.length, 'run')}, {there.length} of them kept in this browser.{' '}
              <Label>Held-out: best exact match, greedy.</Label>
            </caption>
            <thead>
              <tr>
                <Head column="name" {...heads}>
                  run
                </Head>
                <th scope="col">
                  <Label>exact match</Label>
                </th>
                <Head column="score" {...heads}>
                  held-out
                </Head>
                <Head column="updates" {...heads}>
                  updates
                </Head>
                <Head column="date" {...heads}>
                  last update
                </Head>
                <Head column="adapter" {...heads}>
                  adapter
                </Head>
                <Head column="size" {...heads}>
                  on disk
                </Head>
                <Head column="kind" {...heads}>
                  where
                </Head>
              </tr>
            </thead>
            <tbody>
              {sortedRuns(rows, sorting).map((row) => (
                <Row
                  key={row.key}
                  row={row}
                  isLive={row.entry !== null && row.key === current}
                  isChosen={ticked.includes(row.key)}
                  onChoose={(isChosen) =>
                    setTicked((keys) => [
                      ...keys.filter((key) => key !== row.key),
                      ...(isChosen ? [row.key] : []),
                    ])
                  }
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
