/**
 * Rollouts that somebody else trained, from files to a record on screen: the first trees while the rest is read, the files at
 * hand to be read otherwise, and what of them could not be read.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  ChosenFile,
  FileLines,
  ImportChoices,
  ImportedRecord,
  ImportHooks,
  ImportLook,
  ImportSummary,
} from '../../protocol/protocol.ts';
import { importId } from '../../keep/entry.ts';
import { filesTitle, LabError, type ErrorReport } from '../../units.ts';
import type { SelectionStore } from '../place/selection.ts';
import { readRecord, type ReadRecording } from '../record/read_record.ts';
import type { Reshaping } from '../record/reshape.ts';
import type { RunStore, Screen, UpdateAlone } from '../record/run.ts';
import type { Shelf } from '../record/shelf.ts';
import type { Kept } from './kept.ts';
import type { Transport } from './transport.ts';

export const AS_RECOGNISED: ImportChoices = { format: null, delimiters: null, reward: null, group: null };

/** What the page has of src/files/rollouts, away from its own thread. */
export interface ImportTools {
  readonly importRollouts: (
    files: readonly ChosenFile[],
    choices: ImportChoices,
    hooks: ImportHooks,
  ) => Promise<ImportedRecord>;
  readonly lookAtRollouts: (files: readonly ChosenFile[], choices: ImportChoices) => Promise<ImportLook>;
}

export interface ImportProgress {
  readonly name: string;
  readonly bytes: number; // of text, unpacked
  readonly total: number; // of the files as they lie on disk
  readonly rollouts: number;
  readonly isShown: boolean; // the first of them are on screen
}

/** An update that is read from its file, or was to be. */
export interface ReadingBack {
  readonly record: RunStore;
  readonly update: number;
  readonly state: 'reading' | 'stopped' | ErrorReport;
}

export interface ImportsState {
  readonly reading: ImportProgress | null;
  readonly back: ReadingBack | null; // the newest
  /** Said once reading was left by the person. */
  readonly left: { readonly name: string; readonly isKept: boolean } | null;
  /** Said once a file is open: what it was recognised as, and why. */
  readonly news: ImportSummary | null;
  readonly refused: ImportSummary | null; // of files that nothing could be read of
  readonly failure: ErrorReport | null;
}

export interface Imports extends StoreApi<ImportsState> {
  /**
   * Reads the files as one run, puts it on screen, or beside what is there, and keeps it in this browser. What was being
   * read is left.
   * @param instead the record that this one takes the place of on the shelf
   */
  readonly open: (
    files: readonly ChosenFile[],
    place?: 'screen' | 'beside',
    choices?: ImportChoices,
    instead?: RunStore,
  ) => Promise<void>;
  /** Leaves the files being read; what of them is on screen stays. */
  readonly cancel: () => void;
  /** Reads what the record on screen does not hold of an update, after it was left or failed. */
  readonly readBack: (update: number) => void;
  /** Leaves that. */
  readonly stopReadingBack: () => void;
  /** The files of a record, where this tab opened them. */
  readonly filesOf: (record: RunStore) => readonly ChosenFile[] | null;
  /** What other choices would make of a record's files. @throws LabError */
  readonly look: (record: RunStore, choices: ImportChoices) => Promise<ImportLook>;
  readonly dismiss: () => void;
}

export interface ImportsParts {
  readonly tools: ImportTools | null; // null: a page that cannot read files
  readonly shelf: Shelf;
  readonly kept: Kept;
  readonly transport: Transport;
  readonly run: Screen;
  readonly selection: SelectionStore;
  readonly read: ReadRecording;
  readonly empty: () => RunStore;
  readonly want: () => void; // what is selected is to be at hand
  readonly standing: Reshaping['standing']; // changes by hand
}

const noReader = (where: string): ErrorReport => ({
  what: 'This page cannot read rollouts',
  where,
  got: 'a page without a reader',
  wanted: 'the lab',
  next: 'Open the file in the lab itself.',
});

