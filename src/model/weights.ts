import { packBfloat16 } from '../../shaders/bfloat16.ts';
import type { TypedArray } from '../gpu/kernel.ts';
import { quote, shorten, type ModelConfig } from '../units.ts';
import { checkModelConfig } from './config.ts';
import type { ParameterSource } from './device_model.ts';
import { WeightsError } from './errors.ts';
import { huggingFaceName, isRedundant } from './hugging_face.ts';
import type { ParameterSink } from './parameter_store.ts';
import { parameterMap, type ElementType, type Parameter, type ParameterMap } from './parameters.ts';
import {
  SafetensorsReader,
  storedWords,
  writeSafetensors,
  type FileHeader,
  type PieceSink,
} from './safetensors.ts';

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
 * Reads a weights file that is in memory, in this lab's names or Hugging Face's.
 * @param wanted the model it must be for; null takes the configuration in the file
 * @throws WeightsError when the file is malformed, or a tensor is missing, unknown, of another shape or not finite
 * @throws ConfigError when the configuration in the file cannot be built
 */
export function decodeWeights(file: ArrayBuffer, wanted: ModelConfig | null = null): Weights {
  const reader = new SafetensorsReader(file.byteLength);
  reader.push(new Uint8Array(file));
  if (!reader.header) reader.end();
  const { config, metadata, names } = contentsOf(reader.header!, wanted); // end() throws without a header
  const map = parameterMap(config);
  const values = new Float32Array(map.length);
  reader.start(piecesInto(map, names, ({ offset }, first, words) => values.set(words, offset + first)));
  reader.end();
  return { config, values, metadata };
}

/** A weights file whose header was read and found to fit; its numbers come when a model asks for them. */
export interface WeightsFile extends ParameterSource {
  readonly config: ModelConfig;
  readonly metadata: Readonly<Record<string, string>>;
  /** What its matrices are stored in: bfloat16 where all of them are. */
  readonly elementType: ElementType;
  /** Hands over every parameter as it comes, once. @throws WeightsError */
  read(map: ParameterMap, write: ParameterSink): Promise<void>;
}

/**
 * Opens a weights file that is read as it comes, straight into a model's store: neither file nor model is ever in memory
 * as a whole. `Policy.create(gpu, file.config, { parameters: file, storage: frozen(file.elementType), … })`.
 * @param wanted the model it must be for, e.g. huggingFaceConfig(…); null takes the configuration in the file
 * @throws WeightsError when the header is malformed, or a tensor is missing, unknown or of another shape
 * @throws ConfigError when the configuration in the file cannot be built
 */
export async function openWeights(
  source: ArrayBuffer | Blob | ReadableStream<Uint8Array>,
  wanted: ModelConfig | null = null,
): Promise<WeightsFile> {
  const reader = new SafetensorsReader(lengthOf(source));
  const chunks = chunksOf(source);
  try {
    while (!reader.header) {
      const { done, value } = await chunks.next();
      if (done) reader.end();
      else reader.push(value);
    }
    const { config, metadata, names, elementType } = contentsOf(reader.header, wanted);
    const read = async (map: ParameterMap, write: ParameterSink): Promise<void> => {
      try {
        reader.start(piecesInto(map, names, write));
        for await (const chunk of chunks) reader.push(chunk);
        reader.end();
      } finally {
        await chunks.return(undefined);
      }
    };
    return { config, metadata, elementType, read };
  } catch (error) {
    await chunks.return(undefined);
    throw error;
  }
}

const lengthOf = (source: ArrayBuffer | Blob | ReadableStream): number | null => {
  if (source instanceof ArrayBuffer) return source.byteLength;
  return source instanceof Blob ? source.size : null;
};

/** Leaving it early, by return() or an error, stops the stream. */
async function* chunksOf(
  source: ArrayBuffer | Blob | ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  if (source instanceof ArrayBuffer) {
    yield new Uint8Array(source);
    return;
  }
  const reader = (source instanceof Blob ? source.stream() : source).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // of a stream that has failed
  }
}

