import type { ModelConfig } from '../units.ts';
import { ConfigError } from './errors.ts';

/** Tensors start at multiples of this many floats: one AdamW block, and the offset alignment of bindings. */
export const TENSOR_ALIGNMENT = 256;

/** How numbers are stored. bfloat16 is float32 without its lower 16 bits, two to a u32; kernels compute in float32. */
export type ElementType = 'float32' | 'bfloat16';

/** How a tensor is kept. What is not trained is frozen: it has no gradient, no moments and no part in the clip norm. */
export interface Storage {
  readonly type: ElementType;
  readonly trainable: boolean;
}

/** Chooses for every tensor that kernels bind, stacked ones by their common name, e.g. `layers.0.attn.qkv_proj.weight`. */
export type StorageRule = (tensor: {
  readonly name: string;
  readonly shape: readonly number[]; // of its first part, where it is stacked
}) => Storage;

/** Everything is trained, in float32. */
export const TRAINED: StorageRule = () => ({ type: 'float32', trainable: true });

/** Nothing is trained. Norms stay in float32 whatever the matrices are stored in: they are small. */
export const frozen =
  (type: ElementType): StorageRule =>
  ({ shape }) => ({ type: shape.length === 1 ? 'float32' : type, trainable: false });

/** Where numbers lie: offset and length in elements of a buffer's type. */
export interface Place extends Storage {
  readonly name: string;
  readonly buffer: number; // index into ParameterMap.buffers
  readonly offset: number; // elements
  readonly length: number; // elements
}

/** A tensor as files name it. Linear weights are [out, in], row-major. */
export interface Parameter extends Place {
  readonly shape: readonly number[];
}

/** What kernels bind as one matrix: one parameter, or several stacked by rows. Starts at a multiple of TENSOR_ALIGNMENT. */
export type StoredTensor = Place;

/** One buffer of the store. The first holds all that is trained, back to back, and may be empty. */
export interface StoreBuffer extends Storage {
  readonly length: number; // elements, alignment gaps included
}

export interface LayerTensors {
  readonly inputNorm: StoredTensor; // [C]
  readonly qkv: StoredTensor; // [(NH+2NKV)·HS, C], rows: queries, keys, values
  readonly queryNorm: StoredTensor | null; // [HS]
  readonly keyNorm: StoredTensor | null; // [HS]
  readonly attentionOutput: StoredTensor; // [C, NH·HS]
  readonly postNorm: StoredTensor; // [C]
  readonly gateUp: StoredTensor; // [2F, C], rows: gate, up
  readonly down: StoredTensor; // [C, F]
}

export interface ParameterMap {
  readonly length: number; // floats that are trained, alignment gaps included: the length of buffers[0]
  readonly count: number; // trainable scalars
  readonly buffers: readonly StoreBuffer[];
  readonly parameters: readonly Parameter[]; // file order
  readonly stored: readonly StoredTensor[];
  readonly embedding: StoredTensor; // [V, C]
  readonly previous: StoredTensor | null; // [C, C]
  readonly layers: readonly LayerTensors[];
  readonly finalNorm: StoredTensor; // [C]
  readonly output: StoredTensor; // [V, C]; the embedding when tied
}

type Part = readonly [name: string, shape: readonly number[]];
const product = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);
const aligned = (length: number): number => Math.ceil(length / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;

/** Bytes of an element. */
export const elementBytes = (type: ElementType): number => (type === 'bfloat16' ? 2 : 4);

/** Frozen tensors share buffers up to this size, WebGPU's default limit on a binding; a larger one has its own. */
const FROZEN_BYTES = 128 * 2 ** 20;

/** @throws ConfigError for a storage that no kernel reads */
function checkStorage(name: string, [, shape]: Part, { type, trainable }: Storage): void {
  if (type === 'float32' || (!trainable && shape.length > 1)) return;
  throw new ConfigError({
    what: 'A tensor cannot be kept like this',
    where: `storage of ${name}`,
    got: trainable ? 'bfloat16, trained' : `bfloat16 for [${shape.join(', ')}]`,
    wanted: 'float32 for what is trained and for norms; bfloat16 for frozen matrices only',
    next: 'Freeze the tensor, or keep it in float32.',
  });
}

class Layout {
  readonly buffers: (Storage & { length: number })[] = [{ type: 'float32', trainable: true, length: 0 }];
  readonly parameters: Parameter[] = [];
  readonly stored: StoredTensor[] = [];
  readonly #rule: StorageRule;

  constructor(rule: StorageRule) {
    this.#rule = rule;
  }

  add(name: string, ...parts: Part[]): StoredTensor {
    const storage = this.#rule({ name, shape: parts[0][1] });
    checkStorage(name, parts[0], storage);
    const { type, trainable } = storage;
    const length = parts.reduce((total, [, shape]) => total + product(shape), 0);
    const buffer = this.#bufferFor(storage, length);
    const start = this.buffers[buffer].length;
    let offset = start;
    for (const [part, shape] of parts) {
      const parameter = { name: part, shape, type, trainable, buffer, offset, length: product(shape) };
      this.parameters.push(parameter);
      offset += parameter.length;
    }
    const tensor = { name, type, trainable, buffer, offset: start, length };
    this.stored.push(tensor);
    this.buffers[buffer].length = aligned(offset);
    return tensor;
  }

  one(name: string, ...shape: number[]): StoredTensor {
    return this.add(name, [name, shape]);
  }

  /** The trained buffer; or the last frozen one of the type, a new one where that is full. */
  #bufferFor({ type, trainable }: Storage, length: number): number {
    if (trainable) return 0;
    const last = this.buffers.findLastIndex((buffer) => !buffer.trainable && buffer.type === type);
    if (last >= 0 && (this.buffers[last].length + length) * elementBytes(type) <= FROZEN_BYTES) return last;
    return this.buffers.push({ type, trainable, length: 0 }) - 1;
  }
}

