import type { BufferView } from '../../gpu/buffers.ts';
import { clear, dispatch, type Step } from '../../gpu/steps.ts';
import { kernels } from '../../../shaders/index.ts';
import { widthsOf, type DeviceModel } from '../device_model.ts';
import {
  allPredicted,
  allTokens,
  chunkLogitsStep,
  headChunks,
  type HeadChunk,
  type TrainSizes,
} from './forward.ts';
import type { IndexViews } from './inverse_index.ts';
import { queryKeyNormParams, queryKeyNorms } from '../layer.ts';
import { linearBackwardInput, linearBackwardWeight, type Linear, type LinearOptions } from '../linear.ts';
import type { StoredTensor } from '../parameters.ts';
import { CHUNK_ROWS, type Workspace } from './workspace.ts';

type TrainStep = Step<TrainSizes>;
type Rows = (sizes: TrainSizes) => number;

/** ∂loss/∂logProb and ∂loss/∂entropy → gradients of what is trained, which accumulate. Stops where nothing below is. */
export function backwardSteps(model: DeviceModel, workspace: Workspace): TrainStep[] {
  const { embedding, previous, layers } = model.map;
  const throughAll = embedding.trainable || previous?.trainable;
  const lowest = throughAll ? 0 : layers.findIndex((layer) => isTrained(Object.values(layer)));
  const down = lowest < 0 ? [] : layers.map((_, index) => index).slice(lowest);
  return [
    ...headSteps(model, workspace),
    ...down.reverse().flatMap((index) => layerSteps(model, workspace, index)),
    ...embeddingSteps(model, workspace),
  ];
}

const isTrained = (tensors: readonly (StoredTensor | null)[]): boolean =>
  tensors.some((tensor) => tensor?.trainable);

function headSteps(model: DeviceModel, workspace: Workspace): TrainStep[] {
  const { channels } = widthsOf(model.config);
  const { gathered, gatheredInverseRms, gradients, predecessorIndex } = workspace;
  const { dnormedRows, dgathered, dx } = gradients;
  const chunks = headChunks(workspace);
  return [
    ...chunks.flatMap((chunk) => headChunkSteps(model, workspace, chunk, chunks.length > 1)),
    clear(dgathered),
    ...normBackwardSteps(model, workspace, model.map.finalNorm, allPredicted, {
      x: gathered,
      inverseRms: gatheredInverseRms,
      dy: dnormedRows,
      dx: dgathered,
    }),
    gatherBackward(predecessorIndex, dgathered, dx, ({ tokens: rows }) => ({
      rows,
      channels,
      accumulate: 0,
    })),
  ];
}

/** @param recompute the forward pass's logits of this chunk were overwritten by the next one's */
function headChunkSteps(
  model: DeviceModel,
  workspace: Workspace,
  chunk: HeadChunk,
  recompute: boolean,
): TrainStep[] {
  const { channels, vocabulary, logits: stride } = widthsOf(model.config);
  const { logits, chosen, logitLse, entropy, dlogProb, dentropy, gatheredNormed, gradients } = workspace;
  const { dlogits, dnormedRows } = gradients;
  const head = { label: 'logits', rows: chunk.rows, inputs: channels, outputs: vocabulary };
  const options = { scale: model.config.logitScale, outputStride: stride };
  const slices = { chosen, lse: logitLse, entropy, dlogProb, dentropy };
  const views = Object.fromEntries(
    Object.entries(slices).map(([name, tensor]) => [name, chunk.view(tensor, 1)]),
  );
  return [
    ...(recompute ? [chunkLogitsStep(model, workspace, chunk)] : []),
    dispatch(kernels.token_stats_backward, { logits, ...views, dlogits }, (sizes) => ({
      rows: chunk.rows(sizes),
      vocab: vocabulary,
      stride,
      inverseTemperature: sizes.inverseTemperature,
    })),
    ...weightGradient(model, model.map.output, head, dlogits, chunk.view(gatheredNormed, channels), options),
    linearBackwardInput(
      head,
      { dy: dlogits, weight: model.weight(model.map.output), dx: chunk.view(dnormedRows, channels) },
      options,
    ),
  ];
}