/** Numbers that lie flat in memory, laid out by parameterMap(config), for a store of any layout. */
export function flatParameters(
  config: ModelConfig,
  values: Float32Array<ArrayBuffer>,
): { read(map: ParameterMap, write: ParameterSink): void } {
  const places = new Map(parameterMap(config).parameters.map((parameter) => [parameter.name, parameter]));
  return {
    read(map, write) {
      for (const parameter of map.parameters) {
        const { offset, length } = places.get(parameter.name)!; // the same configuration names the same parameters
        const part = values.subarray(offset, offset + length);
        write(parameter, 0, parameter.type === 'bfloat16' ? packBfloat16(part) : part);
      }
    },
  };
}

interface Contents {
  readonly config: ModelConfig;
  readonly metadata: Readonly<Record<string, string>>;
  readonly names: ReadonlyMap<string, string>; // of the file → of the parameter; others are passed over
  readonly elementType: ElementType;
}

/** What a header promises, checked against the model. */
function contentsOf(header: FileHeader, wanted: ModelConfig | null): Contents {
  const { config: configText, ...metadata } = header.metadata;
  const config = wanted ?? configOf(configText);
  const { tensors } = header;
  if (config.layers > tensors.length) {
    // Before a map of so many layers is made: the number may come from the file.
    throw mismatch('tensors', `${tensors.length} tensors`, `those of ${config.layers} layers`);
  }
  const isHuggingFace = tensors.some(({ name }) => name === huggingFaceName('embed.weight'));
  const nameOf = isHuggingFace ? huggingFaceName : (name: string) => name;
  const parameters = new Map(
    parameterMap(config).parameters.map((parameter) => [nameOf(parameter.name), parameter]),
  );
  checkTensors(header, parameters, (name) => isHuggingFace && isRedundant(name, config));
  const matrices = tensors.filter(({ name, shape }) => parameters.has(name) && shape.length > 1);
  return {
    config,
    metadata,
    names: new Map([...parameters].map(([name, parameter]) => [name, parameter.name])),
    elementType: matrices.every(({ type }) => type === 'BF16') ? 'bfloat16' : 'float32',
  };
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

function checkTensors(
  { tensors }: FileHeader,
  parameters: ReadonlyMap<string, Parameter>,
  isPassedOver: (name: string) => boolean,
): void {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  for (const name of shapes.keys()) {
    if (!parameters.has(name) && !isPassedOver(name))
      throw mismatch(
        `tensor ${shorten(name)}`,
        'an unknown name',
        `one of the ${parameters.size} tensors of the model`,
      );
  }
  for (const [name, { shape }] of parameters) {
    const got = shapes.get(name);
    if (!got) throw mismatch(`tensor ${name}`, 'nothing', `shape [${shape.join(', ')}]`);
    if (got.join() !== shape.join())
      throw mismatch(`tensor ${name}`, shorten(`shape [${got.join(', ')}]`), `shape [${shape.join(', ')}]`);
  }
}

/** Pieces of a file as numbers of a model's parameters. */
function piecesInto(map: ParameterMap, names: ReadonlyMap<string, string>, write: ParameterSink): PieceSink {
  const parameters = new Map(map.parameters.map((parameter) => [parameter.name, parameter]));
  return ({ name, type }, first, bytes) => {
    const parameter = parameters.get(names.get(name) ?? '');
    if (!parameter) return;
    const words = storedWords(bytes, type, parameter.type);
    checkFinite(name, first, words);
    write(parameter, first, words);
  };
}

function checkFinite(name: string, first: number, words: TypedArray): void {
  const isPacked = words instanceof Uint32Array;
  const halves = isPacked ? new Uint16Array(words.buffer, words.byteOffset, 2 * words.length) : null;
  const bad = halves
    ? halves.findIndex((half) => (half & 0x7f80) === 0x7f80)
    : words.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const got = halves ? 'an infinity, NaN, or a number above the range of bfloat16' : String(words[bad]);
  throw mismatch(`tensor ${name}, entry ${first + bad}`, got, 'finite numbers');
}
