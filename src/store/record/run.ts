/** The run slice: the log and the state folded from it, within bounded memory. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { isLogged, type EngineEvent, type RunEvent } from '../../protocol/protocol.ts';
import type { ErrorReport } from '../../units.ts';
import { EventLog, type Detail, type EventCodec } from './event_log.ts';
import { condense, foldEvents } from './fold.ts';
import { EMPTY_RUN, type RunState, type UpdateState } from './run_state.ts';

export interface RunStore extends StoreApi<RunState> {
  /** Folds events in order. Call it with batches: listeners hear once per call. */
  readonly apply: (events: readonly EngineEvent[]) => void;
  /** Shows an error of the page itself; what was recorded stays. */
  readonly report: (report: ErrorReport) => void;
  readonly dismissFailure: () => void;
  /** Puts an alarm away for as long as its trouble lasts. */
  readonly dismissAlarm: (id: string) => void;
  /** Empties the run and its log; what the engine said in `ready` stays. */
  readonly clear: () => void;
  /**
   * Updates that are looked at: their trees and loss rows stay, or are read back, until others are wanted. Resolves
   * when they are there.
   */
  readonly want: (updates: readonly number[]) => Promise<void>;
  /** Every event of the current run, in order; what belongs to the session excepted. Old updates are read back. */
  readonly log: () => AsyncGenerator<RunEvent, void>;
  /** The events of one update, 0 for those before the first; null where they are not at hand any more, or never were. */
  readonly eventsOf: (update: number) => Promise<readonly RunEvent[] | null>;
  /** Puts other events in the place of an update's: what a person changed of a file's trees. */
  readonly rewrite: (update: number, events: readonly RunEvent[]) => void;
  /** Bytes of the events at hand (about), and of the compressed ones. */
  readonly logSize: () => { readonly kept: number; readonly archived: number };
  /** Resolves when old updates have been let go. */
  readonly settled: () => Promise<void>;
  /** The record as it is now; what comes later is in this one alone. */
  readonly copy: () => RunStore;
  /** What the record holds, for another to begin as. */
  readonly contents: () => RunContents;
  /** Holds what another does, at once; what the engine said in `ready` stays. */
  readonly become: (contents: RunContents) => void;
}

export interface RunContents {
  readonly state: RunState;
  readonly log: EventLog;
}

export interface RunStoreOptions {
  readonly codec?: EventCodec | null; // null: old updates are lost
  readonly keptBytes?: number;
}

const KEPT_BYTES = 128 * 2 ** 20; // about a hundred updates of the instant preset

/** @param source the record that this one begins as; absent: an empty one */
export function createRunStore(options: RunStoreOptions = {}, source?: RunContents): RunStore {
  const { codec = null, keptBytes = KEPT_BYTES } = options;
  const store = createStore<RunState>(() => source?.state ?? EMPTY_RUN);
  let wanted: readonly number[] = [];

  const replace = (number: number, change: (update: UpdateState) => UpdateState): void => {
    const { updates } = store.getState();
    const update = updates[number - 1];
    const next = update && change(update);
    if (next && next !== update) store.setState({ updates: updates.with(number - 1, next) });
  };
  const held = new Set<number>(); // archived, yet at hand because they are wanted
  const release = (update: number, detail: Detail): void => {
    if (detail === 'archived' && wanted.includes(update)) held.add(update);
    else replace(update, (state) => condense(state, detail));
  };
  const logOptions = { codec, keptBytes, onRelease: release };
  let log = source?.log.copy(logOptions) ?? new EventLog(logOptions);
  const recall = async (update: number): Promise<void> => {
    const before = store.getState();
    if (before.updates[update - 1]?.detail !== 'archived') return;
    const events = await log.eventsOf(update);
    const now = store.getState();
    if (!events || !wanted.includes(update) || now.header !== before.header) return;
    const read = foldEvents(EMPTY_RUN, events).updates[update - 1];
    held.add(update);
    replace(update, (state) => (state.detail === 'archived' && read ? read : state));
  };
  const forget = (): void => {
    log.clear();
    held.clear();
  };

  return {
    ...store,
    apply(events) {
      for (const event of events) {
        if (event.kind === 'run-started') forget();
        if (isLogged(event)) log.append(event);
      }
      store.setState(foldEvents(store.getState(), events), true);
      void log.settle();
    },
    report: (failure) => store.setState({ failure }),
    dismissFailure: () => store.setState({ failure: null }),
    dismissAlarm: (id) =>
      store.setState(({ dismissedAlarms }) => ({ dismissedAlarms: [...dismissedAlarms, id] })),
    clear() {
      forget();
      store.setState({ ...EMPTY_RUN, ready: store.getState().ready }, true);
    },
    async want(updates) {
      for (const update of held)
        if (!updates.includes(update)) {
          held.delete(update);
          replace(update, (state) => condense(state, 'archived'));
        }
      wanted = updates;
      for (const update of updates) await recall(update);
    },
    log: () => log.events(),
    eventsOf: (update) => log.eventsOf(update),
    rewrite(update, events) {
      log.rewrite(update, events);
      const folded = foldEvents(EMPTY_RUN, events).updates[update - 1];
      if (folded) replace(update, () => folded);
    },
    logSize: () => log.size,
    settled: () => log.settle(),
    copy: () => createRunStore(options, { state: store.getState(), log }),
    contents: () => ({ state: store.getState(), log }),
    become({ state, log: other }) {
      forget();
      log = other.copy(logOptions);
      store.setState({ ...state, ready: store.getState().ready }, true);
    },
  };
}

/** The record on screen, whichever it is. Who reads and hears it reads and hears the one that is shown. */
export interface Screen extends RunStore {
  readonly show: (record: RunStore) => void;
  readonly shown: () => RunStore;
}

export function createScreen(first: RunStore): Screen {
  let current = first;
  const listeners = new Set<(state: RunState, before: RunState) => void>();
  const tell = (state: RunState, before: RunState): void => listeners.forEach((hear) => hear(state, before));
  let leave = current.subscribe(tell);
  return {
    shown: () => current,
    show(record) {
      if (record === current) return;
      const before = current.getState();
      leave();
      current = record;
      leave = current.subscribe(tell);
      tell(current.getState(), before);
    },
    subscribe(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
    getState: () => current.getState(),
    getInitialState: () => first.getInitialState(),
    setState: (change: RunState | Partial<RunState> | ((state: RunState) => RunState | Partial<RunState>)) =>
      current.setState(change),
    apply: (events) => current.apply(events),
    report: (report) => current.report(report),
    dismissFailure: () => current.dismissFailure(),
    dismissAlarm: (id) => current.dismissAlarm(id),
    clear: () => current.clear(),
    want: (updates) => current.want(updates),
    log: () => current.log(),
    eventsOf: (update) => current.eventsOf(update),
    rewrite: (update, events) => current.rewrite(update, events),
    logSize: () => current.logSize(),
    settled: () => current.settled(),
    copy: () => current.copy(),
    contents: () => current.contents(),
    become: (contents) => current.become(contents),
  };
}
