/**
 * Where an address leads: its run is put on screen wherever it is here, in the tab, on the shelf or kept in this browser.
 * Where it is nowhere, the run at hand is shown at an address of its own, and it is said once what was asked for.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { RunEvent } from '../../protocol/protocol.ts';
import type { RunConfig } from '../../units.ts';
import { configOf, runName, sameRun, type RunName } from '../record/run_name.ts';
import type { RunStore, Screen } from '../record/run.ts';
import { INITIAL_SELECTION, type Selection, type SelectionStore } from '../place/selection.ts';
import type { Shelf } from '../record/shelf.ts';
import type { Kept } from './kept.ts';
import type { Transport } from './transport.ts';

/** A place in a run that is not here. */
export interface LostPlace {
  readonly sought: Selection & { readonly run: RunName };
  readonly shown: RunName | null; // in its place
}

export interface ArrivalState {
  readonly opening: RunName | null; // being looked for and read: nothing else is shown at its address
  readonly lost: LostPlace | null; // until it is dismissed, or a run is chosen
  /** The update of the recorded run that was asked for: read ahead of the others, of which a share of the bytes is read. */
  readonly ahead: { readonly update: number; readonly isHere: boolean; readonly share: number } | null;
}

export interface Arrival extends StoreApi<ArrivalState> {
  /** An update of the recorded run is asked for, and will be read ahead of the others. */
  readonly await: (update: number) => void;
  /** It is there: it is shown until the recording has come to it. */
  readonly readAhead: (events: readonly RunEvent[]) => void;
  /** @param share of the recording's bytes that is read; 1: all that there is */
  readonly progress: (share: number) => void;
  /** The lost run's recipe; null where it cannot be known here. */
  readonly recipe: () => RunConfig | null;
  /** Trains the lost run here, and shows its place when the training comes there. */
  readonly trainHere: () => void;
  readonly dismiss: () => void;
}

export interface ArrivalParts {
  readonly run: Screen;
  readonly recorded: RunStore;
  readonly live: RunStore;
  readonly selection: SelectionStore;
  readonly transport: Transport;
  readonly shelf: Shelf;
  readonly kept: Kept;
  readonly empty: () => RunStore;
}

const isOf = (record: RunStore, wanted: RunName): boolean => {
  const { header } = record.getState();
  return header !== null && sameRun(runName(header), wanted);
};

export function createArrival(parts: ArrivalParts): Arrival {
  const { run, recorded, live, selection, transport, shelf, kept, empty } = parts;
  const store = createStore<ArrivalState>(() => ({ opening: null, lost: null, ahead: null }));
  let missed: RunName | null = null; // looked for before any run was on screen, and not found

  /** Null where no record of this browser is of that run. */
  const find = async (wanted: RunName): Promise<RunStore | null> => {
    const atHand = [live, recorded, ...shelf.getState().runs.map(({ record }) => record)];
    const here = atHand.find((record) => isOf(record, wanted));
    if (here) return here;
    await kept.refresh().catch(() => undefined); // storage that is refused keeps no run
    const entry = kept
      .getState()
      .entries.find(({ removed, config, adapter, origin }) => !removed && sameRun(runName({ config, adapter, ...(origin && { origin, date: '' }) }), wanted)); // prettier-ignore
    return entry ? kept.load(entry.id) : null;
  };

  const showAt = (record: RunStore, sought: Selection): void => {
    if (record === live) transport.showLive();
    else transport.show(record);
    const { recipe } = selection.getState();
    selection.setState({ ...sought, recipe }, true);
  };

  /** The run at hand, at its newest update and at its own address. */
  const settle = (sought: LostPlace['sought']): void => {
    const { header } = run.getState();
    if (!header) return void (missed = sought.run);
    const { view, compared } = sought;
    const shown = runName(header);
    store.setState({ lost: { sought, shown } });
    selection.setState({ ...INITIAL_SELECTION, run: shown, view, compared, placed: true }, true);
  };

  const wanted = (): RunName | null => {
    const { run: sought } = selection.getState();
    return sought && !isOf(run.shown(), sought) ? sought : null;
  };

  const look = async (): Promise<void> => {
    const sought = wanted();
    if (!sought || store.getState().opening) return;
    if (!run.getState().header && missed && sameRun(missed, sought)) return;
    store.setState({ opening: sought });
    const record = await find(sought).catch(() => null); // a kept log that cannot be read is not here
    const now = wanted(); // the person may have gone elsewhere meanwhile
    store.setState({ opening: null });
    if (now && sameRun(now, sought)) {
      const place = selection.getState();
      if (record) showAt(record, place);
      else settle({ ...place, run: sought });
    } else void look();
  };
  selection.subscribe(() => void look());
  run.subscribe(({ header }, before) => {
    if (header === before.header) return;
    const { lost } = store.getState();
    if (lost?.shown && header && !sameRun(lost.shown, runName(header))) store.setState({ lost: null }); // another was chosen
    void look();
  });
  void look();

  /** The recorded run has come to what was read ahead of it. */
  const takeUp = (ahead: RunStore, update: number): void => {
    const stop = recorded.subscribe(({ updates }) => {
      if (!updates[update - 1]?.ended) return;
      stop();
      if (run.shown() === ahead) run.show(recorded);
    });
  };

  const recipe = (): RunConfig | null => {
    const { lost } = store.getState();
    return lost && configOf(run.getState(), lost.sought.run, lost.sought.recipe ?? []);
  };
  return {
    ...store,
    await: (update) => store.setState({ ahead: { update, isHere: false, share: 0 } }),
    readAhead(events) {
      const { ahead } = store.getState();
      if (!ahead || run.shown() !== recorded || recorded.getState().header) return;
      const record = empty();
      const { ready } = run.getState();
      if (ready) record.apply([ready]);
      record.apply(events.map((event) => event.kind === 'run-started' ? { ...event, resumedAfter: ahead.update - 1 } : event)); // prettier-ignore
      if (!record.getState().updates[ahead.update - 1]?.ended) return; // another version's file: wait for the whole
      takeUp(record, ahead.update);
      run.show(record);
      store.setState({ ahead: { ...ahead, isHere: true } });
    },
    progress(share) {
      const { ahead } = store.getState();
      if (ahead) store.setState({ ahead: share < 1 ? { ...ahead, share } : null });
    },
    recipe,
    trainHere() {
      const { lost } = store.getState();
      const config = recipe();
      if (!lost || !config) return;
      transport.setDraft(config);
      transport.restart();
      const { run: own } = selection.getState();
      selection.setState({ ...lost.sought, run: own }, true); // shown when the training comes there
      store.setState({ lost: null });
    },
    dismiss: () => store.setState({ lost: null }),
  };
}
