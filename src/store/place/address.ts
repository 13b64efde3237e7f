/**
 * The selection as a versioned URL hash, defaults omitted: `#v1&view=tree&update=12&prompt=3&node=5`. Back and forward
 * of the browser go from place to place. Where the selection follows the newest update, `newest=12` says which that was:
 * a link opens there, the page's own history goes on following.
 */
import { shorten } from '../../units.ts';
import type { RunStore } from '../record/run.ts';
import { FIELDS, type AddressField } from './address_fields.ts';
import { decodeStage, encodeStage, STAGE_FIELDS, PLAIN_STAGE, type StageStore } from './stage.ts';
import { INITIAL_SELECTION, type Selection, type SelectionStore } from './selection.ts';

const VERSION = 'v1';

const NEWEST = 'newest';

/**
 * @param newest number of the update on screen, where the selection follows the newest and a link should not
 * @param stage parts that say how the page is set up for a room
 */
export function encodeSelection(
  selection: Selection,
  newest: number | null = null,
  stage: readonly string[] = [],
): string {
  const parts = FIELDS.flatMap(({ name, write }) => {
    const text = write(selection);
    return text === write(INITIAL_SELECTION) ? [] : [`${name}=${text}`];
  });
  if (newest !== null && selection.update === null) parts.push(`${NEWEST}=${newest}`);
  parts.push(...stage);
  return parts.length === 0 ? '' : `#${[VERSION, ...parts].join('&')}`;
}

/** Names that fields had in links of before. */
const RENAMED: Readonly<Record<string, string>> = { creditFrame: 'phase' };

const newestField: AddressField = {
  name: NEWEST,
  write: () => '',
  read: (text) => (/^\d{1,9}$/.test(text) ? { update: Number(text) } : undefined),
};
const followed: AddressField = { ...newestField, read: (text) => newestField.read(text) && {} };

/**
 * Reads a hash of any origin: what is unknown or malformed keeps its default, and is named in `ignored`.
 * @param follows where the hash says which update was the newest, the selection follows on; default: it stays there
 */
export function decodeSelection(hash: string, follows = false): Selection {
  const [version, ...parts] = hash.replace(/^#/, '').split('&');
  if (version === '' && parts.length === 0) return INITIAL_SELECTION;
  if (version !== VERSION) return { ...INITIAL_SELECTION, ignored: [shorten(hash)] };
  let selection = INITIAL_SELECTION;
  const ignored: string[] = [];
  const fields = [...FIELDS, follows ? followed : newestField];
  for (const part of parts) {
    const [name, ...rest] = part.split('=');
    if (STAGE_FIELDS.includes(name)) continue; // stage.ts reads them
    const known = fields.find((field) => field.name === (RENAMED[name] ?? name));
    const value = known?.read(rest.join('='));
    if (value) selection = { ...selection, ...value };
    else ignored.push(shorten(part));
  }
  return ignored.length === 0 ? selection : { ...selection, ignored };
}

/** `?embed`: the page is a frame of another, without its header, its history or an engine that nobody asked for. */
export const EMBED = 'embed';

export const isEmbedded = (search: string): boolean => new URLSearchParams(search).has(EMBED);

/** An address of the page with what is before the hash taken out or put in. */
function withEmbed(address: string, isIn: boolean): string {
  const url = new URL(address);
  const others = url.search.slice(1).split('&').filter((part) => part !== '' && part.split('=')[0] !== EMBED); // prettier-ignore
  url.search = [...others, ...(isIn ? [EMBED] : [])].join('&');
  return url.href;
}

/** The address of the whole page, at the same place. */
export const unframed = (address: string): string => withEmbed(address, false);

/** Line of HTML that shows a place of the lab in another page. @param title for who hears the page */
export function frameLine(address: string, title: string): string {
  const quoted = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return `<iframe src="${quoted(withEmbed(address, true))}" title="${quoted(title)}" width="100%" height="640" style="border:0" loading="lazy"></iframe>`;
}

/** A frame's moves are no steps of the history of the page around it. */
export const withoutHistory = ({ location, history }: AddressBar): AddressBar => ({
  location,
  history: {
    replaceState: (...entry) => history.replaceState(...entry),
    pushState: (...entry) => history.replaceState(...entry),
  },
});

/** Marks entries of the history that this page wrote: a link that somebody else made has none. */
export const OWN_ENTRY = 'turnwise';

/** What the mirror needs of a window. */
export interface AddressBar {
  readonly location: { readonly hash: string; readonly pathname: string; readonly search: string };
  readonly history: {
    replaceState(data: unknown, unused: string, url: string): void;
    pushState(data: unknown, unused: string, url: string): void;
  };
}

/** A change of one of these is a place of its own to come back to; all else is a cursor within it. */
const PLACES = [
  'lesson',
  'lessonStep',
  'example',
  'view',
  'update',
  'prompt',
  'node',
  'pinned',
  'batch',
  'beside',
  'compared',
  'experiment',
] as const;

/** Moves through these that follow faster, as a scrubber's or the arrow keys', are one step of the history. */
const SWEPT: readonly string[] = ['update', 'prompt', 'node', 'update,node'];
const SAME_SWEEP_MS = 1000;

const placesChanged = (a: Selection, b: Selection): string =>
  PLACES.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key])).join();

