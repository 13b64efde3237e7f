/**
 * A name by which an address says which run it is about: method, preset and seed in words, and digests of everything
 * else that makes its numbers, the settings and the adapter. Two runs of one name have the same bits. Pure.
 */
import type { AdapterDescription } from '../../protocol/protocol.ts';
import { shorten, type RunConfig } from '../../units.ts';
import { differencesOf, methodTitle, withAlgorithm, withSetting } from '../lab/knobs.ts';
import type { RunHeader, RunState } from './run_state.ts';

type NamedHeader = Pick<RunHeader, 'config' | 'adapter'> & Partial<Pick<RunHeader, 'origin' | 'date'>>;

export interface RunName {
  readonly method: string; // catalogue name, or 'file'
  readonly preset: string; // of a file: its name
  readonly seed: number; // uint32
  readonly settings: string; // digest of the whole configuration
  readonly adapter: string; // digest: adapters round differently
}

const SIGNIFICANT_DIGITS = 6; // what a saved run keeps of a number

/** JSON with sorted keys and rounded numbers: the same text for a run and for its recording. */
function canonical(value: unknown): string {
  if (typeof value === 'number')
    return String(Number.isInteger(value) ? value : Number(value.toPrecision(SIGNIFICANT_DIGITS)));
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`)
    .join()}}`;
}

/** FNV-1a, 32 bits, eight hexadecimal digits: tells runs apart, and proves nothing. */
function digest(value: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(canonical(value)))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}

/** In place of a method and a preset: the record was read from a file, and names none. */
const FILE = 'file';
const EXAMPLE = 'example';

const names = new WeakMap<NamedHeader, RunName>(); // asked for with every batch of events

export function runName(header: NamedHeader): RunName {
  const known = names.get(header) ?? nameOf(header);
  names.set(header, known);
  return known;
}

function nameOf({ config, adapter, origin, date }: NamedHeader): RunName {
  if (!config) {
    const file = origin?.kind === 'imported' ? origin.file : '';
    return {
      method: origin?.kind === 'example' ? EXAMPLE : FILE,
      preset: file,
      seed: 0,
      settings: digest({ origin, date }),
      adapter: digest(adapter),
    };
  }
  const { algorithm, preset, seed } = config;
  return { method: algorithm.name, preset, seed, settings: digest(config), adapter: digest(adapter) };
}

export const sameRun = (a: RunName, b: RunName): boolean =>
  a.settings === b.settings && a.adapter === b.adapter;

/** As a person would name it. */
export const runWords = ({ method, preset, seed }: RunName): string =>
  method === EXAMPLE
    ? 'an example'
    : method === FILE
      ? `file ${shorten(preset)}`
      : trainedWords(method, preset, seed);

const trainedWords = (method: string, preset: string, seed: number): string =>
  `${shorten(methodTitle(method))}, preset ${shorten(preset)}, seed ${seed}`;

export const adapterWords = ({ description, vendor, architecture }: AdapterDescription): string =>
  description || [vendor, architecture].filter((word) => word !== '').join(' ') || 'an unnamed adapter';

/** A setting in which a recipe differs from what its preset and method say. */
export interface RecipeChange {
  readonly path: string; // dotted, into RunConfig
  readonly value: unknown; // JSON
}

/** What a preset says at that seed: with its own method, and with another at its size. None where the preset is not known. */
export function presetConfigs(
  ready: RunState['ready'],
  { preset, method, seed }: Pick<RunName, 'preset' | 'method' | 'seed'>,
): readonly RunConfig[] {
  const known = ready?.presets.find(({ name }) => name === preset);
  const other = ready?.algorithms.find(({ name }) => name === method);
  if (!known) return [];
  const own = { ...known.config, seed };
  return other ? [own, withAlgorithm(own, other.config, known.scale)] : [own];
}

const LEFT_OUT = /^(preset|seed|editedKernel)/; // the name says the first two; a kernel is a text

/** The fewest changes that make a configuration of its preset; null where no link can carry it. */
export function recipeChanges(
  config: RunConfig | null,
  ready: RunState['ready'],
): readonly RecipeChange[] | null {
  if (!config || config.editedKernel) return null;
  const { preset, seed, algorithm } = config;
  const [fewest = null] = presetConfigs(ready, { preset, seed, method: algorithm.name })
    .map((base) => differencesOf(base, config).map(({ path, b }) => ({ path, value: b })))
    .sort((a, b) => a.length - b.length);
  return fewest?.some(({ value }) => value === undefined) ? null : fewest; // a record of before the setting was there
}

/**
 * The configuration that a name is of.
 * @param changes that came with the name: the settings of its preset and method that are not theirs
 * @returns null where these do not make the digest of the name: a kernel was edited, or the preset is another now
 */
export function configOf(
  { ready }: Pick<RunState, 'ready'>,
  name: RunName,
  changes: readonly RecipeChange[] = [],
): RunConfig | null {
  const configs = presetConfigs(ready, name).map((base) =>
    changes
      .filter(({ path }) => !LEFT_OUT.test(path))
      .reduce((config, { path, value }) => withSetting(config, path, value), base),
  );
  return configs.find((config) => digest(config) === name.settings) ?? null;
}
