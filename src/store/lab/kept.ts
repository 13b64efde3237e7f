/**
 * The runs that this browser keeps, and the live one among them: what is written down, what could not be, and the ways
 * back to a run. A run comes back by itself after a reload and after a lost device.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  KeepError,
  type EntryChange,
  type KeeperNews,
  type KeptEntry,
  type StorageState,
  type TreeEdit,
} from '../../keep/entry.ts';
import type { CheckpointChoice, OpenedBundle, PageEvent } from '../../protocol/protocol.ts';
import { LabError, type ErrorReport } from '../../units.ts';
import { readRecord, type ReadRecording } from '../record/read_record.ts';
import type { RunStore } from '../record/run.ts';
import type { Transport } from './transport.ts';

export { rewardCurve, type KeptEntry, type StorageState, type TreeEdit } from '../../keep/entry.ts';
export type { CheckpointChoice } from '../../protocol/protocol.ts';

/** What the page has of the keeper (src/keep/keeper_client.ts). */
export interface KeeperEnd {
  readonly list: () => Promise<readonly KeptEntry[]>;
  readonly open: (id: string) => Promise<Blob>;
  readonly goOn: (
    id: string,
    before?: number,
  ) => Promise<{ readonly update: number; readonly bytes: Uint8Array<ArrayBuffer> } | null>;
  /** The nearest checkpoint after `update` or before. */
  readonly checkpoint: (
    id: string,
    update: number,
  ) => Promise<{ readonly update: number; readonly bytes: Uint8Array<ArrayBuffer> } | null>;
  readonly bundle: (id: string, choice: CheckpointChoice) => Promise<Blob>;
  readonly take: (bundle: OpenedBundle) => Promise<KeptEntry>;
  /** Null on a page that keeps nothing. */
  readonly keepImport: (log: Blob) => Promise<KeptEntry | null>;
  readonly change: (id: string, change: EntryChange) => Promise<KeptEntry | null>;
  readonly storage: () => Promise<StorageState>;
  readonly persist: () => Promise<boolean>;
}

/** What this tab remembers over a reload: the live run, and whether it played. */
export interface TabMemory {
  readonly get: () => { readonly id: string; readonly plays: boolean } | null;
  readonly set: (live: { readonly id: string; readonly plays: boolean } | null) => void;
}

/** Why a run went on from a checkpoint. */
export type Return = 'asked' | 'reload' | 'device' | 'adapter';

export interface KeptState {
  readonly entries: readonly KeptEntry[]; // newest first; those that a person deleted are marked
  readonly current: string | null; // id of the live run, once an update of it is written down
  readonly storage: StorageState | null;
  readonly followed: string | null; // id of the run on screen that another tab trains
  readonly trouble: ErrorReport | null; // the live run is no longer written down, or a kept one cannot be opened
  /** Said until dismissed; `cause` of a lost device. */
  readonly returned: { readonly why: Return; readonly update: number; readonly cause: string | null } | null;
}

export interface Kept extends StoreApi<KeptState> {
  readonly hear: (news: KeeperNews) => void;
  /** Events of the engine, after the transport has them. */
  readonly hearEngine: (events: readonly PageEvent[]) => void;
  readonly refresh: () => Promise<void>;
  /** Goes on with a kept run from its newest checkpoint. @returns whether it does; `trouble` says why not */
  readonly goOn: (id: string, plays: boolean, why?: Return) => Promise<boolean>;
  /** A kept run as it was written down; while it is on screen, what another tab adds to it is read. @throws what the storage and the reader throw */
  readonly load: (id: string) => Promise<RunStore>;
  /** Puts a kept run on screen as it was written down; nothing is trained. */
  readonly show: (id: string) => Promise<void>;
  /** The nearest checkpoint of the run of this date; null where it is not kept here. */
  readonly checkpointOf: (run: string, update: number) => ReturnType<KeeperEnd['checkpoint']>;
  readonly change: (id: string, change: EntryChange) => Promise<void>;
  /** Keeps an import that is whole. @returns why it cannot be kept, where that was not said before */
  readonly keepImport: (record: RunStore, log: Blob, instead?: RunStore) => Promise<ErrorReport | null>;
  /** The entry of an import that is open in this tab. */
  readonly entryOf: (record: RunStore) => KeptEntry | null;
  readonly persist: () => Promise<void>;
  /** Puts one of the two notices away. */
  readonly dismiss: (notice: 'trouble' | 'returned') => void;
}

