/** The run slice: the append-only log and the state folded from it. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { isLogged, type RunEvent } from '../train/protocol.ts';
import type { ErrorReport } from '../units.ts';
import { foldEvents } from './fold.ts';
import { EMPTY_RUN, type RunState } from './run_state.ts';

export interface RunStore extends StoreApi<RunState> {
  /** Folds events in order. Call it with batches: listeners hear once per call. */
  readonly apply: (events: readonly RunEvent[]) => void;
  /** Shows an error of the page itself; what was recorded stays. */
  readonly report: (report: ErrorReport) => void;
  readonly dismissFailure: () => void;
  /** Empties the run and its log; what the engine said in `ready` stays. */
  readonly clear: () => void;
  /** Every event of the current run, in order; what belongs to the session excepted. */
  readonly log: () => readonly RunEvent[];
}

export function createRunStore(): RunStore {
  const store = createStore<RunState>(() => EMPTY_RUN);
  let log: RunEvent[] = [];
  const record = (event: RunEvent): void => {
    if (event.kind === 'run-started') log = [];
    if (isLogged(event)) log.push(event);
  };
  return {
    ...store,
    apply(events) {
      events.forEach(record);
      store.setState(foldEvents(store.getState(), events), true);
    },
    report: (failure) => store.setState({ failure }),
    dismissFailure: () => store.setState({ failure: null }),
    clear() {
      log = [];
      store.setState({ ...EMPTY_RUN, ready: store.getState().ready }, true);
    },
    log: () => log,
  };
}
