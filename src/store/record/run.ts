/** The run slice: the log and the state folded from it, within bounded memory. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { isLogged, type EngineEvent, type RunEvent } from '../../protocol/protocol.ts';
import { tokenId, type ErrorReport, type TokenId } from '../../units.ts';
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
  /**
   * Where what the record does not hold of an update is read, by who has its files; what is wanted is read at once.
   * `rollouts` resolves with the whole update, or null where it is left, or cannot be read: that is said there.
   * @param changed makes what a person changed of an update's trees again
   */
  readonly readFrom: (rollouts: ReadUpdate, changed?: ChangeUpdate) => void;
  /** Every event of the current run, in order; what belongs to the session excepted. Old updates are read back. */
  readonly log: () => AsyncGenerator<RunEvent, void>;
  /** The events of one update, 0 for those before the first; null where they are not at hand any more, or never were. */
  readonly eventsOf: (update: number) => Promise<readonly RunEvent[] | null>;
  /** Puts other events in the place of an update's: what a person changed of a file's trees. Of one that was read back they go with it. */
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

/** An update by itself: its events count from 1, its token ids from 0. */
export interface UpdateAlone {
  readonly texts: readonly string[];
  readonly events: readonly RunEvent[];
}
/** Null at once where the person left it before. */
export type ReadUpdate = (update: number, signal: AbortSignal) => Promise<UpdateAlone | null> | null;

export type ChangeUpdate = (update: number, events: readonly RunEvent[]) => readonly RunEvent[];

export interface RunContents {
  readonly state: RunState;
  readonly log: EventLog;
}

export interface RunStoreOptions {
  readonly codec?: EventCodec | null; // null: old updates are lost
  readonly keptBytes?: number;
}

/** What is read back of an update, and how it stood before. */
interface Lent {
  before: UpdateState;
  readonly events: readonly RunEvent[];
  readonly textsEnd: number; // token ids of its own end here
}

/** An event of an update alone as one of this update, its token ids after those of the record. */
function placed(event: RunEvent, update: number, first: number): RunEvent {
  const after = (tokens: readonly TokenId[]): readonly TokenId[] => tokens.map((id) => tokenId(id + first));
  if (event.kind === 'update-started')
    return {
      ...{ kind: event.kind, update },
      prompts: event.prompts.map((prompt) => ({
        ...prompt,
        tokens: after(prompt.tokens),
        answer: prompt.answer && after(prompt.answer),
      })),
    };
  if (event.kind === 'node') return { ...event, update, node: { ...event.node, tokens: after(event.node.tokens) } }; // prettier-ignore
  return 'update' in event ? { ...event, update } : event;
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
  const lent = new Map<number, Lent>(); // read from a file, until others are wanted
  const release = (update: number, detail: Detail): void => {
    const read = lent.get(update);
    if (read) read.before = condense(read.before, detail);
    else if (detail === 'archived' && wanted.includes(update)) held.add(update);
    else replace(update, (state) => condense(state, detail));
  };
  const logOptions = { codec, keptBytes, onRelease: release };
  let log = source?.log.copy(logOptions) ?? new EventLog(logOptions);
  let readUpdate: ReadUpdate | null = null;
  let changeUpdate: ChangeUpdate = (_, events) => events;
  let ownTexts = 0; // of the record, before what was read
  const underWay = new Map<number, { readonly abort: AbortController; readonly done: Promise<void> }>();
  const give = (update: number): void => {
    const { before } = lent.get(update)!;
    lent.delete(update);
    const end = Math.max(ownTexts, ...[...lent.values()].map(({ textsEnd }) => textsEnd));
    replace(update, () => before);
    store.setState(({ texts }) => ({ texts: texts.slice(0, end) }));
  };
  const take = (update: number, read: UpdateAlone | null): void => {
    const { updates, texts } = store.getState();
    const known = updates[update - 1];
    if (!read || !known?.elsewhere) return;
    const own = read.events.map((event) => placed(event, update, texts.length));
    const events = changeUpdate(update, own);
    const whole = foldEvents(EMPTY_RUN, events).updates[update - 1];
    const textsEnd = texts.length + read.texts.length;
    if (lent.size === 0) ownTexts = texts.length;
    lent.set(update, { before: known, events, textsEnd });
    store.setState({
      texts: [...texts, ...read.texts],
      updates: updates.with(update - 1, { ...whole, readBack: true }),
    });
  };
  const lend = async (update: number): Promise<void> => {
    const before = underWay.get(update);
    if (before) return before.done;
    const isMissing =
      wanted.includes(update) && store.getState().updates[update - 1]?.elsewhere !== undefined;
    const abort = new AbortController();
    const reading = isMissing ? readUpdate?.(update, abort.signal) : null;
    if (!reading) return;
    const done = reading.then((read) => {
      if (underWay.get(update)?.abort !== abort) return; // others are wanted
      underWay.delete(update);
      take(update, read);
    });
    underWay.set(update, { abort, done });
    return done;
  };
  const recall = async (update: number): Promise<void> => {
    const before = store.getState();
    if (before.updates[update - 1]?.detail !== 'archived') return lend(update);
    const events = await log.eventsOf(update);
    const now = store.getState();
    if (!events || !wanted.includes(update) || now.header !== before.header) return;
    const read = foldEvents(EMPTY_RUN, events).updates[update - 1];
    held.add(update);
    replace(update, (state) => (state.detail === 'archived' && read ? read : state));
    await lend(update);
  };
  /** One after another: a person sees and leaves the one under way. */
  const recallWanted = async (): Promise<void> => {
    for (const update of wanted) await recall(update);
  };
  const forget = (): void => {
    log.clear();
    held.clear();
    lent.clear();
    readUpdate = null;
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
      for (const update of lent.keys()) if (!updates.includes(update)) give(update);
      for (const [update, { abort }] of underWay)
        if (!updates.includes(update)) {
          underWay.delete(update);
          abort.abort();
        }
      wanted = updates;
      await recallWanted();
    },
    readFrom(rollouts, changed = (_, events) => events) {
      readUpdate = rollouts;
      changeUpdate = changed;
      void recallWanted();
    },
    log: () => log.events(),
    eventsOf: (update) => {
      const read = lent.get(update);
      return read ? Promise.resolve(read.events) : log.eventsOf(update);
    },
    rewrite(update, events) {
      const read = lent.get(update);
      if (read) lent.set(update, { ...read, events });
      else log.rewrite(update, events);
      const folded = foldEvents(EMPTY_RUN, events).updates[update - 1];
      if (folded) replace(update, () => ({ ...folded, ...(read && { readBack: true }) }));
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
    readFrom: (rollouts, changed) => current.readFrom(rollouts, changed),
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
