/**
 * The selection as a versioned URL hash, defaults omitted: `#v1&view=tree&update=12&prompt=3&node=5`. Back and forward
 * of the browser go from place to place.
 */
import { FIELDS } from './address_fields.ts';
import { INITIAL_SELECTION, type Selection, type SelectionStore } from './selection.ts';

const VERSION = 'v1';

export function encodeSelection(selection: Selection): string {
  const parts = FIELDS.flatMap(({ name, write }) => {
    const text = write(selection);
    return text === write(INITIAL_SELECTION) ? [] : [`${name}=${text}`];
  });
  return parts.length === 0 ? '' : `#${[VERSION, ...parts].join('&')}`;
}

/** Reads a hash of any origin: what is unknown or malformed keeps its default, and is named in `ignored`. */
export function decodeSelection(hash: string): Selection {
  const [version, ...parts] = hash.replace(/^#/, '').split('&');
  if (version === '' && parts.length === 0) return INITIAL_SELECTION;
  if (version !== VERSION) return { ...INITIAL_SELECTION, ignored: [shortened(hash)] };
  let selection = INITIAL_SELECTION;
  const ignored: string[] = [];
  for (const part of parts) {
    const [name, ...rest] = part.split('=');
    const value = FIELDS.find((field) => field.name === name)?.read(rest.join('='));
    if (value) selection = { ...selection, ...value };
    else ignored.push(shortened(part));
  }
  return ignored.length === 0 ? selection : { ...selection, ignored };
}

const LONGEST = 60; // characters of a part that is told back

const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** What the mirror needs of a window. */
export interface AddressBar {
  readonly location: { readonly hash: string; readonly pathname: string; readonly search: string };
  readonly history: {
    replaceState(data: unknown, unused: string, url: string): void;
    pushState(data: unknown, unused: string, url: string): void;
  };
}

/** A change of one of these is a place of its own to come back to; all else is a cursor within it. */
const PLACES = ['view', 'update', 'prompt', 'node', 'pinned', 'batch', 'beside', 'compared'] as const;

/** Moves through these that follow faster, as a scrubber's or the arrow keys', are one step of the history. */
const SWEPT: readonly string[] = ['update', 'prompt', 'node', 'update,node'];
const SAME_SWEEP_MS = 1000;

const placesChanged = (a: Selection, b: Selection): string =>
  PLACES.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key])).join();

/**
 * Writes the selection to the address bar, at most once per `delayMs`: browsers limit how often. Back and forward go
 * from place to place; moving a cursor adds nothing to the history.
 * @returns a function that stops the mirror
 */
export function mirrorSelection(
  store: SelectionStore,
  bar: AddressBar,
  delayMs = 250,
  nowMs: () => number = Date.now,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let written = store.getState();
  let lastMove = { kind: '', atMs: -Infinity };
  const write = (): void => {
    timer = undefined;
    const selection = store.getState();
    const kind = placesChanged(written, selection);
    written = selection;
    const hash = encodeSelection(selection);
    if (hash === bar.location.hash) {
      lastMove = { kind: '', atMs: -Infinity }; // the browser moved, and the selection followed
      return;
    }
    const url = `${bar.location.pathname}${bar.location.search}${hash}`;
    const atMs = nowMs();
    const sweeps = SWEPT.includes(kind) && kind === lastMove.kind && atMs - lastMove.atMs < SAME_SWEEP_MS;
    if (kind === '' || sweeps) bar.history.replaceState(null, '', url);
    else bar.history.pushState(null, '', url);
    if (kind !== '') lastMove = { kind, atMs };
  };
  const stop = store.subscribe(() => {
    timer ??= setTimeout(write, delayMs);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