/** The newest update, where a view shows it and a link should hold on to it. Train moves on by itself. */
export const newestShown = ({ view, update }: Selection, count: number): number | null =>
  view === 'train' || update !== null || count === 0 ? null : count;

const countOf = (run: MirroredRun | undefined): number => run?.getState().updates.length ?? 0;

type MirroredRun = Pick<RunStore, 'getState' | 'subscribe'>;

/** What a mirror can be told; the rest is as in a page. */
export interface MirrorOptions {
  readonly run?: MirroredRun; // whose newest update is followed
  readonly stage?: StageStore;
  readonly delayMs?: number;
  readonly nowMs?: () => number;
}

/**
 * Writes the selection to the address bar as it changes, at most once per `delayMs`: browsers limit how often. A reload
 * right after a move finds it. Back and forward go from place to place; moving a cursor adds nothing to the history.
 * @returns a function that stops the mirror
 */
export function mirrorSelection(
  store: SelectionStore,
  bar: AddressBar,
  { run, stage, delayMs = 400, nowMs = Date.now }: MirrorOptions = {},
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let written = store.getState();
  let writtenNewest: number | null = null;
  let lastMove = { kind: '', atMs: -Infinity };
  let writtenMs = -Infinity;
  const write = (): void => {
    timer = undefined;
    writtenMs = nowMs();
    const selection = store.getState();
    const kind = placesChanged(written, selection);
    written = selection;
    writtenNewest = newestShown(selection, countOf(run));
    const hash = encodeSelection(selection, writtenNewest, encodeStage(stage?.getState() ?? PLAIN_STAGE));
    if (hash === bar.location.hash) {
      lastMove = { kind: '', atMs: -Infinity }; // the browser moved, and the selection followed
      return;
    }
    const url = `${bar.location.pathname}${bar.location.search}${hash}`;
    const atMs = nowMs();
    const sweeps = SWEPT.includes(kind) && kind === lastMove.kind && atMs - lastMove.atMs < SAME_SWEEP_MS;
    if (kind === '' || sweeps || selection.placed) bar.history.replaceState(OWN_ENTRY, '', url);
    else bar.history.pushState(OWN_ENTRY, '', url);
    if (kind !== '') lastMove = { kind, atMs };
  };
  const soon = (): void => {
    timer ??= setTimeout(write, Math.max(0, writtenMs + delayMs - nowMs()));
  };
  const stop = store.subscribe(soon);
  const stopStage = stage?.subscribe(soon);
  const stopRun = run?.subscribe(() => {
    if (newestShown(store.getState(), countOf(run)) !== writtenNewest) soon();
  });
  return () => {
    stop();
    stopRun?.();
    stopStage?.();
    clearTimeout(timer);
  };
}

// The other way of the mirror: what the address bar says after Back and Forward becomes the selection.

/** What is used of a window. */
export interface Travelled {
  readonly location: { readonly hash: string };
  addEventListener(type: 'popstate', listener: (event: { readonly state: unknown }) => void): void;
  removeEventListener(type: 'popstate', listener: (event: { readonly state: unknown }) => void): void;
}

/** A link that is pasted or clicked in the open page comes the same way, as an entry that the page did not write. */
export function followAddress(store: SelectionStore, bar: Travelled, stage?: StageStore): () => void {
  const follow = ({ state }: { readonly state: unknown }): void => {
    stage?.setState({ ...decodeStage(bar.location.hash), answers: stage.getState().answers });
    store.setState(decodeSelection(bar.location.hash, state === OWN_ENTRY), true);
  };
  bar.addEventListener('popstate', follow);
  return () => bar.removeEventListener('popstate', follow);
}
