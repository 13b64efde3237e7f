/**
 * Records by id: a run kept as it stood, a recording from a file. Engine, player and file feed records of one kind; any of
 * them may be on screen, and any two may be compared.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { countWords, editSuffix, LabError, type ErrorReport } from '../../units.ts';
import { methodTitle } from '../lab/knobs.ts';
import { readRecord, type ReadRecording } from './read_record.ts';
import { createRunStore, type RunStore } from './run.ts';
import type { RunState } from './run_state.ts';

export interface KeptRun {
  readonly id: number;
  readonly title: string; // method, preset, seed, updates
  readonly origin: 'kept' | 'file';
  readonly file: string | null; // its name, where it was read from one
  readonly run: RunState; // as it was kept or read
  readonly record: RunStore;
}

/** A file being read. */
export interface Reading {
  readonly name: string;
  readonly share: number; // of its bytes, [0, 1]
  readonly events: number;
}

export interface ShelfState {
  readonly runs: readonly KeptRun[];
  readonly compared: readonly number[]; // ids, beside the run on screen; none: all
  readonly reading: Reading | null;
  readonly failure: ErrorReport | null;
}

export interface Shelf extends StoreApi<ShelfState> {
  /** Keeps a record as it is now; what it does later leaves the kept one alone. @returns its id; null of an empty record */
  readonly keep: (record: RunStore) => number | null;
  /** Which are compared with the run on screen. */
  readonly compare: (ids: readonly number[]) => void;
  /**
   * Reads a recording and keeps its run; of a file that breaks off, what came before, with `failure` set. The file that
   * was being read is left.
   * @returns the run; null where the file holds none, which `failure` says
   */
  readonly open: (file: Blob & { readonly name: string }) => Promise<KeptRun | null>;
  /** Leaves the file being read; nothing of it is kept. */
  readonly cancel: () => void;
  readonly remove: (id: number) => void;
  readonly dismiss: () => void;
}

export function titleOf({ header, updates }: RunState): string {
  if (!header) return 'no run';
  const { config, origin } = header;
  const count = countWords(updates.length, 'update');
  if (origin.kind === 'example') return 'an example';
  if (!config)
    return `${origin.kind === 'imported' ? `${origin.file} (${origin.format})` : 'a run'}, ${count}`;
  const { algorithm, preset, seed } = config;
  const fork = origin.kind === 'forked' ? `, forked after update ${origin.update}` : '';
  return `${methodTitle(algorithm.name)}${editSuffix(config)}, ${preset}, seed ${seed}, ${count}${fork}`;
}

const noRun = (name: string): ErrorReport => ({
  what: 'The file holds no run',
  where: name,
  got: 'no run-started event',
  wanted: 'a recording',
  next: 'Choose a file written by npm run lab -- --record run.ndjson.gz.',
});

/** @param empty makes a record with nothing in it */
export function createShelf(read: ReadRecording, empty: () => RunStore = createRunStore): Shelf {
  const store = createStore<ShelfState>(() => ({ runs: [], compared: [], reading: null, failure: null }));
  let nextId = 1;
  const add = (record: RunStore, file: string | null): KeptRun => {
    const run = record.getState();
    const origin = file === null ? ('kept' as const) : ('file' as const);
    const kept = { id: nextId++, title: titleOf(run), origin, file, run, record };
    store.setState(({ runs }) => ({ runs: [...runs, kept] }));
    return kept;
  };
  let abort = new AbortController();
  const follow = ({ name, size }: Blob & { readonly name: string }, signal: AbortSignal) => ({
    signal,
    onProgress: ({ bytes, events }: { readonly bytes: number; readonly events: number }): void =>
      store.setState({ reading: { name, share: size === 0 ? 1 : bytes / size, events } }),
  });
  return {
    ...store,
    keep: (record) => (record.getState().header ? add(record.copy(), null).id : null),
    compare: (compared) => store.setState({ compared }),
    async open(file) {
      abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      store.setState({ reading: { name: file.name, share: 0, events: 0 }, failure: null });
      try {
        const { record, failure } = await readRecord(read(file, follow(file, signal)), empty(), signal);
        signal.throwIfAborted();
        const hasRun = record.getState().header !== null;
        store.setState({ failure: failure ?? (hasRun ? null : noRun(file.name)) });
        return hasRun ? add(record, file.name) : null;
      } catch (error) {
        if (signal.aborted) return null; // the person's wish; another file may be under way
        const failure =
          error instanceof LabError ? error.report : { ...noRun(file.name), got: String(error) };
        store.setState({ failure });
        return null;
      } finally {
        if (!signal.aborted) store.setState({ reading: null });
      }
    },
    cancel() {
      abort.abort();
      store.setState({ reading: null });
    },
    remove: (id) =>
      store.setState(({ runs, compared }) => ({
        runs: runs.filter((run) => run.id !== id),
        compared: compared.filter((each) => each !== id),
      })),
    dismiss: () => store.setState({ failure: null }),
  };
}
