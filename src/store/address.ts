/** The selection as a versioned URL hash, defaults omitted: `#v1&view=tree&update=12&prompt=3&node=5`. */
import { ADVANTAGE_RULES, VALUE_RULES, nodeId, type NodeId } from '../units.ts';
import {
  INITIAL_SELECTION,
  VIEWS,
  type Pin,
  type Selection,
  type SelectionStore,
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
  return parts.length === 0 ? '' : `#${[VERSION, ...parts].join('&')}`;
}

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
    hovered: null,
  };
}

/** What the mirror needs of a window. */
export interface AddressBar {
  readonly location: { readonly hash: string; readonly pathname: string; readonly search: string };
  readonly history: { replaceState(data: unknown, unused: string, url: string): void };
}

/**
 * Writes the selection to the address bar, at most once per `delayMs`: browsers limit replaceState.
 * @returns a function that stops the mirror
 */
export function mirrorSelection(store: SelectionStore, bar: AddressBar, delayMs = 250): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (): void => {
    timer = undefined;
    const hash = encodeSelection(store.getState());
    if (hash === bar.location.hash) return;
    bar.history.replaceState(null, '', `${bar.location.pathname}${bar.location.search}${hash}`);
  };
  const stop = store.subscribe(() => {
    timer ??= setTimeout(write, delayMs);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
