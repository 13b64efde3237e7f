import { quote, shorten, type ModelConfig } from '../units.ts';
import { checkModelConfig } from './config.ts';
import { WeightsError } from './errors.ts';
import { parameterMap } from './parameters.ts';
import { readSafetensors, writeSafetensors, type TensorFile } from './safetensors.ts';

/** A model as files keep it. */
export interface Weights {
  readonly config: ModelConfig;
  readonly values: Float32Array<ArrayBuffer>; // flat, laid out by parameterMap(config)
  readonly metadata: Readonly<Record<string, string>>; // everything but `config`
}

/** A safetensors file with the configuration, as JSON, under the metadata key `config`. */
export function encodeWeights({ config, values, metadata }: Weights): ArrayBuffer {
  const tensors = parameterMap(config).parameters.map(({ name, shape, offset, length }) => ({
    name,
    shape,
    values: values.subarray(offset, offset + length),
  }));
  return writeSafetensors(tensors, { ...metadata, config: JSON.stringify(config) });
}

/**
 * Reads a weights file.
 * @param wanted the model it must be for; null takes the configuration in the file
 * @throws WeightsError when the file is malformed, or a tensor is missing, unknown, of another shape or not finite
 * @throws ConfigError when the configuration in the file cannot be built
 */
export function decodeWeights(file: ArrayBuffer, wanted: ModelConfig | null = null): Weights {
  const read = readSafetensors(file);
  const { config: configText, ...metadata } = read.metadata;
  const config = wanted ?? configOf(configText);
  return { config, values: flatten(config, read), metadata };
}

function configOf(text: string | undefined): ModelConfig {
  try {
    return checkModelConfig(JSON.parse(text ?? 'null'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw mismatch('__metadata__.config', quote(text), 'a model configuration as JSON', cause);
  }
}

const mismatch = (where: string, got: string, wanted: string, cause?: unknown): WeightsError =>
  new WeightsError(
    {
      what: 'The weights file does not fit the model',
      where,
      got,
      wanted,
      next: "Choose a file saved with this model's configuration, or change the configuration to the file's.",
    },
    cause,
  );

function flatten(config: ModelConfig, { tensors }: TensorFile): Float32Array<ArrayBuffer> {
  const map = parameterMap(config);
  const known = new Set(map.parameters.map(({ name }) => name));
  for (const name of tensors.keys()) {
    if (!known.has(name))
      throw mismatch(
        `tensor ${shorten(name)}`,
        'an unknown name',
        `one of the ${known.size} tensors of the model`,
      );
  }
  const values = new Float32Array(map.length);
  for (const { name, shape, offset } of map.parameters) {
    const tensor = tensors.get(name);
    if (!tensor) throw mismatch(`tensor ${name}`, 'nothing', `shape [${shape.join(', ')}]`);
    if (tensor.shape.join() !== shape.join()) {
      throw mismatch(
        `tensor ${name}`,
        shorten(`shape [${tensor.shape.join(', ')}]`),
        `shape [${shape.join(', ')}]`,
      );
    }
    const bad = tensor.values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw mismatch(`tensor ${name}, entry ${bad}`, String(tensor.values[bad]), 'finite numbers');
    values.set(tensor.values, offset);
  }
  return values;
}