const changedFile = (record: RunStore): ErrorReport => {
  const { origin } = record.getState().header!;
  return {
    what: 'This step cannot be read back',
    where: origin.kind === 'imported' ? origin.file : 'file',
    got: 'other lines than before',
    wanted: 'the file as it was when it was opened',
    next: 'Open the file again.',
  };
};

const unread = (where: string, error: unknown): ErrorReport =>
  error instanceof LabError
    ? error.report
    : { ...noReader(where), what: 'The rollouts cannot be read', got: String(error) };

export function createImports(parts: ImportsParts): Imports {
  const { tools, shelf, kept, transport, run, selection, read, empty, want, standing } = parts;
  const store = createStore<ImportsState>(() => ({
    ...{ reading: null, back: null, left: null, news: null, refused: null, failure: null },
  }));
  const sources = new WeakMap<RunStore, readonly ChosenFile[]>();
  const ids = new WeakMap<RunStore, string>(); // of records that files were read into
  let abort = new AbortController();

  kept.subscribe(({ entries }, before) => {
    if (entries === before.entries) return;
    for (const { id, record } of shelf.getState().runs) if (kept.entryOf(record)?.removed) shelf.remove(id); // deleted by the person
  });

  let stop = new AbortController(); // of an update that is read back

  /** The update by its lines alone: the same reader, of a part of the files. */
  const readLines = async (
    lines: readonly FileLines[],
    record: RunStore,
    signal: AbortSignal,
  ): Promise<UpdateAlone | null> => {
    const files = sources.get(record) ?? [];
    const parts = lines.flatMap((only) => files.filter(({ path }) => path === only.path).map((file) => ({ ...file, only }))); // prettier-ignore
    const { origin } = record.getState().header!;
    const choices = (origin.kind === 'imported' && origin.summary?.choices) || AS_RECOGNISED;
    const hooks = { signal, onProgress: () => undefined, onFirst: () => undefined };
    const { log } = await tools!.importRollouts(parts, choices, hooks);
    if (!log) return null;
    const alone = (await readRecord(read(log, { signal }), empty(), signal)).record;
    const events = await alone.eventsOf(1);
    return events && { texts: alone.getState().texts, events };
  };

  /** From now on, what the record does not hold of an update is read when it is looked at. */
  const readFromFiles = (record: RunStore, index: readonly (readonly FileLines[])[]): void =>
    record.readFrom(
      (update, signal) => {
        const { back } = store.getState();
        const isLeft = back?.record === record && back.update === update && back.state !== 'reading';
        return isLeft ? null : readUpdate(record, update, index[update - 1] ?? [], signal);
      },
      (update, events) => standing(record, update, events),
    );

  const readUpdate = async (
    record: RunStore,
    update: number,
    lines: readonly FileLines[],
    signal: AbortSignal,
  ): Promise<UpdateAlone | null> => {
    stop = new AbortController();
    const own = stop.signal;
    const tell = (state: ReadingBack['state'] | null): void =>
      store.setState({ back: state && { record, update, state } });
    tell('reading');
    try {
      const alone = await readLines(lines, record, AbortSignal.any([signal, own]));
      const isWhole = alone !== null && alone.events.length > 0;
      if (!signal.aborted) tell(isWhole ? null : changedFile(record));
      return isWhole ? alone : null;
    } catch (error) {
      if (!signal.aborted) tell(own.aborted ? 'stopped' : unread('the file', error));
      return null;
    }
  };

  /** Where trees are, unless the person is at a view that shows some. */
  const lookAtTree = (): void => {
    const { view, colour } = selection.getState();
    const isMeasured = run.getState().updates.some(({ trees }) => trees.some(({ nodes }) => nodes.some((node) => node?.mask.includes(1) && node.turnSurprisal !== null))); // prettier-ignore
    if (colour === 'entropy' && !isMeasured) selection.select({ colour: 'reward' });
    if (['train', 'runs', 'profile', 'experiments'].includes(view)) selection.select({ view: 'tree' });
  };

  /** The first of the files; the person may look about in it, and stays there when the rest has come. */
  const showFirst = async (
    log: Blob,
    files: readonly ChosenFile[],
    signal: AbortSignal,
  ): Promise<RunStore | null> => {
    const { record } = await readRecord(read(log, { signal }), empty(), signal);
    signal.throwIfAborted();
    if (!store.getState().reading) return null; // the whole was quicker
    sources.set(record, files);
    transport.show(record);
    selection.select({ update: 1 });
    lookAtTree();
    store.setState(({ reading }) => ({ reading: reading && { ...reading, isShown: true } }));
    return record;
  };

  const show = (record: RunStore, first: RunStore | null): void => {
    const isSeen = first !== null && run.shown() === first;
    const place = selection.getState();
    transport.show(record);
    if (isSeen) selection.setState({ ...place, run: selection.getState().run }, true);
    else {
      if (record.getState().updates.at(-1)?.elsewhere) selection.select({ update: 1 }); // which is held, as a rule
      lookAtTree();
    }
    want();
  };

  /** The record of the same files read in the same way: on the shelf, or kept by this browser. */
  const openBefore = async (id: string): Promise<RunStore | null> => {
    const own = shelf.getState().runs.find(({ record }) => ids.get(record) === id);
    if (own) return own.record;
    const entry = kept.getState().entries.find((each) => each.id === id && each.removed === null);
    return entry ? kept.load(id).catch(() => null) : null; // what cannot be read is read from the files
  };

  const leftHere = (): ReadingBack | null => {
    const { back } = store.getState();
    return back?.record === run.shown() ? back : null;
  };

  return {
    ...store,
    readBack(update) {
      if (leftHere()?.update === update) store.setState({ back: null });
      selection.select({ update });
      want(); // where it was selected before
    },
    stopReadingBack: () => stop.abort(),
    async open(files, place = 'screen', choices = AS_RECOGNISED, instead) {
      abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      const name = filesTitle(files);
      const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
      if (!tools) return store.setState({ failure: noReader(name) });
      store.setState({
        ...{ reading: { name, bytes: 0, total, rollouts: 0, isShown: false } },
        ...{ left: null, news: null, refused: null, failure: null },
      });
      let first: Promise<RunStore | null> = Promise.resolve(null);
      try {
        const { log, summary, index } = await tools.importRollouts(files, choices, {
          signal,
          onProgress: (progress) =>
            store.setState(({ reading }) => ({ reading: reading && { ...reading, ...progress } })),
          onFirst: (part) => {
            if (!part.log || place === 'beside' || instead) return;
            first = showFirst(part.log, files, signal).catch(() => null); // the whole says what is wrong
          },
        });
        signal.throwIfAborted();
        if (!log) return store.setState({ refused: summary });
        const early = await first;
        const id = await importId(log).catch(() => null); // a page without digests, as not over https
        const known = id === null ? null : await openBefore(id);
        const record = known ?? (await shelf.open(Object.assign(log, { name })))?.record;
        signal.throwIfAborted();
        if (!record) return; // the shelf says why
        if (id !== null) ids.set(record, id);
        sources.set(record, files);
        if (index) readFromFiles(record, index);
        store.setState({ reading: null, back: null, news: summary });
        if (place === 'screen') show(record, early);
        if (known) return;
        const old = shelf.getState().runs.find(({ record }) => record === instead);
        if (old) shelf.remove(old.id);
        const refusal = await kept.keepImport(record, log, instead);
        if (refusal && !signal.aborted) store.setState({ failure: refusal });
      } catch (error) {
        if (signal.aborted) return; // the person's wish; other files may be under way
        store.setState({ failure: unread(name, error) });
      } finally {
        if (!signal.aborted) store.setState({ reading: null });
      }
    },
    cancel() {
      abort.abort();
      const { reading } = store.getState();
      const isKept = reading?.isShown === true && sources.has(run.shown());
      if (isKept) shelf.keep(run.shown());
      store.setState({ reading: null, left: reading && { name: reading.name, isKept } });
    },
    filesOf: (record) => sources.get(record) ?? null,
    async look(record, choices) {
      const files = sources.get(record);
      if (!tools || !files) throw new LabError('ImportError', noReader('the files of this record'));
      return tools.lookAtRollouts(files, choices);
    },
    dismiss: () => store.setState({ left: null, news: null, refused: null, failure: null }),
  };
}