function layerTensors(layout: Layout, config: ModelConfig, layer: number): LayerTensors {
  const { channels, heads, kvHeads, headSize, hidden, queryKeyNorm } = config;
  const prefix = `layers.${layer}`;
  const inputNorm = layout.one(`${prefix}.input_norm.weight`, channels);
  const qkv = layout.add(
    `${prefix}.attn.qkv_proj.weight`,
    [`${prefix}.attn.q_proj.weight`, [heads * headSize, channels]],
    [`${prefix}.attn.k_proj.weight`, [kvHeads * headSize, channels]],
    [`${prefix}.attn.v_proj.weight`, [kvHeads * headSize, channels]],
  );
  const attentionOutput = layout.one(`${prefix}.attn.o_proj.weight`, channels, heads * headSize);
  const queryNorm = queryKeyNorm ? layout.one(`${prefix}.attn.q_norm.weight`, headSize) : null;
  const keyNorm = queryKeyNorm ? layout.one(`${prefix}.attn.k_norm.weight`, headSize) : null;
  const postNorm = layout.one(`${prefix}.post_attn_norm.weight`, channels);
  const gateUp = layout.add(
    `${prefix}.mlp.gate_up_proj.weight`,
    [`${prefix}.mlp.gate_proj.weight`, [hidden, channels]],
    [`${prefix}.mlp.up_proj.weight`, [hidden, channels]],
  );
  const down = layout.one(`${prefix}.mlp.down_proj.weight`, channels, hidden);
  return { inputNorm, qkv, attentionOutput, queryNorm, keyNorm, postNorm, gateUp, down };
}

/**
 * Where every parameter lies. By default all of them in one flat buffer, as files of this lab and `parameters()` have it;
 * gradients and both moments share the layout of what is trained.
 * @throws ConfigError for a storage that no kernel reads
 */
export function parameterMap(config: ModelConfig, rule: StorageRule = TRAINED): ParameterMap {
  const { vocabularySize, channels } = config;
  const layout = new Layout(rule);
  const embedding = layout.one('embed.weight', vocabularySize, channels);
  const previous = config.previousTokenMixing ? layout.one('previous.weight', channels, channels) : null;
  const layers = Array.from({ length: config.layers }, (_, layer) => layerTensors(layout, config, layer));
  const finalNorm = layout.one('final_norm.weight', channels);
  const output = config.tiedOutput ? embedding : layout.one('output.weight', vocabularySize, channels);
  const { buffers, parameters, stored } = layout;
  const count = parameters.reduce((total, { trainable, length }) => total + (trainable ? length : 0), 0);
  const { length } = buffers[0];
  return { length, count, buffers, parameters, stored, embedding, previous, layers, finalNorm, output };
}

const QUERY_NORM_GAIN = 2; // sharper attention from the start; found necessary for copying in the prototype

/** Standard deviation of a matrix's initial entries; branches into the residual stream shrink with depth. */
function initialDeviation(config: ModelConfig, { name, shape }: Parameter): number {
  if (name === 'embed.weight' || name === 'output.weight')
    return 1 / (config.logitScale * Math.sqrt(config.channels));
  const joinsResidual = name.endsWith('.o_proj.weight') || name.endsWith('.down_proj.weight');
  return 1 / Math.sqrt(shape[1] * (joinsResidual ? 2 * config.layers : 1));
}

/** Standard normal numbers from uniform ones in (0, 1), by Box–Muller. */
function normals(uniform: () => number): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * Initial parameters: matrices scaled normal (logits of unit variance), norms 1, query norms 2.
 * @param uniformOf numbers in (0, 1) for the parameter of that index, a stream of its own, e.g. from a run's key
 * @returns the flat buffer, [map.length]
 */
export function initialParameters(
  config: ModelConfig,
  uniformOf: (parameter: number) => () => number,
): Float32Array<ArrayBuffer> {
  const map = parameterMap(config);
  const values = new Float32Array(map.length);
  map.parameters.forEach((parameter, index) => {
    const { name, shape, offset, length } = parameter;
    if (shape.length === 1) {
      values.fill(name.endsWith('q_norm.weight') ? QUERY_NORM_GAIN : 1, offset, offset + length);
      return;
    }
    const deviation = initialDeviation(config, parameter);
    const normal = normals(uniformOf(index));
    for (let entry = offset; entry < offset + length; entry++) values[entry] = deviation * normal();
  });
  return values;
}
