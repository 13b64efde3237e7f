/** The runs that this browser keeps: compared at a glance, gone on with, shown, named, saved and let go. */
import { useEffect, useState } from 'react';
import type { KeptEntry, StorageState } from '../../store/lab/kept.ts';
import type { RunState } from '../../store/record/run_state.ts';
import { LabError, type ErrorReport } from '../../units.ts';
import { useKept, useLab, useRun } from '../parts/binding.ts';
import { countWords } from '../parts/format.ts';
import { formatBytes } from '../profile/ProfileTable.tsx';
import { Row, adapterOf, runTitle } from './RunRow.tsx';

// Columns and their order.

type Column = 'name' | 'score' | 'updates' | 'date' | 'adapter' | 'size';
interface Sorting {
  readonly by: Column;
  readonly descending: boolean;
}

const keysOf = (ready: RunState['ready']): Record<Column, (entry: KeptEntry) => string | number> => ({
  name: (entry) => runTitle(entry, ready).toLowerCase(),
  score: ({ score }) => score ?? -1,
  updates: ({ update }) => update,
  date: ({ changed }) => changed,
  adapter: (entry) => adapterOf(entry).toLowerCase(),
  size: ({ bytes }) => bytes,
});

export function sortedRuns(
  entries: readonly KeptEntry[],
  { by, descending }: Sorting,
  ready: RunState['ready'],
): readonly KeptEntry[] {
  const key = keysOf(ready)[by];
  const sign = descending ? -1 : 1;
  return entries.toSorted((a, b) => {
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
  const isWords = column === 'name' || column === 'adapter';
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
        {children} <span aria-hidden="true">{isOwn ? (descending ? '↓' : '↑') : ''}</span>
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

export function RunsView() {
  const { kept } = useLab();
  const entries = useKept((state) => state.entries);
  const storage = useKept((state) => state.storage);
  const current = useKept((state) => state.current);
  const ready = useRun((run) => run.ready);
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
      {storage && <Storage storage={storage} oldest={oldest} />}
      <Deleted entries={removed} />
      {there.length === 0 ? (
        <p className="empty">{EMPTY}</p>
      ) : (
        <section className="panel runs-scroll" aria-label="Runs kept in this browser" tabIndex={0}>
          <table>
            <caption className="small soft">
              {countWords(there.length, 'run')} kept in this browser. Held-out: best exact match, greedy.
            </caption>
            <thead>
              <tr>
                <Head column="name" {...heads}>
                  run
                </Head>
                <th scope="col">exact match</th>
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
              </tr>
            </thead>
            <tbody>
              {sortedRuns(there, sorting, ready).map((entry) => (
                <Row
                  key={entry.id}
                  entry={entry}
                  title={runTitle(entry, ready)}
                  isLive={entry.id === current}
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
