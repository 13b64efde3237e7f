/** Gradients of several losses kept side by side on the device, and the angles between them. */
import { BufferOwner, type BufferView } from '../../gpu/buffers.ts';
import { Program } from '../../gpu/program.ts';
import { f32, Readback, type ReadRange } from '../../gpu/readback.ts';
import { dispatch } from '../../gpu/steps.ts';
import type { GradientComparison } from '../../units.ts';
import { kernels } from '../../../shaders/index.ts';
import type { DeviceModel } from '../device_model.ts';
import { TENSOR_ALIGNMENT } from '../parameters.ts';

/** Room for `count` flat gradients. The model's own gradient is put aside when it is made and back when it goes. */
export class GradientShelf {
  readonly #model: DeviceModel;
  readonly #owner: BufferOwner;
  readonly #aside: BufferView;
  readonly #gradients: readonly BufferView[];

  private constructor(model: DeviceModel, count: number) {
    this.#model = model;
    this.#owner = new BufferOwner(model.gpu, 'compared gradients');
    const { length } = model.map;
    this.#aside = this.#owner.storage('gradient of the last update', length);
    this.#gradients = Array.from({ length: count }, (_, index) =>
      this.#owner.storage(`gradient ${index}`, length),
    );
  }

  /** @throws BufferTooLargeError, OutOfMemoryError */
  static async create(model: DeviceModel, count: number): Promise<GradientShelf> {
    const shelf = new GradientShelf(model, count);
    await shelf.#owner.ready();
    shelf.#copy(model.gradients, shelf.#aside);
    return shelf;
  }

  /** Copies the model's gradient to a place. */
  keep(index: number): void {
    this.#copy(this.#model.gradients, this.#gradients[index]);
  }

  async read(index: number): Promise<Float32Array<ArrayBuffer>> {
    const readback = new Readback(this.#model.gpu, 'compared gradient readback');
    try {
      return (await readback.read({ values: f32(this.#gradients[index]) })).values;
    } finally {
      readback.destroy();
    }
  }

  /** Norms, and cosines of every two. */
  async compare(): Promise<GradientComparison> {
    const products = await this.#products();
    const norms = this.#gradients.map((_, index) => Math.sqrt(products[index][index]));
    const cosine = (i: number, j: number): number => {
      const scale = norms[i] * norms[j];
      return scale === 0 ? 0 : products[Math.min(i, j)][Math.max(i, j)] / scale; // NaN stays NaN
    };
    return { norms, cosines: norms.map((_, i) => norms.map((__, j) => cosine(i, j))) };
  }

  /** Puts the model's gradient back and frees the others. */
  destroy(): void {
    this.#copy(this.#aside, this.#model.gradients);
    this.#owner.destroy();
  }

  /** products[i][j] = Σ g_i·g_j for j ≥ i: blocks on the device in f32, their sum in float64. */
  async #products(): Promise<number[][]> {
    const { gpu, map } = this.#model;
    const owner = new BufferOwner(gpu, 'inner products');
    const readback = new Readback(gpu, 'inner product readback');
    const { length } = map;
    const blocks = length / TENSOR_ALIGNMENT;
    const pairs = this.#gradients.flatMap((left, i) =>
      this.#gradients.slice(i).map((right, offset) => {
        const name = `${i} · ${i + offset}`;
        return { name, i, j: i + offset, left, right, partial: owner.storage(name, blocks) };
      }),
    );
    try {
      await owner.ready();
      const steps = pairs.map(({ left, right, partial }) =>
        dispatch(kernels.dot_product, { left, right, partial }, () => ({ length }), {
          overrides: { BLOCK: TENSOR_ALIGNMENT },
        }),
      );
      const program = await Program.build(gpu, 'inner products', steps);
      program.run({});
      const ranges = pairs.map(({ name, partial }) => [name, f32(partial)] as const);
      const read = await readback.read<Record<string, ReadRange<'f32'>>>(Object.fromEntries(ranges));
      program.destroy();
      const products = this.#gradients.map(() => new Array<number>(this.#gradients.length).fill(0));
      for (const { name, i, j } of pairs)
        products[i][j] = read[name].slice(0, blocks).reduce((sum, block) => sum + block, 0);
      return products;
    } finally {
      owner.destroy();
      readback.destroy();
    }
  }

  #copy(from: BufferView, to: BufferView): void {
    const encoder = this.#model.gpu.device.createCommandEncoder({ label: 'copy gradient' });
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, from.size);
    this.#model.gpu.device.queue.submit([encoder.finish()]);
  }
}