export interface KeptParts {
  readonly keeper: KeeperEnd;
  readonly transport: Transport;
  readonly live: RunStore;
  readonly shown: () => RunStore; // on screen
  readonly read: ReadRecording;
  readonly empty: () => RunStore;
  readonly tab: TabMemory;
  /** Changes a record's trees as a person did before. */
  readonly edit: (record: RunStore, edits: readonly TreeEdit[]) => Promise<void>;
  readonly now: () => number; // ms
}

const MOST_RETURNS = 10; // from lost devices, in MINUTE_MS
const MINUTE_MS = 60_000;
const FOLLOW_MS = 1000; // between two looks at a run that another tab may train

const tooOften: ErrorReport = {
  what: 'The graphics device was lost ten times within a minute',
  where: 'live run',
  got: 'one more loss',
  wanted: 'a device that stays',
  next: 'The run is kept. Close other programs that use the graphics card, or restart the browser, then resume it.',
};

const noCheckpoint = (id: string): ErrorReport => ({
  what: 'This run cannot go on: it has no checkpoint that can be read',
  where: `run ${id}`,
  got: 'none',
  wanted: 'a checkpoint, which is taken every ten updates or half a minute',
  next: 'Start it again with the same seed: the same numbers come again. What was written down can be looked at.',
});

const notKept = (error: unknown): ErrorReport => {
  const { where, got, wanted } =
    error instanceof LabError ? error.report : { ...NO_STORAGE, got: String(error) };
  return {
    what: 'These rollouts are not kept in this browser',
    ...{ where, got, wanted },
    next: 'They stay open in this tab. Make room for this site, or open the files again when you come back.',
  };
};

