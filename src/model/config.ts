import type { ModelConfig } from '../units.ts';
import { ConfigError } from './errors.ts';
import { parameterMap } from './parameters.ts';

const SIZES = ['vocabularySize', 'channels', 'layers', 'heads', 'kvHeads', 'headSize', 'hidden'] as const;
const VECTORISED = ['channels', 'headSize', 'hidden'] as const; // kernels read rows as vec4f
const FLAGS = ['queryKeyNorm', 'tiedOutput', 'previousTokenMixing'] as const;
const SCALARS = ['rmsEpsilon', 'ropeTheta', 'logitScale'] as const;

type Unchecked = Readonly<Partial<Record<keyof ModelConfig, unknown>>>;

/** Where a configuration comes from: what its fields are called there, and what to do about a bad one. */
export interface ConfigOrigin {
  readonly place: string;
  readonly nameOf: (field: string) => string;
  readonly nextFor: (name: string) => string;
}

const RUN: ConfigOrigin = {
  place: 'model',
  nameOf: (field) => field,
  nextFor: (name) => `Correct ${name} in the run's configuration, or choose a preset.`,
};

/** @throws ConfigError naming the field as its origin does */
export function rejectField(origin: ConfigOrigin, field: string, got: unknown, wanted: string): never {
  const name = origin.nameOf(field);
  throw new ConfigError({
    what: `The model configuration has a bad ${name}`,
    where: `${origin.place}.${name}`,
    got: got === undefined ? 'nothing' : (JSON.stringify(got) ?? 'a value that is not JSON'),
    wanted,
    next: origin.nextFor(name),
  });
}

/**
 * Checks a model configuration, read from a file or typed by hand.
 * @returns the configuration with the known fields only
 * @throws ConfigError naming the first bad field
 */
export function checkModelConfig(value: unknown, origin = RUN): ModelConfig {
  const reject = (field: string, got: unknown, wanted: string): never =>
    rejectField(origin, field, got, wanted);
  if (typeof value !== 'object' || value === null) return reject('config', value, 'an object');
  const config = value as Unchecked;
  for (const field of SIZES) {
    const size = config[field];
    if (!Number.isSafeInteger(size) || (size as number) < 1)
      reject(field, size, 'a whole number of at least 1');
  }
  for (const field of VECTORISED)
    if ((config[field] as number) % 4 !== 0) reject(field, config[field], 'a multiple of 4');
  for (const field of FLAGS)
    if (typeof config[field] !== 'boolean') reject(field, config[field], 'true or false');
  for (const field of SCALARS) {
    const scalar = config[field];
    if (!Number.isFinite(scalar) || (scalar as number) <= 0) reject(field, scalar, 'a finite number above 0');
  }
  const checked = Object.fromEntries([...SIZES, ...FLAGS, ...SCALARS].map((field) => [field, config[field]]));
  const model = checked as unknown as ModelConfig; // every field was checked above
  if (model.heads % model.kvHeads !== 0)
    reject('kvHeads', model.kvHeads, `a divisor of ${origin.nameOf('heads')} (${model.heads})`);
  return model;
}

/** Number of trainable scalars. */
export const parameterCount = (config: ModelConfig): number => parameterMap(config).count;
