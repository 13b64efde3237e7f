/** Runs kept beside the one on screen, to compare with: the run as it stands, or a recording from a file. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { RunEvent } from '../train/protocol.ts';
import { editSuffix, LabError, type ErrorReport } from '../units.ts';
import { foldEvents } from './fold.ts';
import { methodTitle } from './methods.ts';
import { EMPTY_RUN, type RunState } from './run_state.ts';

export interface KeptRun {
  readonly id: number;
  readonly title: string; // method, preset, seed, updates
  readonly origin: 'kept' | 'file';
  readonly run: RunState;
}

export interface ShelfState {
  readonly runs: readonly KeptRun[];
  readonly reading: string | null; // name of the file being read
  readonly failure: ErrorReport | null;
}

/** Reads a recording: a stream of bytes to events. The page injects train/recording.ts. */
export type ReadRecording = (bytes: ReadableStream<Uint8Array<ArrayBuffer>>) => AsyncIterable<RunEvent>;

export interface Shelf extends StoreApi<ShelfState> {
  /** Keeps a run as it is now; what it does later leaves the kept one alone. */
  readonly keep: (run: RunState) => void;
  readonly open: (file: Blob & { readonly name: string }) => Promise<void>;
  readonly remove: (id: number) => void;
  readonly dismiss: () => void;
}

const EVENTS_AT_ONCE = 512;
const PAUSE_MS = 0; // lets the page draw between two pieces of a large file

export function titleOf({ header, updates }: RunState): string {
  if (!header) return 'no run';
  const { algorithm, preset, seed } = header.config;
  return `${methodTitle(algorithm.name)}${editSuffix(header.config)}, ${preset}, seed ${seed}, ${updates.length} updates`;
}

const noRun = (name: string): ErrorReport => ({
  what: 'The file holds no run',
  where: name,
  got: 'no run-started event',
  wanted: 'a recording',
  next: 'Choose a file written by npm run lab -- --record run.ndjson.gz.',
});

export function createShelf(read: ReadRecording): Shelf {
  const store = createStore<ShelfState>(() => ({ runs: [], reading: null, failure: null }));
  let nextId = 1;
  const add = (run: RunState, origin: KeptRun['origin']): void => {
    const kept = { id: nextId++, title: titleOf(run), origin, run };
    store.setState(({ runs }) => ({ runs: [...runs, kept] }));
  };
  const readAll = async (file: Blob): Promise<RunState> => {
    let run = EMPTY_RUN;
    let waiting: RunEvent[] = [];
    for await (const event of read(file.stream())) {
      waiting.push(event);
      if (waiting.length < EVENTS_AT_ONCE) continue;
      run = foldEvents(run, waiting);
      waiting = [];
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return foldEvents(run, waiting);
  };
  return {
    ...store,
    keep: (run) => run.header && add(run, 'kept'),
    async open(file) {
      store.setState({ reading: file.name, failure: null });
      try {
        const run = await readAll(file);
        if (run.header) add(run, 'file');
        else store.setState({ failure: noRun(file.name) });
      } catch (error) {
        const failure =
          error instanceof LabError ? error.report : { ...noRun(file.name), got: String(error) };
        store.setState({ failure });
      } finally {
        store.setState({ reading: null });
      }
    },
    remove: (id) => store.setState(({ runs }) => ({ runs: runs.filter((run) => run.id !== id) })),
    dismiss: () => store.setState({ failure: null }),
  };
}
