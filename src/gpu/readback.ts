import { BufferOwner, type BufferView } from './buffers.ts';
import type { Gpu } from './device.ts';
import type { ScalarType } from './kernel.ts';

interface ArrayOf {
  f32: Float32Array<ArrayBuffer>;
  u32: Uint32Array<ArrayBuffer>;
  i32: Int32Array<ArrayBuffer>;
}

/** A range to read and what its elements are. */
export interface ReadRange<T extends ScalarType = ScalarType> {
  readonly view: BufferView;
  readonly type: T;
}

export type ReadRanges = Readonly<Record<string, ReadRange>>;
export type ReadArrays<R extends ReadRanges> = { readonly [Name in keyof R]: ArrayOf[R[Name]['type']] };

export const f32 = (view: BufferView): ReadRange<'f32'> => ({ view, type: 'f32' });
export const u32 = (view: BufferView): ReadRange<'u32'> => ({ view, type: 'u32' });
export const i32 = (view: BufferView): ReadRange<'i32'> => ({ view, type: 'i32' });

/** Copies ranges of the device's buffers to the host. Staging buffers are reused; each call maps once. */
export class Readback {
  readonly #gpu: Gpu;
  readonly #owner: BufferOwner;
  readonly #free: GPUBuffer[] = [];

  constructor(gpu: Gpu, label = 'readback') {
    this.#gpu = gpu;
    this.#owner = new BufferOwner(gpu, label);
  }

  /** Makes `count` staging buffers ahead: as many copies of up to `bytes` at once then allocate nothing. */
  async reserve(count: number, bytes: number): Promise<void> {
    for (let made = 0; made < count; made++) this.#free.push(this.#create(bytes));
    await this.#owner.ready();
  }

  /**
   * Adds the copies to `encoder`. Await the returned function's result after submitting it.
   * @throws DeviceLostError from the returned function when the device goes away
   */
  copy<R extends ReadRanges>(encoder: GPUCommandEncoder, ranges: R): () => Promise<ReadArrays<R>> {
    const names = Object.keys(ranges);
    const bytes = names.reduce((total, name) => total + ranges[name].view.size, 0);
    const staging = this.#take(bytes);
    let offset = 0;
    for (const name of names) {
      const { view } = ranges[name];
      encoder.copyBufferToBuffer(view.buffer, view.offset, staging, offset, view.size);
      offset += view.size;
    }
    return () => this.#fetch(staging, bytes, ranges);
  }

  /** Submits the copies alone and waits. */
  async read<R extends ReadRanges>(ranges: R): Promise<ReadArrays<R>> {
    const encoder = this.#gpu.device.createCommandEncoder({ label: this.#owner.owner });
    const fetch = this.copy(encoder, ranges);
    this.#gpu.device.queue.submit([encoder.finish()]);
    return fetch();
  }

  destroy(): void {
    this.#free.length = 0;
    this.#owner.destroy();
  }

  #take(bytes: number): GPUBuffer {
    const fit = this.#free.findIndex(({ size }) => size >= bytes);
    return fit >= 0 ? this.#free.splice(fit, 1)[0] : this.#create(bytes);
  }

  #create(bytes: number): GPUBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(256, bytes)));
    return this.#owner.create('staging', size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  async #fetch<R extends ReadRanges>(staging: GPUBuffer, bytes: number, ranges: R): Promise<ReadArrays<R>> {
    await this.#owner.ready();
    try {
      await this.#gpu.answers.of(staging.mapAsync(GPUMapMode.READ, 0, bytes));
    } catch (cause) {
      // A map fails when the device is lost; the loss itself may be reported a moment later.
      throw await Promise.race([this.#gpu.lost, soon(cause)]);
    }
    const data = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    this.#free.push(staging);
    const { courtesy } = this.#gpu;
    if (courtesy?.asked) await courtesy.pass();
    let offset = 0;
    const arrays = Object.entries(ranges).map(([name, { view, type }]) => {
      const array = new ARRAYS[type](data, offset, view.size / 4);
      offset += view.size;
      return [name, array];
    });
    return Object.fromEntries(arrays) as ReadArrays<R>; // names and types follow `ranges` above
  }
}

const ARRAYS = { f32: Float32Array, u32: Uint32Array, i32: Int32Array };

const soon = (cause: unknown): Promise<Error> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(cause instanceof Error ? cause : new Error(String(cause))), 1000);
  });
