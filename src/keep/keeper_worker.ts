/** The keeper in a worker: the engine's worker tells it of each update by a channel of its own, past the page. */
import { expose } from 'comlink';
import type { ErrorReport } from '../units.ts';
import { openDisk } from './disk.ts';
import type { EntryChange, KeeperNews, KeptEntry, StorageState } from './entry.ts';
import { Keeper, keepReport } from './keeper.ts';
import { openTable } from './table.ts';
import type { CheckpointChoice, OpenedBundle, WrittenMessage } from '../protocol/protocol.ts';

const opening = Promise.all([openDisk(), openTable<KeptEntry>('turnwise', 'runs')]).then(
  async ([disk, table]) => {
    const keeper = new Keeper({ disk, table, locks: navigator.locks });
    await keeper.sweep();
    return keeper;
  },
);
opening.catch(() => undefined); // whoever asks hears of it
let writers = 0; // engines that were connected
const lost = new Set<string>(); // runs that could not be written: an update is missing, so none is written after it

/** What came of a call: errors cross as five-part reports. */
export type Answered<T> = { readonly value: T } | { readonly report: ErrorReport };

const answer = <T>(where: string, work: (keeper: Keeper) => Promise<T>): Promise<Answered<T>> =>
  opening.then(work).then(
    (value) => ({ value }),
    (error: unknown) => ({ report: keepReport(error, where) }),
  );

/** Calls of the page. */
const api = {
  /** @param news the page's end of what it hears */
  connect(engine: MessagePort, news: MessagePort): void {
    const writer = (writers += 1);
    const tell = (message: KeeperNews): void => news.postMessage(message);
    engine.onmessage = ({ data: { id, ...settled } }: MessageEvent<WrittenMessage>) => {
      if (lost.has(id)) return;
      opening
        .then((keeper) => keeper.record(id, settled, writer))
        .then((entry) => entry && tell({ kind: 'kept', entry }))
        .catch((error: unknown) => {
          if (lost.has(id)) return;
          lost.add(id);
          tell({ kind: 'trouble', id, report: keepReport(error, `update ${settled.update}`) });
        });
    };
  },
  list: () => answer('the shelf', (keeper) => keeper.list()),
  open: (id: string) => answer(`run ${id}`, (keeper) => keeper.open(id)),
  goOn: (id: string, before?: number) => answer(`run ${id}`, (keeper) => keeper.goOn(id, before)),
  checkpoint: (id: string, update: number) => answer(`run ${id}`, (keeper) => keeper.checkpoint(id, update)),
  bundle: (id: string, choice: CheckpointChoice) =>
    answer(`run ${id}`, (keeper) => keeper.bundle(id, choice)),
  take: (bundle: OpenedBundle) => answer('the file', (keeper) => keeper.take(bundle)),
  keepImport: (log: Blob) => answer('the import', (keeper) => keeper.keepImport(log)),
  change: (id: string, change: EntryChange) => answer(`run ${id}`, (keeper) => keeper.change(id, change)),
  async storage(): Promise<StorageState> {
    const [{ usage = 0, quota = 0 }, persisted] = await Promise.all([
      navigator.storage.estimate(),
      navigator.storage.persisted(),
    ]);
    return { usage, quota, persisted };
  },
};
export type KeeperApi = typeof api;

expose(api);