/** dW of a linear layer; nothing where it is frozen. */
function weightGradient(
  model: DeviceModel,
  tensor: StoredTensor,
  shape: Linear<TrainSizes>,
  dy: BufferView,
  x: BufferView,
  options: LinearOptions = {},
): TrainStep[] {
  if (!tensor.trainable) return [];
  return [linearBackwardWeight(shape, { dy, x, dweight: model.gradient(tensor) }, options)];
}

function gatherBackward(
  { offsets, sources }: IndexViews,
  dy: BufferView,
  dtable: BufferView,
  params: (sizes: TrainSizes) => { rows: number; channels: number; accumulate: number },
): TrainStep {
  return dispatch(kernels.gather_rows_backward, { dy, offsets, sources, dtable }, params);
}

interface NormViews {
  readonly x: BufferView;
  readonly inverseRms: BufferView;
  readonly dy: BufferView;
  readonly dx: BufferView; // +=
}

function normBackwardSteps(
  model: DeviceModel,
  workspace: Workspace,
  tensor: StoredTensor,
  rows: Rows,
  { x, inverseRms, dy, dx }: NormViews,
): TrainStep[] {
  const { channels } = model.config;
  const { partial } = workspace.gradients;
  const label = `${tensor.name}, gradient`;
  const weightSteps = (): TrainStep[] => [
    dispatch(
      kernels.rmsnorm_backward_weight,
      { x, inverseRms, dy, partial },
      (sizes) => ({ rows: rows(sizes), channels, chunkRows: CHUNK_ROWS }),
      { label },
    ),
    columnSum(partial, model.gradient(tensor), rows, { columns: channels, stride: channels, offset: 0 }),
  ];
  return [
    ...(tensor.trainable ? weightSteps() : []),
    dispatch(
      kernels.rmsnorm_backward,
      { x, weight: model.weight(tensor), inverseRms, dy, dx },
      (sizes) => ({ rows: rows(sizes), channels }),
      { label },
    ),
  ];
}

function columnSum(
  partial: BufferView,
  total: BufferView,
  rows: Rows,
  columns: { columns: number; stride: number; offset: number },
): TrainStep {
  return dispatch(kernels.column_sum, { partial, total }, (sizes) => ({
    rows: Math.ceil(rows(sizes) / CHUNK_ROWS),
    ...columns,
  }));
}

function layerSteps(model: DeviceModel, workspace: Workspace, index: number): TrainStep[] {
  const layer = workspace.layers[index];
  const tensors = model.map.layers[index];
  const { gradients } = workspace;
  const { dx, dnormed, dattention, dgateUp, dhidden, dqkv } = gradients;
  const { channels, attention, qkv, hidden } = widthsOf(model.config);
  const linear = (
    tensor: StoredTensor,
    inputs: number,
    outputs: number,
    x: BufferView,
    dy: BufferView,
    into: BufferView,
  ) => {
    const shape = { label: tensor.name, rows: allTokens, inputs, outputs };
    return [
      ...weightGradient(model, tensor, shape, dy, x),
      linearBackwardInput(shape, { dy, weight: model.weight(tensor), dx: into }),
    ];
  };
  return [
    ...linear(tensors.down, hidden, channels, layer.hidden, dx, dhidden),
    dispatch(kernels.swiglu_backward, { gateUp: layer.gateUp, dh: dhidden, dgateUp }, ({ tokens: rows }) => ({
      rows,
      hidden,
    })),
    ...linear(tensors.gateUp, channels, 2 * hidden, layer.middleNormed, dgateUp, dnormed),
    ...normBackwardSteps(model, workspace, tensors.postNorm, allTokens, {
      x: layer.middle,
      inverseRms: layer.middleInverseRms,
      dy: dnormed,
      dx,
    }),
    ...linear(tensors.attentionOutput, attention, channels, layer.attention, dx, dattention),
    ...attentionSteps(model, workspace, index),
    ...linear(tensors.qkv, channels, qkv, layer.inputNormed, dqkv, dnormed),
    ...normBackwardSteps(model, workspace, tensors.inputNorm, allTokens, {
      x: layer.input,
      inverseRms: layer.inputInverseRms,
      dy: dnormed,
      dx,
    }),
  ];
}

