/** Gradient norms by attention head: what each head's queries, keys and values, and its share of the output, are asked. */
import { roundUp, subview, VIEW_ALIGNMENT, type BufferView } from '../../gpu/buffers.ts';
import { dispatch, type Sizes, type Step } from '../../gpu/steps.ts';
import type { HeadNorms, ModelConfig } from '../../units.ts';
import { kernels } from '../../../shaders/index.ts';
import { widthsOf, type DeviceModel } from '../device_model.ts';
import type { StoredTensor } from '../parameters.ts';

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
