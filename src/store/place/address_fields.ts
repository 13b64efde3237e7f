/** How each field of the selection stands in the address. Escapes are a field's own business: text may hold commas. */
import { ADVANTAGE_RULES, VALUE_RULES, nodeId, type NodeId } from '../../units.ts';
import type { ExpansionRule } from '../credit/expansion_what_if.ts';
import type { RecipeChange, RunName } from '../record/run_name.ts';
import { parseExample, writeExample } from '../lesson/example.ts';
import {
  COMPARED,
  PREDICTIONS,
  STRIDES,
  TOKEN_COLOURS,
  TREE_COLOURS,
  TREE_ORDERS,
  TREE_STATES,
  UPDATE_SIGNS,
  VIEWS,
  WORD_SHADINGS,
  type BatchFilter,
  type ClipWhatIf,
  type Folds,
  type Pin,
  type Selection,
  type TreeQuery,
  type WhatIfReward,
} from './selection.ts';

interface Codec<T> {
  readonly write: (value: T) => string;
  readonly read: (text: string) => T | undefined; // undefined: not understood
}

export interface AddressField {
  readonly name: string;
  readonly write: (selection: Selection) => string;
  readonly read: (text: string) => Partial<Selection> | undefined;
}

const field = <K extends keyof Selection>(
  key: K,
  codec: Codec<Selection[K]>,
  name: string = key,
): AddressField => ({
  name,
  write: (selection) => codec.write(selection[key]),
  read: (text) => {
    const value = codec.read(text);
    return value === undefined ? undefined : { [key]: value }; // K's own value
  },
});

const choice = <T extends string>(options: readonly T[]): Codec<T> => ({
  write: (value) => value,
  read: (text) => options.find((option) => option === text),
});

/** Null, a choice left to the run, is written as nothing. */
const orNull = <T>({ write, read }: Codec<T>): Codec<T | null> => ({
  write: (value) => (value === null ? '' : write(value)),
  read,
});

const count: Codec<number> = {
  write: String,
  read: (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined),
};
const node: Codec<NodeId> = {
  write: String,
  read: (text) => {
    const index = count.read(text);
    return index === undefined ? undefined : nodeId(index);
  },
};
const flag: Codec<boolean> = {
  write: (value) => (value ? '1' : '0'),
  read: (text) => (text === '1' ? true : text === '0' ? false : undefined),
};

const real = (text: string | undefined, low: number, high: number): number | undefined => {
  const value = text ? Number(text) : NaN;
  return value >= low && value <= high ? value : undefined;
};