export function createKept(parts: KeptParts): Kept {
  const { keeper, transport, live, tab } = parts;
  const store = createStore<KeptState>(() => ({
    ...{ entries: [], current: null, storage: null, followed: null, trouble: null, returned: null },
  }));
  let returns: readonly number[] = []; // ms of the last returns from lost devices
  let isMeasured = false; // the storage, since the first update of this page was written down
  let remembered = ''; // what the tab was told last: its storage is written on the page's thread

  const put = (entry: KeptEntry): void =>
    store.setState(({ entries }) => ({ entries: [entry, ...entries.filter(({ id }) => id !== entry.id)] }));

  const fail = (error: unknown, id: string): false => {
    const report = error instanceof LabError ? error.report : { ...noCheckpoint(id), got: String(error) };
    store.setState({ trouble: report });
    return false;
  };

  const isPlaying = (): boolean => {
    const { status } = live.getState();
    return status === 'running' || status === 'preparing';
  };

  /** A kept log has no end line: that it breaks off there is no fault. */
  const recordOf = async (id: string): Promise<RunStore> =>
    (await readRecord(parts.read(await keeper.open(id)), parts.empty())).record;

  const remember = (): void => {
    const { current } = store.getState();
    const { source } = transport.getState();
    const left = current !== null && source === 'live' ? { id: current, plays: isPlaying() } : null;
    const text = JSON.stringify(left);
    if (text !== remembered) tab.set(left);
    remembered = text;
  };
  transport.subscribe(remember);
  live.subscribe(remember);

  const refresh = async (): Promise<void> => {
    const [entries, storage] = await Promise.all([keeper.list(), keeper.storage()]);
    store.setState({ entries, storage });
  };

  const goOn = async (id: string, plays: boolean, why: Return = 'asked'): Promise<boolean> => {
    const cause = why === 'device' ? (live.getState().failure?.what ?? null) : null;
    try {
      const checkpoint = await keeper.goOn(id);
      const record = await recordOf(id);
      const config = record.getState().header?.config;
      if (!checkpoint || !config) return fail(new KeepError(noCheckpoint(id)), id);
      store.setState({ current: id, trouble: null, returned: { why, update: checkpoint.update, cause } });
      const { update: after, bytes } = checkpoint;
      transport.goOn({ id, config, record, after, checkpoint: bytes.buffer }, plays);
      return true;
    } catch (error) {
      return fail(error, id);
    }
  };

  /** A device that was lost is opened again, and the run goes on. */
  const comeBack = (plays: boolean): void => {
    const { current, entries } = store.getState();
    if (current === null || transport.getState().source !== 'live') return;
    if (!entries.some(({ id, update }) => id === current && update > 0)) return;
    const nowMs = parts.now();
    returns = [...returns.filter((ms) => nowMs - ms < MINUTE_MS), nowMs];
    if (returns.length >= MOST_RETURNS) return store.setState({ trouble: tooOften });
    void goOn(current, plays, 'device');
  };

  /** Another tab may train it: while it is on screen, what that one writes down is read. */
  const follow = async (id: string, record: RunStore): Promise<void> => {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
      if (parts.shown() !== record) break;
      const entries = await keeper.list();
      const entry = entries.find((each) => each.id === id);
      if (!entry || id === store.getState().current) break;
      if (entry.update <= record.getState().updates.length) continue;
      const next = await recordOf(id);
      if (parts.shown() !== record) break;
      record.become(next.contents());
      store.setState({ entries, followed: id });
      if (entry.finished) break;
    }
    store.setState(({ followed }) => ({ followed: followed === id ? null : followed }));
  };

  const imports = new Map<string, RunStore>(); // by id, those that were opened in this tab
  const idOf = (record: RunStore | undefined): string | null =>
    [...imports].find(([, each]) => each === record)?.[0] ?? null;
  let saidOfImports = ''; // once a trouble: the next import meets it too

  const change: Kept['change'] = async (id, changed) => {
    const entry = await keeper.change(id, changed).catch((error: unknown) => fail(error, id));
    if (entry)
      store.setState(({ entries }) => ({ entries: entries.map((old) => (old.id === id ? entry : old)) }));
  };

  const keepImport: Kept['keepImport'] = async (record, log, instead) => {
    try {
      const entry = await keeper.keepImport(log);
      if (!entry) return null;
      imports.set(entry.id, record);
      put(entry);
      await parts.edit(record, entry.edits ?? []); // of files that were opened before
      const old = idOf(instead);
      const before = store.getState().entries.find(({ id }) => id === old);
      if (!before || before.id === entry.id) return null;
      const { name, note, pinned } = before;
      await change(entry.id, { name, note, pinned });
      await change(before.id, { removed: entry.changed });
      return null;
    } catch (error) {
      const report = notKept(error);
      const isNews = report.got !== saidOfImports;
      saidOfImports = report.got;
      return isNews ? report : null;
    }
  };

  const load = async (id: string): Promise<RunStore> => {
    const open = imports.get(id);
    if (open) return open; // with what was changed of its trees by hand
    const record = await recordOf(id);
    const isImport = record.getState().header?.origin.kind === 'imported';
    if (isImport) {
      imports.set(id, record);
      await parts.edit(record, store.getState().entries.find((each) => each.id === id)?.edits ?? []);
    } else void follow(id, record).catch(() => undefined); // it stays as it was read
    return record;
  };

  let played = false; // what the live run did when it was last heard
  return {
    ...store,
    hear(news) {
      if (news.kind === 'trouble') return store.setState({ trouble: news.report });
      put(news.entry);
      // Of the run before this one, a last update may still be told.
      if (news.entry.created === live.getState().header?.date) store.setState({ current: news.entry.id });
      remember();
      if (isMeasured) return;
      isMeasured = true;
      void keeper.storage().then((storage) => store.setState({ storage }));
    },
    hearEngine(events) {
      for (const event of events) {
        if (event.kind === 'run-started' && event.date === live.getState().header?.date) {
          const isNew = event.resumedAfter === undefined || event.origin.kind === 'forked';
          if (isNew) store.setState({ current: null });
        }
        if (event.kind !== 'status') continue;
        if (event.status === 'failed') comeBack(played);
        else played = event.status === 'running';
      }
    },
    refresh,
    goOn,
    load,
    async show(id) {
      try {
        transport.show(await load(id));
      } catch (error) {
        fail(error, id);
      }
    },
    checkpointOf(run, update) {
      const entry = store.getState().entries.find(({ created }) => created === run);
      return entry ? keeper.checkpoint(entry.id, update) : Promise.resolve(null);
    },
    change,
    keepImport,
    entryOf(record) {
      const own = idOf(record);
      return store.getState().entries.find(({ id }) => id === own) ?? null;
    },
    async persist() {
      await keeper.persist();
      store.setState({ storage: await keeper.storage() });
    },
    dismiss: (notice) => store.setState({ [notice]: null }),
  };
}

const NO_STORAGE: ErrorReport = {
  what: 'This page keeps no runs',
  where: 'this browser',
  got: 'no storage for this site',
  wanted: 'storage',
  next: 'Save the run to a file.',
};

/** A page without a keeper: tests, and browsers without storage. */
export const NO_KEEPER: KeeperEnd = {
  list: () => Promise.resolve([]),
  open: () => Promise.resolve(new Blob([])),
  goOn: () => Promise.resolve(null),
  checkpoint: () => Promise.resolve(null),
  bundle: () => Promise.reject(new KeepError(NO_STORAGE)),
  take: () => Promise.reject(new KeepError(NO_STORAGE)),
  keepImport: () => Promise.resolve(null),
  change: () => Promise.resolve(null),
  storage: () => Promise.resolve({ usage: 0, quota: 0, persisted: false }),
  persist: () => Promise.resolve(false),
};
export const NO_TAB: TabMemory = { get: () => null, set: () => undefined };
