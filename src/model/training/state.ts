/** All that later calls of a policy depend on, by the names of its parameters: what is trained, and where the optimiser stands. */
import { upload } from '../../gpu/buffers.ts';
import { f32, type Readback, type ReadRange } from '../../gpu/readback.ts';
import { countWords, type NamedTensors, type PolicyState } from '../../units.ts';
import type { DeviceModel } from '../device_model.ts';
import { PolicyStateError } from '../errors.ts';
import type { Parameter, ParameterMap } from '../parameters.ts';

const trainedOf = ({ parameters }: ParameterMap): readonly Parameter[] =>
  parameters.filter(({ trainable }) => trainable);

/**
 * Copies the state on the device, in one batch, ordered with the queue's other work.
 * @param steps AdamW steps taken; moments are 0 before the first, and left out
 * @returns what reads the copy; work that is submitted meanwhile does not change it
 */
export function copyState(
  { gpu, map, parameters, firstMoment, secondMoment }: DeviceModel,
  readback: Readback,
  steps: number,
): () => Promise<PolicyState> {
  const ranges: Readonly<Record<string, ReadRange<'f32'>>> = {
    parameters: f32(parameters),
    ...(steps > 0 && { firstMoment: f32(firstMoment), secondMoment: f32(secondMoment) }),
  };
  const encoder = gpu.device.createCommandEncoder({ label: 'copy state' });
  const fetch = readback.copy(encoder, ranges);
  gpu.device.queue.submit([encoder.finish()]);
  const named = (flat: Float32Array<ArrayBuffer>): NamedTensors =>
    Object.fromEntries(
      trainedOf(map).map(({ name, offset, length }) => [name, flat.subarray(offset, offset + length)]),
    );
  return async () => {
    const flat = await fetch();
    const moments = () => ({ firstMoment: named(flat.firstMoment), secondMoment: named(flat.secondMoment) });
    return { parameters: named(flat.parameters), optimiser: steps > 0 ? { steps, ...moments() } : null };
  };
}

interface Part {
  readonly name: 'parameters' | 'first moment' | 'second moment';
  readonly tensors: NamedTensors;
}

const partsOf = ({ parameters, optimiser }: PolicyState): readonly Part[] => [
  { name: 'parameters', tensors: parameters },
  ...(optimiser
    ? ([
        { name: 'first moment', tensors: optimiser.firstMoment },
        { name: 'second moment', tensors: optimiser.secondMoment },
      ] as const)
    : []),
];

export function clearMoments({ gpu, firstMoment, secondMoment }: DeviceModel): void {
  const encoder = gpu.device.createCommandEncoder({ label: 'clear moments' });
  for (const { buffer } of [firstMoment, secondMoment]) encoder.clearBuffer(buffer);
  gpu.device.queue.submit([encoder.finish()]);
}

/** @throws PolicyStateError where the state is of another model; nothing is then changed */
export function writeState(model: DeviceModel, state: PolicyState): void {
  const { gpu, map, parameters, firstMoment, secondMoment } = model;
  checkState(map, state);
  clearMoments(model);
  const views = { parameters, 'first moment': firstMoment, 'second moment': secondMoment };
  for (const part of partsOf(state))
    for (const { name, offset } of trainedOf(map)) upload(gpu, views[part.name], part.tensors[name], offset);
}

/** @throws PolicyStateError naming the first tensor that the model has no place for, or misses */
function checkState(map: ParameterMap, state: PolicyState): void {
  const lengths = new Map(trainedOf(map).map(({ name, length }) => [name, length]));
  for (const { name: part, tensors } of partsOf(state)) {
    for (const name of new Set([...lengths.keys(), ...Object.keys(tensors)])) {
      const [got, wanted] = [ownLength(tensors, name), lengths.get(name)];
      if (got !== wanted) throw new PolicyStateError(`${part} of ${name}`, sizeWords(got), sizeWords(wanted));
    }
  }
}

const ownLength = (tensors: NamedTensors, name: string): number | undefined =>
  Object.hasOwn(tensors, name) ? tensors[name].length : undefined;

const sizeWords = (length: number | undefined): string =>
  length === undefined ? 'no tensor of that name' : countWords(length, 'number');
