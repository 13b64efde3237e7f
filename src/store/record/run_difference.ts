/** What changed first between two runs: settings, then rollouts, rewards, credit and loss, update by update. Pure. */
import { editLabel, shorten, textMark, type EditedKernel, type NodeId, type RunConfig } from '../../units.ts';
import { firstTreeDifference } from '../credit/compare.ts';
import { LOG_VERSION } from '../../protocol/migrations.ts';
import { differencesOf, methodTitle } from '../lab/knobs.ts';
import { rolloutTree, sameQuestion, tokenText } from './reading.ts';
import { adapterWords, presetConfigs } from './run_name.ts';
import type { RunState, TreeState, UpdateState } from './run_state.ts';

export type DifferenceStage = 'prompts' | 'rollout' | 'rewards' | 'credit' | 'loss';

/** The first thing that differs in one stage. */
export interface RunDifference {
  readonly stage: DifferenceStage;
  readonly update: number;
  readonly prompt: number;
  readonly node: NodeId | null;
  readonly token: number | null; // among the node's tokens, or of a loss row
  readonly a: number | string | null; // reward, advantage or log-probability; of a rollout the token as it reads
  readonly b: number | string | null;
}

/** A whole kernel is no value to read in a table: its mark stands for it. */
function brief(path: string, value: string): string {
  if (!path.startsWith('editedKernel') || value === 'none') return value;
  const text: unknown = JSON.parse(value);
  if (path === 'editedKernel.source' && typeof text === 'string') return `text #${textMark(text)}`;
  return path === 'editedKernel' ? editLabel(text as EditedKernel) : value; // settings that were checked
}

/** Dotted paths of settings that differ, with both values as JSON. */
export function settingDifferences(
  a: RunConfig,
  b: RunConfig,
): readonly { readonly path: string; readonly a: string; readonly b: string }[] {
  return differencesOf(a, b).map(({ path, ...values }) => ({
    path,
    a: brief(path, JSON.stringify(values.a) ?? 'none'),
    b: brief(path, JSON.stringify(values.b) ?? 'none'),
  }));
}

/** A thing in which two runs differ, in words. */
export interface DifferingSetting {
  readonly title: string;
  readonly path: string; // '' for what is no setting
  readonly a: string;
  readonly b: string;
  readonly own: string; // what the preset says; of both where they differ in it; '' for what no preset says
}

const TITLES: Readonly<Record<string, string>> = {
  preset: 'Preset',
  environment: 'Task',
  weights: 'Warm start',
  seed: 'Seed',
  'algorithm.name': 'Method',
};

const spaced = (path: string): string =>
  path
    .split('.')
    .slice(-1)[0]
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace(/^./, (letter) => letter.toUpperCase());

/** By name, where a person would say it: the setting's title, else its path in words. */
export const settingTitle = (ready: RunState['ready'], path: string): string =>
  ready?.knobs.find((knob) => knob.path === path)?.title ?? TITLES[path] ?? spaced(path);

/** JSON as a person reads it. */
const bare = (text: string): string => (text === 'null' ? 'none' : text.replaceAll('"', ''));

/**
 * All in which two runs differ before either has taken a step: settings, beside what their presets say, the adapter, and
 * the version of the log, since an older one lacks what came later.
 * @returns null where one of them names no settings
 */
export function whatDiffers(
  a: Pick<RunState, 'header'>,
  b: Pick<RunState, 'header'>,
  ready: RunState['ready'],
): readonly DifferingSetting[] | null {
  const [left, right] = [a.header?.config, b.header?.config];
  if (!left || !right) return null;
  const ownOf = ({ preset, seed, algorithm }: RunConfig, path: string): string => {
    const base = presetConfigs(ready, { preset, seed, method: algorithm.name }).at(-1);
    const value = path === 'seed' ? undefined : path.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], base); // prettier-ignore
    return value === undefined ? '' : bare(JSON.stringify(value));
  };
  const settings = settingDifferences(left, right).map(({ path, ...values }): DifferingSetting => {
    const owns = [ownOf(left, path), ownOf(right, path)];
    const own = owns[0] === owns[1] ? owns[0] : `A ${owns[0] || '–'}, B ${owns[1] || '–'}`;
    return { title: settingTitle(ready, path), path, a: bare(values.a), b: bare(values.b), own };
  });
  const others: DifferingSetting[] = [];
  const tell = (title: string, x: string, y: string): void =>
    void others.push({ title, path: '', a: x, b: y, own: '' });
  const adapters = [a, b].map(({ header }) => (header?.adapter ? adapterWords(header.adapter) : 'unknown'));
  const [x, y] =
    adapters[0] === adapters[1] ? adapters.map((words, at) => `${words} (${'AB'[at]})`) : adapters;
  if (JSON.stringify(a.header?.adapter) !== JSON.stringify(b.header?.adapter)) tell('Graphics adapter', x, y);
  const [older, newer] = [a, b].map(({ header }) => header?.writtenIn ?? LOG_VERSION);
  if (older !== newer) tell('Version of the log', String(older), String(newer));
  return [...settings, ...others];
}

/** Recordings keep six significant digits, so a run and its recording differ by less than this share. */
const ROUNDING = 1e-5;

