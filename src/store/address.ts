/** The selection as a versioned URL hash, defaults omitted: `#v1&view=tree&update=12&prompt=3&node=5`. */
import { ADVANTAGE_RULES, VALUE_RULES, nodeId, type NodeId } from '../units.ts';
import {
  INITIAL_SELECTION,
  TREE_COLOURS,
  VIEWS,
  type Pin,
  type Selection,
  type SelectionStore,
  type TreeQuery,
  type WhatIfReward,
} from './selection.ts';

const VERSION = 'v1';
const NUMBERS = ['update', 'prompt', 'node', 'leaf', 'token', 'creditFrame', 'growth'] as const;

export function encodeSelection(selection: Selection): string {
  const parts: string[] = [];
  if (selection.view !== INITIAL_SELECTION.view) parts.push(`view=${selection.view}`);
  for (const key of NUMBERS)
    if (selection[key] !== INITIAL_SELECTION[key]) parts.push(`${key}=${selection[key] ?? ''}`);
  const { valueRule, advantageRule, leafNormalisation, whatIf, pinned } = selection;
  if (valueRule) parts.push(`valueRule=${valueRule}`);
  if (advantageRule) parts.push(`advantageRule=${advantageRule}`);
  if (selection.againstValue) parts.push(`againstValue=${selection.againstValue}`);
  if (selection.againstAdvantage) parts.push(`againstAdvantage=${selection.againstAdvantage}`);
  if (leafNormalisation !== null) parts.push(`leafNormalisation=${leafNormalisation ? 1 : 0}`);
  if (whatIf.length > 0)
    parts.push(`whatIf=${whatIf.map(({ leaf, reward }) => `${leaf}:${reward}`).join(',')}`);
  if (pinned) parts.push(`pinned=${pinned.update}.${pinned.prompt}.${pinned.node}`);
  if (selection.colour !== INITIAL_SELECTION.colour) parts.push(`colour=${selection.colour}`);
  if (selection.batch) parts.push('batch=1');
  if (selection.beside) parts.push('beside=1');
  if (selection.find) parts.push(`find=${encodeQuery(selection.find)}`);
  return parts.length === 0 ? '' : `#${[VERSION, ...parts].join('&')}`;
}

const encodeQuery = ({ text, tag, reward, low, high }: TreeQuery): string =>
  [text, tag, reward, low ?? '', high ?? ''].map((part) => encodeURIComponent(part)).join(',');

const count = (text: string | null): number | null => (text && /^\d{1,9}$/.test(text) ? Number(text) : null);
const node = (text: string | null): NodeId | null => {
  const index = count(text);
  return index === null ? null : nodeId(index);
};

function pin(text: string | null): Pin | null {
  const [update, prompt, id] = (text ?? '').split('.').map(count);
  return update == null || prompt == null || id == null ? null : { update, prompt, node: nodeId(id) };
}

function rewards(text: string | null): readonly WhatIfReward[] {
  const entries = (text ?? '').split(',').map((entry) => entry.split(':'));
  return entries.flatMap(([leafText, rewardText]) => {
    const leaf = node(leafText);
    const reward = rewardText ? Number(rewardText) : NaN;
    return leaf !== null && Number.isFinite(reward) ? [{ leaf, reward }] : [];
  });
}

const nats = (text: string): number | null =>
  text !== '' && Number.isFinite(Number(text)) ? Number(text) : null;

/** @param hash undecoded: a comma of the text is escaped there, one between the parts is not */
function query(hash: string): TreeQuery | null {
  const parts = /&find=([^&]*)/.exec(hash)?.[1].split(',');
  if (parts?.length !== 5) return null;
  try {
    const [text, tag, reward, low, high] = parts.map(decodeURIComponent);
    return { text, tag, reward, low: nats(low), high: nats(high) };
  } catch {
    return null; // broken escapes
  }
}

const flag = (text: string | null): boolean | null => (text === '1' ? true : text === '0' ? false : null);

/** Reads a hash of any origin: what is unknown or malformed keeps its default. */
export function decodeSelection(hash: string): Selection {
  const [version, ...parts] = hash.replace(/^#/, '').split('&');
  if (version !== VERSION) return INITIAL_SELECTION;
  const fields = new URLSearchParams(parts.join('&'));
  return {
    view: VIEWS.find((view) => view === fields.get('view')) ?? INITIAL_SELECTION.view,
    update: count(fields.get('update')),
    prompt: count(fields.get('prompt')) ?? INITIAL_SELECTION.prompt,
    node: node(fields.get('node')),
    leaf: node(fields.get('leaf')),
    token: count(fields.get('token')),
    creditFrame: count(fields.get('creditFrame')) ?? INITIAL_SELECTION.creditFrame,
    growth: count(fields.get('growth')),
    valueRule: VALUE_RULES.find((rule) => rule === fields.get('valueRule')) ?? null,
    advantageRule: ADVANTAGE_RULES.find((rule) => rule === fields.get('advantageRule')) ?? null,
    againstValue: VALUE_RULES.find((rule) => rule === fields.get('againstValue')) ?? null,
    againstAdvantage: ADVANTAGE_RULES.find((rule) => rule === fields.get('againstAdvantage')) ?? null,
    leafNormalisation: flag(fields.get('leafNormalisation')),
    whatIf: rewards(fields.get('whatIf')),
    pinned: pin(fields.get('pinned')),
    colour: TREE_COLOURS.find((name) => name === fields.get('colour')) ?? INITIAL_SELECTION.colour,
    batch: fields.get('batch') === '1',
    beside: fields.get('beside') === '1',
    find: query(hash),
    hovered: null,
  };
}

/** What the mirror needs of a window. */
export interface AddressBar {
  readonly location: { readonly hash: string; readonly pathname: string; readonly search: string };
  readonly history: {
    replaceState(data: unknown, unused: string, url: string): void;
    pushState(data: unknown, unused: string, url: string): void;
  };
}

/** A change of one of these is a place of its own to come back to; all else is a cursor within it. */
const PLACES = ['view', 'update', 'prompt', 'node', 'pinned', 'batch', 'beside'] as const;

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
