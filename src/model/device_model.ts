import { BufferOwner, type BufferView } from '../gpu/buffers.ts';
import type { Gpu } from '../gpu/device.ts';
import type { ModelConfig } from '../units.ts';
import { createParameterStore, type ParameterSink, type ParameterStore } from './parameter_store.ts';
import {
  parameterMap,
  TRAINED,
  type ParameterMap,
  type StorageRule,
  type StoredTensor,
} from './parameters.ts';
import { rotaryTable } from './config.ts';

/** A model on the device: its parameter store, and the tables that come with its configuration. */
export interface DeviceModel extends ParameterStore {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly contextLength: number; // positions that the rotary table covers
  readonly rotary: BufferView; // [contextLength, HS]
  readonly noNorm: BufferView; // [HS] bound where a model has no query and key norms
  destroy(): void;
}

/** Where a model's numbers come from: hands over every parameter of the map, in any order and in pieces. */
export interface ParameterSource {
  read(map: ParameterMap, write: ParameterSink): void | Promise<void>;
}

export interface DeviceModelOptions {
  readonly storage?: StorageRule; // by default everything is trained
  readonly decayed?: (tensor: StoredTensor) => boolean; // whether weight decay applies; to all by default
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
 * Makes room for a model and reads its numbers into it.
 * @param source null leaves zeros
 * @throws ConfigError, BufferTooLargeError, OutOfMemoryError, and whatever the source throws; nothing is then kept
 */
export async function createDeviceModel(
  gpu: Gpu,
  config: ModelConfig,
  contextLength: number,
  source: ParameterSource | null,
  { storage = TRAINED, decayed = () => true }: DeviceModelOptions = {},
): Promise<DeviceModel> {
  const map = parameterMap(config, storage);
  const owner = new BufferOwner(gpu, 'parameters');
  try {
    const store = createParameterStore(gpu, owner, map, decayed);
    const rotary = owner.storage('rotary', rotaryTable(contextLength, config.headSize, config.ropeTheta));
    const noNorm = owner.storage('no norm', new Float32Array(config.headSize).fill(1));
    await owner.ready();
    await source?.read(map, store.write);
    return { ...store, gpu, config, contextLength, rotary, noNorm, destroy: () => owner.destroy() };
  } catch (error) {
    owner.destroy();
    throw error;
  }
}
