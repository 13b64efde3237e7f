/** Reads and writes one setting of a RunConfig by its dotted path, as KnobDescription names it. */
import { grownRows, scaleAlgorithm, type LabScale } from '../../algo/catalogue/defaults.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import type { KnobDescription, KnobValue } from '../../protocol/protocol.ts';
import type { AlgorithmConfig, RunConfig } from '../../units.ts';

export type { KnobDescription, KnobValue } from '../../protocol/protocol.ts';

type Branch = Readonly<Record<string, unknown>>;

/** @returns undefined where the config has no such path */
export function readKnob(config: RunConfig, path: string): KnobValue | undefined {
  let value: unknown = config;
  for (const key of path.split('.')) value = (value as Branch | undefined)?.[key];
  return value as KnobValue | undefined; // paths come from the engine, which owns RunConfig's shape
}

/** Whether the configuration's parts read this setting at all. */
export const isRead = (config: RunConfig, { when }: KnobDescription): boolean =>
  when.every(({ path, values }) => {
    const value = readKnob(config, path);
    return value !== undefined && values.includes(value);
  });

function written(branch: Branch, [key, ...rest]: readonly string[], value: unknown): Branch {
  const inner = Object.hasOwn(branch, key) ? branch[key] : {};
  return { ...branch, [key]: rest.length === 0 ? value : written(inner as Branch, rest, value) };
}

/** A config with any setting of it changed; nothing follows from it. Undefined takes a setting away. */
export const withSetting = (config: RunConfig, path: string, value: unknown): RunConfig =>
  written(config as unknown as Branch, path.split('.'), value) as unknown as RunConfig;

/** A setting in which two configurations differ; undefined where one has no such setting. */
export interface SettingDifference {
  readonly path: string; // dotted, into RunConfig
  readonly a: unknown;
  readonly b: unknown;
}

const isBranch = (value: unknown): value is Branch =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function differencesOf(a: unknown, b: unknown, path = ''): readonly SettingDifference[] {
  if (isBranch(a) && isBranch(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      differencesOf(a[key], b[key], path === '' ? key : `${path}.${key}`),
    );
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ path, a, b }];
}

/** Rows of a tree follow from its shape. */
function withLeafCount(config: RunConfig): RunConfig {
  const rollout = { ...config.algorithm.rollout, leavesPerTree: grownRows(config.algorithm.rollout) };
  return { ...config, algorithm: { ...config.algorithm, rollout } };
}

const TREE_SHAPE = /\.(shape|initialBranches|iterations|picks)$/;

/**
 * @returns a new config; what shapes the tree also sets the leaves per tree, and key and value heads go with the query heads
 * while they are as many
 */
export function writeKnob(config: RunConfig, path: string, value: KnobValue): RunConfig {
  const changed = withSetting(config, path, value);
  const { heads, kvHeads } = config.model;
  if (path === 'model.heads' && heads === kvHeads) return withSetting(changed, 'model.kvHeads', value);
  return TREE_SHAPE.test(path) ? withLeafCount(changed) : changed;
}

// Which settings a person sees: those that a search finds, and those that are not the preset's.

/** Whether each word of a search stands in what a setting's row says; an empty search finds all. */
export function isFound({ title, term, path, description }: KnobDescription, search: string): boolean {
  const text = `${title} ${term} ${path} ${description}`.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word)); // prettier-ignore
}

/** A setting that is read and is not what the preset says, under the method that was chosen. */
export interface ChangedSetting {
  readonly path: string; // dotted, into RunConfig; algorithm.name and weights too
  readonly value: KnobValue | null;
  readonly own: KnobValue | null; // the preset's
}

/** @param own the preset as it is under the method of `config` @param preset with its own method */
export function changedSettings(
  config: RunConfig,
  own: RunConfig,
  preset: RunConfig,
  knobs: readonly KnobDescription[],
): readonly ChangedSetting[] {
  const order = ['weights', ...knobs.filter((knob) => isRead(config, knob)).map(({ path }) => path)];
  const place = ({ path }: SettingDifference): number => order.indexOf(path);
  const changed = differencesOf(own, config)
    .filter((difference) => place(difference) >= 0)
    .toSorted((a, b) => place(a) - place(b));
  const method = differencesOf(preset.algorithm.name, config.algorithm.name, 'algorithm.name');
  return [...method, ...changed].map(({ path, a, b }) => ({
    path,
    value: (b ?? null) as KnobValue | null, // of a setting
    own: (a ?? null) as KnobValue | null,
  }));
}

/** Another algorithm at the size of a preset. */
export const withAlgorithm = (config: RunConfig, algorithm: AlgorithmConfig, scale: LabScale): RunConfig => ({
  ...config,
  algorithm: scaleAlgorithm(algorithm, scale),
});

// Which method a configuration is: a catalogue entry, and the settings in which it differs from it. Pure.

export { plateauCaution } from '../../algo/reward/boundary.ts';
export type { AlgorithmDescription } from '../../protocol/protocol.ts';

/** A setting that is not the method's own. */
export interface MethodChange {
  readonly path: string; // dotted, into AlgorithmConfig
  readonly own: KnobValue; // the method's, at the preset's size
  readonly value: KnobValue;
}

type Settings = Readonly<Record<string, Readonly<Record<string, KnobValue>>>>;

const PARTS = ['rollout', 'reward', 'filter', 'credit', 'loss'] as const;

/** Settings that follow the size of a preset; without the preset's scale they cannot be compared. */
const SCALED = /^(rollout\.(initialBranches|picks|leavesPerTree|hybridRows)|loss\.clip(Low|High))$/;

/** @param scale of the run's preset; null where it is not known */
export function methodChanges(config: AlgorithmConfig, scale: LabScale | null): readonly MethodChange[] {
  const known: Readonly<Record<string, { readonly config: AlgorithmConfig } | undefined>> = algorithms;
  const method = known[config.name]?.config;
  if (!method) return [];
  const own = (scale ? scaleAlgorithm(method, scale) : method) as unknown as Settings;
  const has = config as unknown as Settings; // both are records of plain settings
  return PARTS.flatMap((part) =>
    Object.keys(has[part]).flatMap((key): MethodChange[] => {
      const path = `${part}.${key}`;
      if (has[part][key] === own[part][key] || (!scale && SCALED.test(path))) return [];
      return [{ path, own: own[part][key], value: has[part][key] }];
    }),
  );
}

/** Title of a catalogue entry; the name itself where there is none. */
export const methodTitle = (name: string): string =>
  (algorithms as Readonly<Record<string, { readonly title: string } | undefined>>)[name]?.title ?? name;
