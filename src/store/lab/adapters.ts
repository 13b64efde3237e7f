/**
 * Which of the machine's adapters the page computes on, and the way to the other. A run that goes on there is a run of its
 * own: adapters round differently, and a run's name stands for its bits.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { AdapterChoice, PageEvent } from '../../protocol/protocol.ts';
import type { Ask } from '../../train/inspect/index.ts';
import type { ErrorReport } from '../../units.ts';
import { failureOf } from '../ask/inspection.ts';
import type { RunStore } from '../record/run.ts';
import type { Shelf } from '../record/shelf.ts';
import type { Kept } from './kept.ts';
import type { Transport } from './transport.ts';

export type { AdapterDescription } from '../../protocol/protocol.ts';

/** What this browser remembers: the kind of adapter that engines are started with. */
export interface AdapterMemory {
  readonly get: () => GPUPowerPreference;
  readonly set: (wanted: GPUPowerPreference) => void;
}

export interface AdaptersState {
  readonly choice: AdapterChoice | null; // null: no engine has said yet
  /** The run on its way to the other adapter, which waits for the end of an update. */
  readonly moving: boolean;
}

/** What becomes of the live run: it goes on there, is put aside where it waits, or there is none that could go on. */
export type LiveThere = 'goes-on' | 'starts' | 'stays-behind' | 'none';

export interface Adapters extends StoreApi<AdaptersState> {
  /** Events of the engine, after the transport has them. */
  readonly hearEngine: (events: readonly PageEvent[]) => void;
  readonly liveThere: () => LiveThere;
  /** Starts the engine on an adapter of this kind, from now on and after a reload too. */
  readonly use: (wanted: GPUPowerPreference) => Promise<void>;
}

export interface AdaptersParts {
  readonly memory: AdapterMemory;
  readonly ask: Ask;
  readonly live: RunStore;
  readonly transport: Transport;
  readonly shelf: Shelf;
  readonly kept: Pick<Kept, 'setState'>;
  /** Shows a person what went wrong. */
  readonly report: (failure: ErrorReport) => void;
}

/** For a page that remembers nothing. */
export const noAdapterMemory = (): AdapterMemory => {
  let wanted: GPUPowerPreference = 'high-performance';
  return { get: () => wanted, set: (next) => void (wanted = next) };
};

export function createAdapters(parts: AdaptersParts): Adapters {
  const { memory, ask, live, transport, shelf, kept, report } = parts;
  const store = createStore<AdaptersState>(() => ({ choice: null, moving: false }));

  const liveThere = (): LiveThere => {
    const { asked, source } = transport.getState();
    const { status, updates } = live.getState();
    if (!asked || status === 'finished' || status === 'failed') return 'none';
    if (source !== 'live') return 'stays-behind';
    return updates.length > 0 ? 'goes-on' : 'starts';
  };

  const start = (wanted: GPUPowerPreference): void => {
    memory.set(wanted);
    store.setState({ choice: null });
    transport.restartEngine();
  };

  const recorded = (update: number): Promise<void> =>
    new Promise((resolve) => {
      const isThere = (): boolean => live.getState().updates[update - 1]?.ended === true;
      if (isThere()) return resolve();
      const unsubscribe = live.subscribe(() => {
        if (!isThere()) return;
        unsubscribe();
        resolve();
      });
    });

  /** Takes the run with it, from the end of the update that it stands at or is in. */
  const move = async (wanted: GPUPowerPreference): Promise<void> => {
    const { header, status, update: at } = live.getState();
    if (!header?.config) return;
    if (!transport.standsAfter(at)) transport.stepUpdate();
    const { update, bytes } = await ask({ kind: 'save-checkpoint' });
    await recorded(update);
    if (update === header.config.updates) return start(wanted); // that was its last
    shelf.keep(live);
    start(wanted);
    transport.fork(
      { run: header.date, config: header.config, after: update, checkpoint: bytes },
      status === 'running',
    );
    kept.setState({ returned: { why: 'adapter', update, cause: null } });
  };

  return {
    ...store,
    hearEngine(events) {
      if (!events.some(({ kind }) => kind === 'ready')) return;
      ask({ kind: 'adapters' }).then(
        (choice) => store.setState({ choice }),
        () => undefined, // the engine ended: the next one is asked
      );
    },
    liveThere,
    async use(wanted) {
      const there = liveThere();
      const plays = live.getState().status === 'running';
      if (there !== 'goes-on') {
        start(wanted);
        if (there === 'starts' && plays) transport.play();
        else if (there === 'starts') transport.reset();
        return;
      }
      store.setState({ moving: true });
      try {
        await move(wanted);
      } catch (error) {
        const failure = failureOf(error, new AbortController().signal);
        if (failure) report(failure);
      } finally {
        store.setState({ moving: false });
      }
    },
  };
}
