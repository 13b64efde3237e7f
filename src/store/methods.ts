/** Which method a configuration is: a catalogue entry, and the settings in which it differs from it. Pure. */
import { algorithms } from '../algo/index.ts';
import { scaleAlgorithm, type LabScale } from '../algo/scale.ts';
import type { AlgorithmConfig } from '../units.ts';
import type { KnobValue } from './knobs.ts';

export { plateauCaution } from '../algo/boundary.ts';
export type { AlgorithmDescription } from '../train/protocol.ts';

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
