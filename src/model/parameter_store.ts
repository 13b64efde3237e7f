/** A model's numbers on the device: what is trained in one flat buffer, what is frozen in others. */
import { roundUp, subview, upload, type BufferOwner, type BufferView } from '../gpu/buffers.ts';
import type { Gpu } from '../gpu/device.ts';
import type { TypedArray } from '../gpu/kernel.ts';
import {
  elementBytes,
  TENSOR_ALIGNMENT,
  type ElementType,
  type Parameter,
  type ParameterMap,
  type StoredTensor,
} from './parameters.ts';

/** A matrix to bind, and how its numbers are stored. */
export interface Weight extends BufferView {
  readonly type: ElementType;
}

/**
 * Takes the next numbers of a parameter.
 * @param first element of the parameter that they start at; even where two share a word
 * @param words as the parameter is stored: floats, or u32 of two bfloat16 each
 */
export type ParameterSink = (parameter: Parameter, first: number, words: TypedArray) => void;

export interface ParameterStore {
  readonly map: ParameterMap;
  readonly parameters: BufferView; // [map.length] what is trained, like the next three
  readonly gradients: BufferView;
  readonly firstMoment: BufferView;
  readonly secondMoment: BufferView;
  readonly decays: BufferView; // [map.length / TENSOR_ALIGNMENT] 1 where weight decay applies, 0 elsewhere
  weight(tensor: StoredTensor): Weight;
  /** Of a trained tensor: frozen ones have none. */
  gradient(tensor: StoredTensor): BufferView;
  readonly write: ParameterSink;
}

const perWord = (type: ElementType): number => 4 / elementBytes(type);

/** @throws BufferTooLargeError; whoever owns the buffers awaits ready() */
export function createParameterStore(
  gpu: Gpu,
  owner: BufferOwner,
  map: ParameterMap,
  decayed: (tensor: StoredTensor) => boolean,
): ParameterStore {
  const parameters = owner.storage('parameters', map.length);
  const gradients = owner.storage('gradients', map.length);
  const firstMoment = owner.storage('first moment', map.length);
  const secondMoment = owner.storage('second moment', map.length);
  const decays = owner.storage('decays', decayBlocks(map, decayed));
  const frozen = map.buffers
    .slice(1)
    .map(({ type, length }, index) => owner.storage(`frozen ${index}, ${type}`, length / perWord(type)));
  const buffers = [parameters, ...frozen];
  return {
    ...{ map, parameters, gradients, firstMoment, secondMoment, decays },
    weight: ({ buffer, offset, length, type }) => ({
      ...subview(buffers[buffer], offset / perWord(type), length / perWord(type)),
      type,
    }),
    gradient: ({ offset, length }) => subview(gradients, offset, length),
    write: ({ buffer, offset, type }, first, words) =>
      upload(gpu, buffers[buffer], words, (offset + first) / perWord(type)),
  };
}

function decayBlocks(
  { length, stored }: ParameterMap,
  decayed: (tensor: StoredTensor) => boolean,
): Float32Array<ArrayBuffer> {
  const blocks = new Float32Array(roundUp(length, TENSOR_ALIGNMENT) / TENSOR_ALIGNMENT);
  for (const tensor of stored) {
    if (!tensor.trainable || !decayed(tensor)) continue;
    const first = tensor.offset / TENSOR_ALIGNMENT;
    blocks.fill(1, first, first + Math.ceil(tensor.length / TENSOR_ALIGNMENT));
  }
  return blocks;
}
