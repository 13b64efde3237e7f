/**
 * The network, written once: embedding, layer and output layer as steps on whatever buffers they are given. Training gives
 * every layer buffers of its own, so that the backward pass finds them; decoding gives all layers the same ones.
 */
import type { BufferView } from '../gpu/buffers.ts';
import { copy, dispatch, type Sizes, type Step } from '../gpu/steps.ts';
import { kernels } from '../../shaders/index.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import { linearForward, readersOf, type Count } from './linear.ts';
import type { StoredTensor } from './parameters.ts';

/** Tokens as the embedding reads them, and where it leaves the residual stream. */
export interface EmbeddingBuffers {
  readonly tokens: BufferView; // [N] u32
  readonly previousTokens: BufferView; // [N] u32
  readonly previousEmbedding: BufferView; // [N, C] E[tok_{t−1}]
  readonly x: BufferView; // [N, C]
}

/** Where a layer finds its input and leaves what it computes. `middle` may be `input`: it is then changed in place. */
export interface LayerBuffers {
  readonly input: BufferView; // [N, C] residual stream
  readonly inputInverseRms: BufferView; // [N]
  readonly inputNormed: BufferView; // [N, C]
  readonly qkv: BufferView; // [N, (NH+2NKV)·HS] before norm and rotation
  readonly qk: BufferView; // [N, (NH+NKV)·HS]
  readonly attention: BufferView; // [N, NH·HS]
  readonly middle: BufferView; // [N, C] residual stream after attention
  readonly middleInverseRms: BufferView; // [N]
  readonly middleNormed: BufferView; // [N, C]
  readonly gateUp: BufferView | null; // [N, 2F]; null where it need not be kept: one kernel then makes `hidden`
  readonly hidden: BufferView; // [N, F]
}

/** One layer of a model, on these buffers, for as many tokens as `rows` says. */
export interface LayerPlace<S> {
  readonly index: number;
  readonly buffers: LayerBuffers;
  readonly positions: BufferView; // [N] u32
  readonly rows: Count<S>;
}

/** x_t = E[tok_t] (+ P·E[tok_{t−1}]) */
export function embeddingSteps<S extends Sizes>(
  model: DeviceModel,
  { tokens, previousTokens, previousEmbedding, x }: EmbeddingBuffers,
  rows: Count<S>,
): Step<S>[] {
  const { embedding, previous } = model.map;
  const { channels } = widthsOf(model.config);
  const table = model.weight(embedding);
  const gather = (ids: BufferView, y: BufferView): Step<S> =>
    dispatch(readersOf(table).rows, { table, ids, y }, (sizes: S) => ({ rows: rows(sizes), channels }));
  if (!previous) return [gather(tokens, x)];
  const mixing = { label: 'previous-token mixing', rows, inputs: channels, outputs: channels };
  return [
    gather(tokens, x),
    gather(previousTokens, previousEmbedding),
    linearForward(
      mixing,
      { x: previousEmbedding, weight: model.weight(previous), y: x },
      { accumulate: true },
    ),
  ];
}

/**
 * A whole layer, from `input` to `output`, which may be `middle`.
 * @param attend what turns the layer's `qkv` and `qk` into `attention`
 */
export function layerSteps<S extends Sizes>(
  model: DeviceModel,
  place: LayerPlace<S>,
  attend: readonly Step<S>[],
  output: BufferView,
): Step<S>[] {
  const { index, rows } = place;
  const { attentionOutput, postNorm, down } = model.map.layers[index];
  const { input, attention, middle, middleInverseRms, middleNormed, hidden } = place.buffers;
  const widths = widthsOf(model.config);
  const { channels } = widths;
  /** to = from + W·x */
  const join = (tensor: StoredTensor, x: BufferView, inputs: number, from: BufferView, to: BufferView) => [
    ...(from.buffer === to.buffer ? [] : [copy<S>(from, to, (sizes) => rows(sizes) * channels)]),
    linearForward(
      { label: tensor.name, rows, inputs, outputs: channels },
      { x, weight: model.weight(tensor), y: to },
      { accumulate: true },
    ),
  ];
  return [
    ...queryKeyValueSteps(model, place),
    ...attend,
    ...join(attentionOutput, attention, widths.attention, input, middle),
    normStep(model, postNorm, rows, { x: middle, y: middleNormed, inverseRms: middleInverseRms }),
    ...gatingSteps(model, place),
    ...join(down, hidden, widths.hidden, middle, output),
  ];
}

