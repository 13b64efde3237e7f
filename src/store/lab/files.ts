/**
 * Files of a person: a run as one file, a recording, weights to start from. What a file is, its first bytes say; what is
 * wrong with it is said in five parts, and what stands of it is opened.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BundleContent, CheckpointChoice, ChosenFile, OpenedBundle } from '../../protocol/protocol.ts';
import type { Ask } from '../../train/inspect/index.ts';
import { LabError, LOADED_BY_HAND, shorten, type ErrorReport, type RunConfig } from '../../units.ts';
import { fetchLinked, linkedFile, LinkedFileError } from '../place/linked_file.ts';
import { isElsewhere, type SelectionStore } from '../place/selection.ts';
import type { EventCodec } from '../record/event_log.ts';
import type { Screen } from '../record/run.ts';
import type { Shelf } from '../record/shelf.ts';
import type { Imports, ImportTools } from './imports.ts';
import type { Kept, KeeperEnd } from './kept.ts';
import type { Transport } from './transport.ts';

export type { ChosenFile };

/** What the page has of src/files. */
export interface FileTools extends ImportTools {
  /** Away from the page's thread. @throws BundleError */
  readonly openBundle: (file: Blob) => Promise<OpenedBundle>;
  readonly writeBundle: (content: BundleContent) => Promise<Blob>;
  readonly writeLog: EventCodec['write'];
}

export type NamedFile = Blob & { readonly name: string };

const isNamed = (file: Blob): file is NamedFile => 'name' in file;

/** A run file that is open, until the person puts it away. */
export interface OpenedFile {
  readonly name: string; // of the file
  readonly bundle: OpenedBundle;
  readonly kept: string | null; // id of the kept run that was made of it
}

export interface FilesState {
  readonly busy: string | null; // name of the file under way
  readonly opened: OpenedFile | null;
  readonly loaded: string | null; // name of the weights file that the draft starts from
  readonly linked: string | null; // date of the run that the page's address asked for, once it is open
  readonly failure: ErrorReport | null;
}

/** Which run is saved: the one on screen, the live one as it is in memory, or a kept one. */
export type SavedRun = 'screen' | 'live' | { readonly id: string; readonly checkpoints: CheckpointChoice };

export interface Files extends StoreApi<FilesState> {
  /** @param place a run is put on screen, or beside the one that is there */
  readonly open: (file: NamedFile, place?: 'screen' | 'beside') => Promise<void>;
  /** One file of any kind, or files and folders of rollouts, which are one run. */
  readonly openAll: (files: readonly ChosenFile[], place?: 'screen' | 'beside') => Promise<void>;
  /**
   * Opens the run file that the page's address asks for (`place/linked_file.ts`) and shows it at the place of the hash;
   * a live run and a lesson stay on screen, and it lies on the shelf.
   * @param page address of the page
   * @returns whether it is on screen; `failure` says why it cannot be
   */
  readonly openLinked: (page: string) => Promise<boolean>;
  /** Keeps the opened run in this browser, so that it can be resumed. */
  readonly keep: () => Promise<void>;
  /** A run as one file; null where it cannot be written, which `failure` says. */
  readonly save: (run: SavedRun) => Promise<Blob | null>;
  /** Weights for the draft to start from. @param config that they are for */
  readonly loadWeights: (file: NamedFile, config: RunConfig) => Promise<void>;
  /** Of the live run as it stands; null where there are none, which `failure` says. */
  readonly saveWeights: () => Promise<Blob | null>;
  readonly dismiss: () => void;
}

export interface FilesParts {
  readonly tools: FileTools | null; // null: a page that cannot read files
  readonly keeper: KeeperEnd;
  readonly kept: Kept;
  readonly shelf: Shelf;
  readonly transport: Transport;
  readonly run: Screen;
  readonly selection: SelectionStore;
  readonly live: Pick<Screen, 'log' | 'getState'>;
  readonly ask: Ask;
  readonly imports: Imports;
}

