import { quote, type ModelConfig } from '../units.ts';
import { ConfigError } from './errors.ts';

/** Most of each size. Kernels say 128 for a head (registers); layers are compiled one by one; the product is bounded below. */
const SIZES = {
  vocabularySize: 65_536,
  channels: 32_768,
  layers: 256,
  heads: 1024,
  kvHeads: 1024,
  headSize: 128,
  hidden: 65_536,
} as const;
const VECTORISED = ['channels', 'headSize', 'hidden'] as const; // kernels read rows as vec4f
const FLAGS = ['queryKeyNorm', 'tiedOutput', 'previousTokenMixing'] as const;
const SCALARS = {
  rmsEpsilon: [1e-20, 1], // the backward pass takes ε^(−3/2), at most 1e30 in float32
  ropeTheta: [1, 1e30], // below 1 angles grow beyond their positions
  logitScale: [1e-3, 1e3], // the embedding starts at its inverse, and its gradient's squares are summed in float32
} as const;
const MOST_PARAMETERS = 1e9; // float32; they are one buffer, of which WebGPU binds less than 4 GiB

type Unchecked = Readonly<Partial<Record<keyof ModelConfig, unknown>>>;

const named = <Name extends string>(record: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(record) as Name[]; // an object literal has the keys of its type

const reject = (field: string, got: string, wanted: string): never => {
  throw new ConfigError({
    what: `The model configuration has a bad ${field}`,
    where: `model.${field}`,
    got,
    wanted,
    next: `Correct ${field} in the run's configuration, or choose a preset.`,
  });
};

function checkSizes(config: Unchecked): void {
  for (const field of named(SIZES)) {
    const size = config[field];
    if (!Number.isSafeInteger(size) || (size as number) < 1 || (size as number) > SIZES[field])
      reject(field, quote(size), `a whole number from 1 to ${SIZES[field]}`);
  }
  for (const field of VECTORISED)
    if ((config[field] as number) % 4 !== 0) reject(field, quote(config[field]), 'a multiple of 4');
}

function checkScalars(config: Unchecked): void {
  for (const field of named(SCALARS)) {
    const [least, most] = SCALARS[field];
    const scalar = config[field];
    if (typeof scalar !== 'number' || !(scalar >= least && scalar <= most))
      reject(field, quote(scalar), `a number from ${least} to ${most}`);
  }
}

/**
 * Checks a model configuration, read from a file or typed by hand.
 * @returns the configuration with the known fields only
 * @throws ConfigError naming the first bad field
 */
export function checkModelConfig(value: unknown): ModelConfig {
  if (typeof value !== 'object' || value === null) return reject('config', quote(value), 'an object');
  const config = value as Unchecked;
  checkSizes(config);
  for (const field of FLAGS)
    if (typeof config[field] !== 'boolean') reject(field, quote(config[field]), 'true or false');
  checkScalars(config);
  const fields = [...named(SIZES), ...FLAGS, ...named(SCALARS)];
  const model = Object.fromEntries(fields.map((field) => [field, config[field]])) as unknown as ModelConfig; // checked above
  if (model.heads % model.kvHeads !== 0)
    reject('kvHeads', String(model.kvHeads), `a divisor of heads (${model.heads})`);
  checkParameters(model);
  return model;
}

/** Names the layers where fewer would do, else the width. */
function checkParameters(model: ModelConfig): void {
  const count = parameterCount(model);
  if (count <= MOST_PARAMETERS) return;
  const field = parameterCount({ ...model, layers: 1 }) <= MOST_PARAMETERS ? 'layers' : 'channels';
  const got = `${model[field]}, which makes ${count.toLocaleString('en-US')} parameters`;
  reject(field, got, `a model of at most ${MOST_PARAMETERS.toLocaleString('en-US')} parameters`);
}

/** Number of trainable scalars, from the sizes alone: a model of any size is counted at once. */
export function parameterCount(config: ModelConfig): number {
  const { vocabularySize, channels, layers, heads, kvHeads, headSize, hidden } = config;
  const attention = 2 * (heads + kvHeads) * headSize * channels + (config.queryKeyNorm ? 2 * headSize : 0);
  const layer = attention + 3 * channels * hidden + 2 * channels;
  const mixing = config.previousTokenMixing ? channels * channels : 0;
  const output = config.tiedOutput ? 0 : vocabularySize * channels;
  return vocabularySize * channels + mixing + layers * layer + channels + output;
}
