import type { Gpu } from './device.ts';
import { BufferTooLargeError, InvalidDispatchError, OutOfMemoryError } from './errors.ts';
import type { TypedArray } from './kernel.ts';

/** A range of a buffer, ready to be bound. Offsets and sizes in bytes. */
export interface BufferView {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

const ELEMENT = 4; // bytes: f32, u32 and i32 alike
const GRANULE = 16; // bytes: whole vec4s, so that array<vec4f> bindings see the last row

/** WebGPU's default minStorageBufferOffsetAlignment in elements: sub-views start at multiples of it. */
export const VIEW_ALIGNMENT = 64;

export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/**
 * Buffers of one owner (parameters, activations, one program…), freed together.
 * Creation is immediate; `ready()` must be awaited before use, since the device reports lack of memory later.
 */
export class BufferOwner {
  readonly owner: string;
  readonly #gpu: Gpu;
  readonly #buffers: GPUBuffer[] = [];
  readonly #pending: Promise<OutOfMemoryError | null>[] = [];

  constructor(gpu: Gpu, owner: string) {
    this.#gpu = gpu;
    this.owner = owner;
  }

  /**
   * A zeroed storage buffer of `length` 4-byte elements (rounded up to 16 bytes), or one with these contents.
   * @throws BufferTooLargeError
   */
  storage(label: string, contents: number | TypedArray): BufferView {
    const length = typeof contents === 'number' ? contents : contents.length;
    const size = Math.max(GRANULE, roundUp(length * ELEMENT, GRANULE));
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#gpu.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (size > limit) {
      const name = limit === maxBufferSize ? 'maxBufferSize' : 'maxStorageBufferBindingSize';
      throw new BufferTooLargeError(`${this.owner}/${label}`, size, limit, name);
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const view = { buffer: this.create(label, size, usage), offset: 0, size };
    if (typeof contents !== 'number') upload(this.#gpu, view, contents);
    return view;
  }

  /** Any other buffer, e.g. uniform or staging; `size` in bytes. */
  create(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const { device, memory } = this.#gpu;
    const where = `${this.owner}/${label}`;
    device.pushErrorScope('out-of-memory');
    const buffer = device.createBuffer({ label: where, size, usage });
    const scope = device.popErrorScope();
    const already = memory.totalBytes;
    this.#pending.push(
      scope.then((error) => (error ? new OutOfMemoryError(where, size, already, error) : null)),
    );
    memory.add(buffer, { owner: this.owner, label, bytes: size });
    this.#buffers.push(buffer);
    return buffer;
  }

  /** @throws OutOfMemoryError naming the first buffer that was refused; the owner's buffers are freed. */
  async ready(): Promise<void> {
    const answers = await this.#gpu.answers.of(Promise.all(this.#pending.splice(0)));
    const refused = answers.find((error) => error !== null);
    if (!refused) return;
    this.destroy();
    throw refused;
  }

  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) {
      this.#gpu.memory.remove(buffer);
      buffer.destroy();
    }
  }
}

/**
 * `length` elements of a view from element `first`, which must be a multiple of VIEW_ALIGNMENT.
 * @throws InvalidDispatchError
 */
export function subview(view: BufferView, first: number, length: number): BufferView {
  const size = Math.max(GRANULE, roundUp(length * ELEMENT, GRANULE));
  const offset = view.offset + first * ELEMENT;
  if (first % VIEW_ALIGNMENT !== 0 || first * ELEMENT + size > view.size) {
    const got = `elements ${first} to ${first + length} of ${view.size / ELEMENT}`;
    const wanted = `a range inside the buffer that starts at a multiple of ${VIEW_ALIGNMENT} elements`;
    throw new InvalidDispatchError(
      view.buffer.label,
      got,
      wanted,
      'Lay the buffer out with roundUp(length, VIEW_ALIGNMENT).',
    );
  }
  return { buffer: view.buffer, offset, size };
}

/** Writes `data` at element `first` of a view, ordered with the queue's other work. */
export function upload(gpu: Gpu, view: BufferView, data: TypedArray, first = 0): void {
  if (first * ELEMENT + data.byteLength > view.size) {
    const got = `${data.length} elements at ${first}`;
    throw new InvalidDispatchError(view.buffer.label, got, `at most ${view.size / ELEMENT} elements`);
  }
  gpu.device.queue.writeBuffer(view.buffer, view.offset + first * ELEMENT, data);
}
