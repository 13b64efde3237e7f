/** A look at the model with other parameters. */
import { BufferOwner, upload, type BufferView } from '../../gpu/buffers.ts';
import type { DeviceModel } from '../device_model.ts';
import { ParameterCountError } from '../errors.ts';

/**
 * Does some work with these parameters in the model's place. The model's own are put aside on the device and come back
 * bit for bit, also when the work fails; gradients and moments are not touched.
 * @param values flat, laid out as the model's
 * @throws ParameterCountError, BufferTooLargeError, OutOfMemoryError, and whatever the work throws
 */
export async function atParameters<T>(
  { gpu, map, parameters }: DeviceModel,
  values: Float32Array<ArrayBuffer>,
  work: () => Promise<T>,
): Promise<T> {
  if (values.length < map.length) throw new ParameterCountError(values.length, map.length);
  const owner = new BufferOwner(gpu, 'parameters put aside');
  const aside = owner.storage('parameters', map.length);
  await owner.ready();
  const copy = (from: BufferView, to: BufferView): void => {
    const encoder = gpu.device.createCommandEncoder({ label: 'copy parameters' });
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, from.size);
    gpu.device.queue.submit([encoder.finish()]);
  };
  copy(parameters, aside);
  try {
    upload(gpu, parameters, values);
    return await work();
  } finally {
    copy(aside, parameters);
    owner.destroy();
  }
}
