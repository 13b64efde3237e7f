/** Gradients of several losses kept side by side on the device, and the angles between them. */
import { kernels } from '../../../shaders/index.ts';
import { BufferOwner, roundUp, subview, VIEW_ALIGNMENT, type BufferView } from '../../gpu/buffers.ts';
import { Program } from '../../gpu/program.ts';
import { f32, Readback, type ReadRange } from '../../gpu/readback.ts';
import { dispatch, type Sizes, type Step } from '../../gpu/steps.ts';
import type { GradientComparison, HeadNorms, ModelConfig } from '../../units.ts';
import { widthsOf, type DeviceModel } from '../device_model.ts';
import { TENSOR_ALIGNMENT, type StoredTensor } from '../parameters.ts';

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

// Gradient norms by attention head: what each head's queries, keys and values, and its share of the output, are asked.

/** Sums of squares that one layer leaves: one per row of q, k and v, then one per row of o and head. */
function placesOf(config: ModelConfig) {
  const { channels, qkv } = widthsOf(config);
  const output = roundUp(qkv, VIEW_ALIGNMENT); // first of them
  return { qkv, output, outputs: channels * config.heads, stride: roundUp(output + channels * config.heads, VIEW_ALIGNMENT) }; // prettier-ignore
}

/** Floats that the sums of squares of all layers take. */
export const headSquareCount = (config: ModelConfig): number => config.layers * placesOf(config).stride;

/**
 * Σ g² in pieces that no head shares: a head's queries, keys and values are rows of C floats; of the output
 * projection [C, NH·HS] a head owns HS floats of each row. The sums of the clip norm stay as they are. Of frozen tensors
 * the sums are 0.
 * @param squares [headSquareCount]
 */
export function headSquareSteps<S extends Sizes>(model: DeviceModel, squares: BufferView): Step<S>[] {
  const { config } = model;
  const places = placesOf(config);
  const blocks = (layer: number, first: number, count: number): BufferView =>
    subview(squares, layer * places.stride + first, count);
  const squareSum = (
    tensor: StoredTensor,
    partial: BufferView,
    BLOCK: number,
    label: string,
  ): readonly Step<S>[] => {
    if (!tensor.trainable) return [];
    const { length } = tensor;
    const buffers = { gradients: model.gradient(tensor), partial };
    return [
      dispatch<S, { length: 'u32' }>(kernels.square_sum, buffers, () => ({ length }), {
        overrides: { BLOCK },
        label,
      }),
    ];
  };
  return model.map.layers.flatMap(({ qkv, attentionOutput }, layer) => [
    ...squareSum(qkv, blocks(layer, 0, places.qkv), config.channels, `layer ${layer}: squares of q, k and v`),
    ...squareSum(
      attentionOutput,
      blocks(layer, places.output, places.outputs),
      config.headSize,
      `layer ${layer}: squares of the output projection`,
    ),
  ]);
}

/** @param squares as headSquareSteps left them; added in float64 */
export function headNorms(config: ModelConfig, squares: Float32Array): readonly HeadNorms[] {
  const { heads, kvHeads, headSize, channels, layers } = config;
  const { output, stride } = placesOf(config);
  return Array.from({ length: layers }, (_, layer): HeadNorms => {
    const at = layer * stride;
    const rows = (first: number, count: number): readonly number[] =>
      Array.from({ length: count }, (__, head) => {
        const start = at + (first + head) * headSize;
        return Math.sqrt(squares.subarray(start, start + headSize).reduce((sum, square) => sum + square, 0));
      });
    const columns = (head: number): number => {
      let sum = 0;
      for (let row = 0; row < channels; row++) sum += squares[at + output + row * heads + head];
      return Math.sqrt(sum);
    };
    return {
      query: rows(0, heads),
      key: rows(heads, kvHeads),
      value: rows(heads + kvHeads, kvHeads),
      output: Array.from({ length: heads }, (__, head) => columns(head)),
    };
  });
}