/** dattention → dqkv, and the gradients of both head norms. */
function attentionSteps(model: DeviceModel, workspace: Workspace, index: number): TrainStep[] {
  const { heads, kvHeads, headSize } = model.config;
  const { qkv, qk, attention: out, lse } = workspace.layers[index];
  const { visible, positions, gradients } = workspace;
  const { dattention: dout, dqk, dqkv, delta } = gradients;
  const options = { constants: { HEAD_SIZE: headSize } };
  const params = ({ tokens }: TrainSizes) => ({ tokens, heads, kvHeads, scale: 1 / Math.sqrt(headSize) });
  return [
    dispatch(
      kernels.attention_backward_query,
      { qk, qkv, visible, out, lse, dout, dqk, delta },
      params,
      options,
    ),
    dispatch(
      kernels.attention_backward_key_value,
      { qk, qkv, visible, lse, delta, dout, dqk, dqkv },
      params,
      options,
    ),
    ...headNormWeightSteps(model, workspace, index),
    dispatch(
      kernels.qk_norm_rotary_backward,
      { qkv, ...queryKeyNorms(model, index), positions, rotary: model.rotary, dqk, dqkv },
      ({ tokens: rows }) => ({ rows, ...queryKeyNormParams(model) }),
      options,
    ),
  ];
}

function headNormWeightSteps(model: DeviceModel, workspace: Workspace, index: number): TrainStep[] {
  const { queryNorm, keyNorm } = model.map.layers[index];
  if (!queryNorm || !keyNorm || !isTrained([queryNorm, keyNorm])) return [];
  const { headSize } = model.config;
  const { partial, dqk } = workspace.gradients;
  const { qkv } = workspace.layers[index];
  const halves = { columns: headSize, stride: 2 * headSize };
  return [
    dispatch(
      kernels.qk_norm_rotary_backward_weight,
      { qkv, positions: workspace.positions, rotary: model.rotary, dqk, partial },
      ({ tokens: rows }) => ({ rows, ...queryKeyNormParams(model), chunkRows: CHUNK_ROWS }),
      { constants: { HEAD_SIZE: headSize } },
    ),
    ...[queryNorm, keyNorm].flatMap((norm, half) =>
      norm.trainable
        ? [columnSum(partial, model.gradient(norm), allTokens, { ...halves, offset: half * headSize })]
        : [],
    ),
  ];
}

/** dx of the embeddings → dE, dP. */
function embeddingSteps(model: DeviceModel, workspace: Workspace): TrainStep[] {
  const { embedding, previous } = model.map;
  const { channels, vocabulary: rows } = widthsOf(model.config);
  const { tokenIndex, previousIndex, previousEmbedding, gradients } = workspace;
  const { dx, dnormed } = gradients;
  const spread = (index: IndexViews, dy: BufferView): TrainStep[] =>
    embedding.trainable
      ? [gatherBackward(index, dy, model.gradient(embedding), () => ({ rows, channels, accumulate: 1 }))]
      : [];
  const direct = spread(tokenIndex, dx);
  if (!previous) return direct;
  const mixing = { label: 'previous-token mixing', rows: allTokens, inputs: channels, outputs: channels };
  return [
    ...direct,
    ...weightGradient(model, previous, mixing, dx, previousEmbedding),
    ...(embedding.trainable
      ? [linearBackwardInput(mixing, { dy: dx, weight: model.weight(previous), dx: dnormed })]
      : []),
    ...spread(previousIndex, dnormed),
  ];
}
