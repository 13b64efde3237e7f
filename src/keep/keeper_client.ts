/** The page's end of the keeper: starts its worker, joins the engine to it, asks it about kept runs. */
import { transfer, wrap } from 'comlink';
import type { Bytes } from '../files/members.ts';
import type { CheckpointChoice, OpenedBundle } from '../protocol/protocol.ts';
import { KeepError, type EntryChange, type KeeperNews, type KeptEntry, type StorageState } from './entry.ts';
import type { Answered, KeeperApi } from './keeper_worker.ts';

/** Calls reject with KeepError, whose report says what to do. */
export interface KeeperClient {
  /** A channel for one engine, to be handed to its worker. */
  join(): MessagePort;
  list(): Promise<readonly KeptEntry[]>;
  /** The log of a run, without an end line. */
  open(id: string): Promise<Blob>;
  /** Takes the run's log back to its newest checkpoint and returns that; null where there is none. */
  goOn(id: string, before?: number): Promise<{ readonly update: number; readonly bytes: Bytes } | null>;
  /** The nearest checkpoint after `update` or before; null where there is none. */
  checkpoint(id: string, update: number): Promise<{ readonly update: number; readonly bytes: Bytes } | null>;
  /** A kept run as one file. */
  bundle(id: string, choice: CheckpointChoice): Promise<Blob>;
  /** Keeps a run from a file. */
  take(bundle: OpenedBundle): Promise<KeptEntry>;
  /** Keeps the record of an import, once. */
  keepImport(log: Blob): Promise<KeptEntry>;
  change(id: string, change: EntryChange): Promise<KeptEntry | null>;
  storage(): Promise<StorageState>;
  /** Asks the browser not to remove this site's storage by itself; it may ask the person. */
  persist(): Promise<boolean>;
  /** Ends its worker, and with it what it has of runs' locks: another tab may write them. */
  close(): void;
}

/** @param hear told of each update that was written down, and of trouble */
export function startKeeper(hear: (news: KeeperNews) => void): KeeperClient {
  const worker = new Worker(new URL('./keeper_worker.ts', import.meta.url), {
    type: 'module',
    name: 'keeper',
  });
  const api = wrap<KeeperApi>(worker);
  const valueOf = async <T>(answered: Promise<Answered<T>>): Promise<T> => {
    const answer = await answered;
    if ('report' in answer) throw new KeepError(answer.report);
    return answer.value;
  };
  return {
    join() {
      const engine = new MessageChannel();
      const news = new MessageChannel();
      news.port1.onmessage = ({ data }: MessageEvent<KeeperNews>) => hear(data);
      void api.connect(transfer(engine.port1, [engine.port1]), transfer(news.port2, [news.port2]));
      return engine.port2;
    },
    list: () => valueOf(api.list()),
    open: (id) => valueOf(api.open(id)),
    goOn: (id, before) => valueOf(api.goOn(id, before)),
    checkpoint: (id, update) => valueOf(api.checkpoint(id, update)),
    bundle: (id, choice) => valueOf(api.bundle(id, choice)),
    take: (bundle) => valueOf(api.take(bundle)),
    keepImport: (log) => valueOf(api.keepImport(log)),
    change: (id, change) => valueOf(api.change(id, change)),
    storage: () => api.storage(),
    persist: () => navigator.storage.persist(),
    close: () => worker.terminate(),
  };
}