const differ = (a: number | null, b: number | null): boolean => {
  if (a === null || b === null) return a !== b;
  return Math.abs(a - b) > ROUNDING * Math.max(Math.abs(a), Math.abs(b)) + 1e-9;
};

type Finder = (a: TreeState, b: TreeState) => Omit<RunDifference, 'update' | 'prompt' | 'stage'> | null;

/** By what is read: two records may number their words differently. */
const findRollout =
  (a: RunState, b: RunState): Finder =>
  (one, other) => {
    const [left, right] = [rolloutTree(one), rolloutTree(other)];
    if (!left || !right) return null;
    const read = ({ texts }: RunState, id: number | null | undefined): string | null =>
      id == null ? null : tokenText(texts, id);
    const found = firstTreeDifference(left, right, (x, y) => read(a, x) === read(b, y));
    return found && { ...found, a: read(a, found.a), b: read(b, found.b) };
  };

const findIn =
  (table: (tree: TreeState) => readonly (number | null)[] | null): Finder =>
  (a, b) => {
    const [left, right] = [table(a), table(b)];
    if (!left || !right) return null;
    const node = left.findIndex((value, id) => id < right.length && differ(value, right[id]));
    return node < 0
      ? null
      : { node: node as NodeId, token: null, a: left[node] ?? null, b: right[node] ?? null };
  };

const findersOf = (a: RunState, b: RunState): readonly (readonly [DifferenceStage, Finder])[] => [
  ['rollout', findRollout(a, b)],
  ['rewards', findIn(({ rewards }) => rewards)],
  ['credit', findIn(({ credit }) => credit?.advantages ?? null)],
];

/** Loss rows of the same prompt and leaf whose gradient differs. */
function findLoss(a: UpdateState, b: UpdateState): Omit<RunDifference, 'update' | 'stage'> | null {
  const rows = new Map(
    b.minibatches.flatMap(({ rows: list }) => list.map((row) => [`${row.prompt}.${row.leaf}`, row] as const)),
  );
  for (const { rows: list } of a.minibatches)
    for (const row of list) {
      const other = rows.get(`${row.prompt}.${row.leaf}`);
      const token = other
        ? row.dlogProb.findIndex((value, index) => differ(value, other.dlogProb[index] ?? null))
        : -1;
      if (other && token >= 0)
        return {
          ...{ prompt: row.prompt, node: row.leaf, token },
          ...{ a: row.dlogProb[token], b: other.dlogProb[token] ?? null },
        };
    }
  return null;
}

function differencesAt(
  runs: readonly [RunState, RunState],
  a: UpdateState,
  b: UpdateState,
): readonly RunDifference[] {
  const { update } = a;
  const count = Math.min(a.trees.length, b.trees.length);
  const other = a.trees.findIndex(
    (tree, prompt) => prompt >= count || !sameQuestion(runs[0], tree.prompt, runs[1], b.trees[prompt].prompt),
  );
  if (other >= 0)
    return [{ stage: 'prompts', update, prompt: other, node: null, token: null, a: null, b: null }];
  const staged = findersOf(...runs).flatMap(([stage, find]): RunDifference[] => {
    for (let prompt = 0; prompt < count; prompt += 1) {
      const found = find(a.trees[prompt], b.trees[prompt]);
      if (found) return [{ stage, update, prompt, ...found }];
    }
    return [];
  });
  const loss = findLoss(a, b);
  return loss ? [...staged, { stage: 'loss', update, ...loss }] : staged;
}

/** Every stage that differs in the first update that differs at all; empty where nothing does so far. */
export function whatChangedFirst(a: RunState, b: RunState): readonly RunDifference[] {
  const count = Math.min(a.updates.length, b.updates.length);
  for (let index = 0; index < count; index += 1) {
    if (a.updates[index].detail !== 'here' || b.updates[index].detail !== 'here') continue; // as of a fork, before it began
    const found = differencesAt([a, b], a.updates[index], b.updates[index]);
    if (found.length > 0) return found;
  }
  return [];
}

const MOST_NAMED = 3; // settings in a name

/**
 * A run among many, by what is its own: method, preset, the settings in which it differs from them, seed. As "DAPO ·
 * instant · learning rate 0.001 · seed 4".
 */
export function configWords(config: RunConfig, ready: RunState['ready']): string {
  const { algorithm, preset, seed } = config;
  const bases = presetConfigs(ready, { preset, seed, method: algorithm.name });
  const isChange = ({ path }: { readonly path: string }): boolean =>
    !/^algorithm(\.name)?$/.test(path) && path !== 'preset';
  const [changes = []] = bases
    .map((base) => settingDifferences(base, config).filter(isChange))
    .sort((a, b) => a.length - b.length);
  const named = changes
    .slice(0, MOST_NAMED)
    .map(({ path, b }) => ({ title: settingTitle(ready, path).toLowerCase(), value: bare(b) }))
    .map(({ title, value }) => (value === 'none' ? `no ${title}` : `${title} ${value}`));
  const more = changes.length > MOST_NAMED ? [`${changes.length - MOST_NAMED} more`] : [];
  return [methodTitle(algorithm.name), preset, ...named, ...more, `seed ${seed}`]
    .map((words) => shorten(words))
    .join(' · ');
}