/** Parts between commas, each escaped; undefined where there are not as many, or an escape is broken. */
function partsOf(text: string, length: number): readonly string[] | undefined {
  const parts = text.split(',');
  if (parts.length !== length) return undefined;
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
const joined = (parts: readonly (string | number)[]): string =>
  parts.map((part) => encodeURIComponent(part)).join(',');

const run: Codec<RunName> = {
  write: ({ method, preset, seed, settings, adapter }) => joined([method, preset, seed, settings, adapter]),
  read: (text) => {
    const [method, preset, seedText, settings, adapter] = partsOf(text, 5) ?? [];
    const seed = real(seedText, 0, 2 ** 32 - 1);
    const digests = [settings, adapter].every((part) => /^[0-9a-f]{8}$/.test(part ?? ''));
    if (seed === undefined || !Number.isInteger(seed) || !digests) return undefined;
    return { method, preset, seed, settings, adapter };
  },
};

/** A hand may have written it: only plain settings are taken. */
function settingOf(text: string): RecipeChange | undefined {
  const at = text.indexOf(':');
  const path = text.slice(0, at);
  if (!/^[a-zA-Z]\w*(\.[a-zA-Z]\w*)*$/.test(path) || /\b(constructor|prototype)\b/.test(path))
    return undefined;
  try {
    return { path, value: JSON.parse(decodeURIComponent(text.slice(at + 1))) as unknown };
  } catch {
    return undefined;
  }
}

/** "optimiser.learningRate:0.001;seed:4"; what JSON reads as text is written as JSON. */
const recipe: Codec<readonly RecipeChange[]> = {
  write: (changes) =>
    changes.map(({ path, value }) => `${path}:${encodeURIComponent(JSON.stringify(value))}`).join(';'),
  read: (text) => {
    const read = text.split(';').map(settingOf);
    return read.includes(undefined) ? undefined : (read as readonly RecipeChange[]); // all were understood
  },
};

const pin: Codec<Pin> = {
  write: ({ update, prompt, node: at }) => `${update}.${prompt}.${at}`,
  read: (text) => {
    const [update, prompt, id] = text.split('.').map(count.read);
    if (update === undefined || prompt === undefined || id === undefined) return undefined;
    return { update, prompt, node: nodeId(id) };
  },
};

const rewards: Codec<readonly WhatIfReward[]> = {
  write: (entries) => entries.map(({ leaf, reward }) => `${leaf}:${reward}`).join(','),
  read: (text) => {
    const read = text.split(',').map((entry) => {
      const [leafText, rewardText] = entry.split(':');
      return { leaf: node.read(leafText), reward: real(rewardText, -1e9, 1e9) };
    });
    const known = read.flatMap(({ leaf, reward }) =>
      leaf === undefined || reward === undefined ? [] : [{ leaf, reward }],
    );
    return known.length === read.length ? known.toSorted((a, b) => a.leaf - b.leaf) : undefined;
  },
};

const nats = (text: string): number | null => real(text, -1e9, 1e9) ?? null;

const query: Codec<TreeQuery> = {
  write: ({ text, tag, reward, low, high }) => joined([text, tag, reward, low ?? '', high ?? '']),
  read: (written) => {
    const parts = partsOf(written, 5);
    if (!parts) return undefined;
    const [text, tag, reward, low, high] = parts;
    return { text, tag, reward, low: nats(low), high: nats(high) };
  },
};

const clip: Codec<ClipWhatIf> = {
  write: ({ low, high }) => joined([low, high]),
  read: (text) => {
    const [low, high] = (partsOf(text, 2) ?? []).map((part) => real(part, 0, 1));
    return low === undefined || high === undefined ? undefined : { low, high };
  },
};

const filter: Codec<BatchFilter> = {
  write: ({ status, dataset, reward }) => joined([status, dataset, reward]),
  read: (text) => {
    const [statusText, dataset, reward] = partsOf(text, 3) ?? [];
    const status = TREE_STATES.find((known) => known === statusText);
    return status === undefined ? undefined : { status, dataset, reward };
  },
};

const nodes = (text: string): readonly NodeId[] | undefined => {
  const read = text === '' ? [] : text.split('.').map(node.read);
  return read.includes(undefined) ? undefined : (read as readonly NodeId[]); // all were understood
};

const folds: Codec<Folds> = {
  write: ({ collapsed, opened, unstacked }) =>
    joined([collapsed.join('.'), opened.join('.'), unstacked ? 1 : 0]),
  read: (text) => {
    const parts = partsOf(text, 3);
    const [collapsed, opened, unstacked] = [nodes(parts?.[0] ?? '-'), nodes(parts?.[1] ?? '-'), flag.read(parts?.[2] ?? '')]; // prettier-ignore
    return collapsed && opened && unstacked !== undefined ? { collapsed, opened, unstacked } : undefined;
  },
};

const expansionRule: Codec<ExpansionRule> = {
  write: ({ siblingPenalty, picks, expansion }) => joined([siblingPenalty, picks, expansion]),
  read: (text) => {
    const [penalty, picksText, kind] = partsOf(text, 3) ?? [];
    const siblingPenalty = real(penalty, 0, 100);
    const picks = real(picksText, 1, 64);
    if (siblingPenalty === undefined || !Number.isInteger(picks)) return undefined;
    if (kind !== 'entropy' && kind !== 'random') return undefined;
    return { siblingPenalty, picks: picks as number, expansion: kind };
  },
};

const lesson: Codec<string> = {
  write: (name) => name,
  read: (text) => (/^[a-z0-9_]{1,40}$/.test(text) ? text : undefined), // whether it is there, the catalogue knows
};

const example: Codec<string> = {
  write: (text) => text,
  read: (text) => {
    try {
      return writeExample(parseExample(decodeURIComponent(text)));
    } catch {
      return undefined;
    }
  },
};

const words: Codec<string> = {
  write: encodeURIComponent,
  read: (text) => partsOf(text, 1)?.[0],
};

/** In the order in which they are written. */
export const FIELDS: readonly AddressField[] = [
  field('lesson', orNull(lesson)),
  field('lessonStep', count, 'step'),
  field('example', orNull(example)),
  field('run', orNull(run)),
  field('recipe', orNull(recipe), 'set'),
  field('view', choice(VIEWS)),
  field('update', orNull(count)),
  field('prompt', count),
  field('node', orNull(node)),
  field('leaf', orNull(node)),
  field('token', orNull(count)),
  field('creditFrame', count, 'phase'), // the step of reward → normalise → value → advantage → tokens
  field('stride', choice(STRIDES)),
  field('predict', orNull(choice(PREDICTIONS))),
  field('hands', flag),
  field('growth', orNull(count)),
  field('valueRule', orNull(choice(VALUE_RULES))),
  field('advantageRule', orNull(choice(ADVANTAGE_RULES))),
  field('againstValue', orNull(choice(VALUE_RULES))),
  field('againstAdvantage', orNull(choice(ADVANTAGE_RULES))),
  field('leafNormalisation', orNull(flag)),
  field('whatIf', rewards),
  field('pinned', orNull(pin)),
  field('colour', choice(TREE_COLOURS)),
  field('batch', flag),
  field('beside', flag),
  field('find', orNull(query)),
  field('tokenColour', choice(TOKEN_COLOURS), 'tokens'),
  field('clip', orNull(clip)),
  field('compared', choice(COMPARED), 'compare'),
  field('experiment', orNull(words)),
  field('onlyPath', flag),
  field('folds', folds),
  field('shading', choice(WORD_SHADINGS), 'words'),
  field('wholePath', flag),
  field('filter', filter),
  field('order', choice(TREE_ORDERS)),
  field('sign', choice(UPDATE_SIGNS)),
  field('round', orNull(count)),
  field('expansionRule', orNull(expansionRule), 'expandBy'),
];
