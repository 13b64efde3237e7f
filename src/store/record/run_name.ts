/**
 * A name by which an address says which run it is about: method, preset and seed in words, and digests of everything
 * else that makes its numbers, the settings and the adapter. Two runs of one name have the same bits. Pure.
 */
import type { AdapterDescription } from '../../protocol/protocol.ts';
import { shorten, type RunConfig } from '../../units.ts';
import { methodTitle, withAlgorithm } from '../lab/knobs.ts';
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

export function runName({ config, adapter, origin, date }: NamedHeader): RunName {
  if (!config) {
    const file = origin?.kind === 'imported' ? origin.file : '';
    return {
      method: FILE,
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
  method === FILE ? `file ${shorten(preset)}` : trainedWords(method, preset, seed);

const trainedWords = (method: string, preset: string, seed: number): string =>
  `${shorten(methodTitle(method))}, preset ${shorten(preset)}, seed ${seed}`;

export const adapterWords = ({ description, vendor, architecture }: AdapterDescription): string =>
  description || [vendor, architecture].filter((word) => word !== '').join(' ') || 'an unnamed adapter';

/** The configuration of that name among presets and catalogue methods at any seed; null where settings were changed by hand. */
export function configOf({ ready }: Pick<RunState, 'ready'>, name: RunName): RunConfig | null {
  const preset = ready?.presets.find((entry) => entry.name === name.preset);
  const method = ready?.algorithms.find((entry) => entry.name === name.method);
  if (!preset) return null;
  const own = { ...preset.config, seed: name.seed };
  const configs = method ? [own, withAlgorithm(own, method.config, preset.scale)] : [own];
  return configs.find((config) => digest(config) === name.settings) ?? null;
}