/** A layer's first part: queries, keys and values; queries and keys normed and rotated. */
export function queryKeyValueSteps<S extends Sizes>(
  model: DeviceModel,
  { index, buffers, positions, rows }: LayerPlace<S>,
): Step<S>[] {
  const { input, inputInverseRms, inputNormed, qkv, qk } = buffers;
  const tensors = model.map.layers[index];
  const { channels, qkv: width } = widthsOf(model.config);
  return [
    normStep(model, tensors.inputNorm, rows, { x: input, y: inputNormed, inverseRms: inputInverseRms }),
    linearForward(
      { label: tensors.qkv.name, rows, inputs: channels, outputs: width },
      { x: inputNormed, weight: model.weight(tensors.qkv), y: qkv },
    ),
    dispatch(
      kernels.qk_norm_rotary_forward,
      { qkv, ...queryKeyNorms(model, index), positions, rotary: model.rotary, qk },
      (sizes: S) => ({ rows: rows(sizes), ...queryKeyNormParams(model) }),
      { constants: { HEAD_SIZE: model.config.headSize } },
    ),
  ];
}

/** hidden = silu(gate) ∘ up, in two kernels or one: the same bits. */
function gatingSteps<S extends Sizes>(
  model: DeviceModel,
  { index, buffers, rows }: LayerPlace<S>,
): Step<S>[] {
  const { middleNormed: x, gateUp, hidden: h } = buffers;
  const tensor = model.map.layers[index].gateUp;
  const { channels: inputs, hidden } = widthsOf(model.config);
  const weight = model.weight(tensor);
  const label = tensor.name;
  if (!gateUp)
    return [
      dispatch(
        readersOf(weight).gated,
        { x, weight, h },
        (sizes: S) => ({ rows: rows(sizes), hidden, inputs }),
        {
          label,
        },
      ),
    ];
  return [
    linearForward({ label, rows, inputs, outputs: 2 * hidden }, { x, weight, y: gateUp }),
    dispatch(kernels.swiglu_forward, { gateUp, h }, (sizes: S) => ({ rows: rows(sizes), hidden })),
  ];
}

export function normStep<S extends Sizes>(
  model: DeviceModel,
  tensor: StoredTensor,
  rows: Count<S>,
  views: { readonly x: BufferView; readonly y: BufferView; readonly inverseRms: BufferView },
): Step<S> {
  const { channels, rmsEpsilon: epsilon } = model.config;
  const params = (sizes: S) => ({ rows: rows(sizes), channels, epsilon });
  return dispatch(kernels.rmsnorm_forward, { ...views, weight: model.weight(tensor) }, params, {
    label: tensor.name,
  });
}

/** logits = logitScale·normed·Eᵀ, rows of V rounded up to 4 */
export function logitsStep<S extends Sizes>(
  model: DeviceModel,
  rows: Count<S>,
  { normed, logits }: { readonly normed: BufferView; readonly logits: BufferView },
): Step<S> {
  const { channels, vocabulary, logits: outputStride } = widthsOf(model.config);
  return linearForward(
    { label: 'logits', rows, inputs: channels, outputs: vocabulary },
    { x: normed, weight: model.weight(model.map.output), y: logits },
    { scale: model.config.logitScale, outputStride },
  );
}

/** Weights of a layer's query and key norms; ones that nothing reads where the model has none. */
export function queryKeyNorms(
  model: DeviceModel,
  layer: number,
): { queryWeight: BufferView; keyWeight: BufferView } {
  const { queryNorm, keyNorm } = model.map.layers[layer];
  return {
    queryWeight: queryNorm ? model.weight(queryNorm) : model.noNorm,
    keyWeight: keyNorm ? model.weight(keyNorm) : model.noNorm,
  };
}

export const queryKeyNormParams = ({ config }: DeviceModel) => ({
  heads: config.heads,
  kvHeads: config.kvHeads,
  normalise: config.queryKeyNorm ? 1 : 0,
  epsilon: config.rmsEpsilon,
});