const CHECKPOINT_MS = 60_000; // that a person waits for the end of an update, to have its checkpoint
const HEAD_BYTES = 9;
const TEXT_BYTES = 4096; // in which a recording says that it is one
const [ZIP, GZIP, BRACE] = [0x504b, 0x1f8b, 0x7b]; // 'PK', the magic of gzip, '{'
const RECORDING = /^\{"format":"turnwise-run"/;
const BUNDLE_PART = /^PK\x03\x04.{26}manifest\.json/s;

export type FileKind = 'bundle' | 'recording' | 'weights' | 'rollouts';

/** The first characters of a gzip file, whose first member may end among them; what fails to unzip has none. */
async function unzippedHead(bytes: Uint8Array): Promise<string> {
  const { Gunzip } = await import('fflate');
  const decoder = new TextDecoder('latin1');
  let head = '';
  try {
    new Gunzip((piece) => (head += decoder.decode(piece))).push(bytes);
  } catch {
    return head; // damaged further on
  }
  return head;
}

/** What a file is, by its first bytes; by its name where they are damaged. What is nothing of ours is rollouts, or refused as such. */
export async function kindOf(file: NamedFile): Promise<FileKind> {
  const bytes = await file.slice(0, TEXT_BYTES).arrayBuffer();
  const head = new Uint8Array(bytes);
  if (head.length < 2) return 'rollouts';
  const view = new DataView(bytes);
  const magic = view.getUint16(0);
  const text = new TextDecoder('latin1').decode(head);
  if (magic === ZIP) return BUNDLE_PART.test(text) || /\.turnwise$/i.test(file.name) ? 'bundle' : 'rollouts';
  if (magic === GZIP || head[0] === BRACE) {
    const start = magic === GZIP ? await unzippedHead(head) : text;
    return RECORDING.test(start) || /\.turnwise$/i.test(file.name) ? 'recording' : 'rollouts';
  }
  // safetensors: the length of its header, then the header, which is JSON
  const isHeader = head.length >= HEAD_BYTES && head[HEAD_BYTES - 1] === BRACE;
  return isHeader && view.getBigUint64(0, true) < BigInt(file.size) ? 'weights' : 'rollouts';
}

const headWords = async (file: Blob, kind: FileKind): Promise<string> =>
  kind === 'weights' ? kind : `bytes that begin with ${JSON.stringify(new TextDecoder('latin1').decode(await file.slice(0, 4).arrayBuffer()))}`; // prettier-ignore

const noFile = (name: string, got: string): ErrorReport => ({
  what: 'The lab cannot open this file',
  where: name,
  got,
  wanted: 'a run (.turnwise), a recording (.ndjson.gz) or weights (.safetensors)',
  next: 'Choose a file that was saved by the lab.',
});

export function createFiles(parts: FilesParts): Files {
  const { tools, keeper, kept, shelf, transport, run, selection, live, ask, imports } = parts;
  const store = createStore<FilesState>(() => ({
    ...{ busy: null, opened: null, loaded: null, linked: null, failure: null },
  }));

  /** What goes wrong is said, with the file's name before its place. */
  const trying = async <T>(name: string, work: () => Promise<T>): Promise<T | null> => {
    store.setState({ busy: name, failure: null });
    try {
      return await work();
    } catch (error) {
      const report = error instanceof LabError ? error.report : noFile(name, String(error));
      const where = report.where.startsWith(name) ? report.where : `${name}, ${report.where}`;
      store.setState({ failure: { ...report, where } });
      return null;
    } finally {
      store.setState({ busy: null });
    }
  };

  type Place = 'screen' | 'beside' | 'address';

  const show = async (file: NamedFile, place: Place): Promise<void> => {
    const read = await shelf.open(file);
    if (!read) return;
    if (place === 'screen') transport.show(read.record);
    if (place !== 'address') return;
    const sought = selection.getState();
    store.setState({ linked: read.run.header?.date ?? null });
    if (transport.getState().source === 'live' || isElsewhere(sought)) return;
    transport.show(read.record);
    const { recipe } = selection.getState();
    selection.setState({ ...sought, recipe }, true);
  };

  const openBundle = async (file: NamedFile, place: Place): Promise<void> => {
    const bundle = await tools?.openBundle(file);
    if (!bundle) return;
    store.setState({ opened: { name: file.name, bundle, kept: null } });
    await show(Object.assign(bundle.log, { name: file.name }), place);
  };

  /** @throws FileError where the file is none of ours */
  const openRun = async (file: NamedFile, place: Place): Promise<void> => {
    const kind = await kindOf(file);
    if (kind === 'bundle') return openBundle(file, place);
    if (kind === 'recording') return show(file, place);
    if (kind === 'rollouts') return imports.open([{ path: file.name, blob: file }], place === 'beside' ? place : 'screen'); // prettier-ignore
    throw new LabError('FileError', noFile(file.name, kind));
  };

  const loadWeights = (file: NamedFile, config: RunConfig): Promise<void | null> =>
    trying(file.name, async () => {
      const bytes = await file.arrayBuffer();
      await ask({ kind: 'check-weights', config: { ...config, weights: LOADED_BY_HAND }, bytes }); // of any size that the file has
      transport.startFrom(config, bytes);
      store.setState({ loaded: file.name });
    });

  /** Of a live run that nobody writes down: where it stands, at the end of the update under way. */
  const checkpointNow = async (): Promise<BundleContent['checkpoints']> => {
    if (['failed', 'idle'].includes(live.getState().status)) return [];
    const patience = AbortSignal.timeout(CHECKPOINT_MS);
    const taken = await ask({ kind: 'save-checkpoint' }, patience).catch(() => null); // the log alone, then
    return taken ? [{ update: taken.update, file: new Blob([taken.bytes]) }] : [];
  };

  const fromMemory = async (
    source: Pick<Screen, 'log' | 'getState'>,
    isLive: boolean,
    { name, note }: Pick<BundleContent, 'name' | 'note'> = { name: null, note: '' },
  ): Promise<Blob | null> => {
    if (!tools) return null;
    const checkpoints = isLive ? await checkpointNow() : []; // first: the log then tells of all that it follows
    const events = [];
    for await (const event of source.log()) events.push(event);
    const log = new Blob([await tools.writeLog(events)]);
    const { config: recipe = null, adapter = null } = source.getState().header ?? {};
    return tools.writeBundle({ name, note, adapter, recipe, log, checkpoints });
  };

  const openOne: Files['open'] = async (file, place = 'screen') => {
    store.setState({ opened: null });
    imports.dismiss();
    const kind = await kindOf(file);
    const { draft, asked } = transport.getState();
    const config = draft ?? run.getState().header?.config ?? asked;
    if (kind === 'weights' && config) return void (await loadWeights(file, config));
    if (kind === 'rollouts') return openRun(file, place); // which says itself what it is at
    await trying(file.name, () => openRun(file, place));
  };

  return {
    ...store,
    open: openOne,
    async openAll(files, place = 'screen') {
      const [first] = files;
      if (files.length !== 1) return files.length > 1 ? imports.open(files, place) : undefined;
      const { path, blob } = first;
      await openOne(
        isNamed(blob) ? blob : Object.assign(blob, { name: path.split('/').at(-1) ?? '' }),
        place,
      );
    },
    async openLinked(page) {
      const name = new URL(page).searchParams.get('run') ?? '';
      if (name === '') return false;
      await trying(shorten(name), async () => {
        const url = linkedFile(page);
        if (!url) return;
        const file = await fetchLinked(url);
        const kind = await kindOf(file);
        if (kind === 'weights' || kind === 'rollouts') throw new LinkedFileError({ where: file.name, got: await headWords(file, kind), wanted: 'a run' }); // prettier-ignore
        await openRun(file, 'address');
      });
      const { linked } = store.getState();
      return linked !== null && run.getState().header?.date === linked;
    },
    async keep() {
      const { opened } = store.getState();
      if (!opened) return;
      const entry = await trying(opened.name, () => keeper.take(opened.bundle));
      if (!entry) return;
      store.setState({ opened: { ...opened, kept: entry.id } });
      await kept.refresh();
    },
    save: (which) =>
      trying('the run', async () => {
        const entry = typeof which === 'object' && kept.getState().entries.find(({ id }) => id === which.id);
        if (entry && entry.edits?.length) return fromMemory(await kept.load(entry.id), false, entry); // with its trees as they are
        if (typeof which === 'object') return keeper.bundle(which.id, which.checkpoints);
        const { current, trouble } = kept.getState();
        const isLive = which === 'live' || transport.getState().source === 'live';
        if (isLive && current !== null && trouble === null) return keeper.bundle(current, 'newest');
        return fromMemory(which === 'live' ? live : run, isLive);
      }),
    loadWeights: async (file, config) => void (await loadWeights(file, config)),
    saveWeights: () =>
      trying('the weights', async () => new Blob([(await ask({ kind: 'save-weights' })).bytes])),
    dismiss: () => store.setState({ opened: null, failure: null }),
  };
}
