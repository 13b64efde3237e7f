import { BufferOwner, subview, type BufferView } from '../gpu/buffers.ts';
import type { Gpu } from '../gpu/device.ts';
import type { ModelConfig } from '../units.ts';
import { parameterMap, TENSOR_ALIGNMENT, type ParameterMap, type StoredTensor } from './parameters.ts';
import { rotaryTable } from './rotary.ts';

/** A model on the device: parameters, their gradients and moments, and the rotary table. */
export interface DeviceModel {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly map: ParameterMap;
  readonly contextLength: number; // positions that the rotary table covers
  readonly parameters: BufferView; // [map.length], like the next three
  readonly gradients: BufferView;
  readonly firstMoment: BufferView;
  readonly secondMoment: BufferView;
  readonly decays: BufferView; // [map.length / TENSOR_ALIGNMENT] 1 where weight decay applies, 0 elsewhere
  readonly rotary: BufferView; // [contextLength, HS]
  readonly noNorm: BufferView; // [HS] bound where a model has no query and key norms
  weight(tensor: StoredTensor): BufferView;
  gradient(tensor: StoredTensor): BufferView;
  destroy(): void;
}

/** Widths that every program needs, in elements. */
export interface Widths {
  readonly channels: number; // C
  readonly attention: number; // NH·HS
  readonly qk: number; // (NH+NKV)·HS
  readonly qkv: number; // (NH+2NKV)·HS
  readonly cache: number; // NKV·HS
  readonly hidden: number; // F
  readonly vocabulary: number; // V
  readonly logits: number; // V rounded up to 4
}

export function widthsOf(config: ModelConfig): Widths {
  const { channels, heads, kvHeads, headSize, hidden, vocabularySize } = config;
  return {
    channels,
    attention: heads * headSize,
    qk: (heads + kvHeads) * headSize,
    qkv: (heads + 2 * kvHeads) * headSize,
    cache: kvHeads * headSize,
    hidden,
    vocabulary: vocabularySize,
    logits: Math.ceil(vocabularySize / 4) * 4,
  };
}

/**
 * Uploads a model.
 * @param values flat parameters, [map.length]; null leaves zeros
 * @param decayed whether weight decay applies to a tensor
 * @throws BufferTooLargeError, OutOfMemoryError
 */
export async function createDeviceModel(
  gpu: Gpu,
  config: ModelConfig,
  contextLength: number,
  values: Float32Array<ArrayBuffer> | null,
  decayed: (tensor: StoredTensor) => boolean = () => true,
): Promise<DeviceModel> {
  const map = parameterMap(config);
  const owner = new BufferOwner(gpu, 'parameters');
  const parameters = owner.storage('parameters', values ?? map.length);
  const gradients = owner.storage('gradients', map.length);
  const firstMoment = owner.storage('first moment', map.length);
  const secondMoment = owner.storage('second moment', map.length);
  const decays = owner.storage('decays', decayBlocks(map, decayed));
  const rotary = owner.storage('rotary', rotaryTable(contextLength, config.headSize, config.ropeTheta));
  const noNorm = owner.storage('no norm', new Float32Array(config.headSize).fill(1));
  await owner.ready();
  return {
    gpu,
    config,
    map,
    contextLength,
    parameters,
    gradients,
    firstMoment,
    secondMoment,
    decays,
    rotary,
    noNorm,
    weight: ({ offset, length }) => subview(parameters, offset, length),
    gradient: ({ offset, length }) => subview(gradients, offset, length),
    destroy: () => owner.destroy(),
  };
}

function decayBlocks(
  { length, stored }: ParameterMap,
  decayed: (tensor: StoredTensor) => boolean,
): Float32Array<ArrayBuffer> {
  const blocks = new Float32Array(length / TENSOR_ALIGNMENT);
  for (const tensor of stored) {
    const first = tensor.offset / TENSOR_ALIGNMENT;
    if (decayed(tensor)) blocks.fill(1, first, first + Math.ceil(tensor.length / TENSOR_ALIGNMENT));
  }
  return blocks;
}
