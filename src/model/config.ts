import { quote, type ModelConfig } from '../units.ts';
import { ConfigError } from './errors.ts';

export const ROW_LIMIT = 4096; // rows of a mini-batch under a loss of whole rows: policy_loss.ts has room for them

/** Most of each size but the vocabulary. Kernels say 128 for a head (registers); layers are compiled one by one; the product is bounded below. */
export const MODEL_SIZES = {
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

/** Where a configuration comes from: what its fields are called there, what to do about a bad one, how large it may be. */
export interface ConfigOrigin {
  readonly place: string;
  readonly nameOf: (field: string) => string;
  readonly nextFor: (name: string) => string;
  readonly mostTokens: number; // of a vocabulary
  readonly mostParameters: number;
}

const RUN: ConfigOrigin = {
  place: 'model',
  nameOf: (field) => field,
  nextFor: (name) => `Correct ${name} in the run's configuration, or choose a preset.`,
  mostTokens: 65_536,
  mostParameters: 1e9, // float32; they are one buffer, of which WebGPU binds less than 4 GiB
};

type Unchecked = Readonly<Partial<Record<keyof ModelConfig, unknown>>>;

const named = <Name extends string>(record: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(record) as Name[]; // an object literal has the keys of its type

/** @throws ConfigError naming the field as its origin does */
export function rejectField(origin: ConfigOrigin, field: string, got: string, wanted: string): never {
  const name = origin.nameOf(field);
  throw new ConfigError({
    what: `The model configuration has a bad ${name}`,
    where: `${origin.place}.${name}`,
    got,
    wanted,
    next: origin.nextFor(name),
  });
}

function checkSizes(config: Unchecked, origin: ConfigOrigin): void {
  const limits = { vocabularySize: origin.mostTokens, ...MODEL_SIZES };
  for (const field of named(limits)) {
    const size = config[field];
    if (!Number.isSafeInteger(size) || (size as number) < 1 || (size as number) > limits[field])
      rejectField(origin, field, quote(size), `a whole number from 1 to ${limits[field]}`);
  }
  for (const field of VECTORISED)
    if ((config[field] as number) % 4 !== 0)
      rejectField(origin, field, quote(config[field]), 'a multiple of 4');
}

function checkScalars(config: Unchecked, origin: ConfigOrigin): void {
  for (const field of named(SCALARS)) {
    const [least, most] = SCALARS[field];
    const scalar = config[field];
    if (typeof scalar !== 'number' || !(scalar >= least && scalar <= most))
      rejectField(origin, field, quote(scalar), `a number from ${least} to ${most}`);
  }
}

/**
 * Checks a model configuration, read from a file or typed by hand.
 * @returns the configuration with the known fields only
 * @throws ConfigError naming the first bad field
 */
export function checkModelConfig(value: unknown, origin = RUN): ModelConfig {
  const reject = (field: string, got: string, wanted: string): never =>
    rejectField(origin, field, got, wanted);
  if (typeof value !== 'object' || value === null) return reject('config', quote(value), 'an object');
  const config = value as Unchecked;
  checkSizes(config, origin);
  for (const field of FLAGS)
    if (typeof config[field] !== 'boolean') reject(field, quote(config[field]), 'true or false');
  checkScalars(config, origin);
  const fields = ['vocabularySize', ...named(MODEL_SIZES), ...FLAGS, ...named(SCALARS)];
  const model = Object.fromEntries(
    fields.map((field) => [field, config[field as keyof ModelConfig]]),
  ) as unknown as ModelConfig; // checked above
  if (model.heads % model.kvHeads !== 0)
    reject('kvHeads', String(model.kvHeads), `a divisor of ${origin.nameOf('heads')} (${model.heads})`);
  checkParameters(model, origin);
  return model;
}

/** Names the layers where fewer would do, else the width. */
function checkParameters(model: ModelConfig, origin: ConfigOrigin): void {
  const { mostParameters } = origin;
  const count = parameterCount(model);
  if (count <= mostParameters) return;
  const field = parameterCount({ ...model, layers: 1 }) <= mostParameters ? 'layers' : 'channels';
  const got = `${model[field]}, which makes ${count.toLocaleString('en-US')} parameters`;
  rejectField(origin, field, got, `a model of at most ${mostParameters.toLocaleString('en-US')} parameters`);
}

/** Number of scalars, from the sizes alone: a model of any size is counted at once. */
export function parameterCount(config: ModelConfig): number {
  const { vocabularySize, channels, layers, heads, kvHeads, headSize, hidden } = config;
  const attention = 2 * (heads + kvHeads) * headSize * channels + (config.queryKeyNorm ? 2 * headSize : 0);
  const layer = attention + 3 * channels * hidden + 2 * channels;
  const mixing = config.previousTokenMixing ? channels * channels : 0;
  const output = config.tiedOutput ? 0 : vocabularySize * channels;
  return vocabularySize * channels + mixing + layers * layer + channels + output;
}

// Cosines, then sines, of the rotation angles p·θ^(−2j/HS), made in float64.
// @returns [positions, HS]: HS/2 cosines then HS/2 sines per position

export function rotaryTable(positions: number, headSize: number, theta: number): Float32Array<ArrayBuffer> {
  const half = headSize / 2;
  const table = new Float32Array(positions * headSize);
  for (let position = 0; position < positions; position++) {
    for (let j = 0; j < half; j++) {
      const angle = position * theta ** ((-2 * j) / headSize);
      table[position * headSize + j] = Math.cos(angle);
      table[position * headSize + half + j] = Math.sin(angle);
    }
  }
  return table;
}
