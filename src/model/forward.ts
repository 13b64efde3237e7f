import { subview, type BufferView } from '../gpu/buffers.ts';
import { copy, dispatch, type Step } from '../gpu/steps.ts';
import { kernels } from '../../shaders/index.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import { linearForward } from './linear.ts';
import type { StoredTensor } from './parameters.ts';
import type { LossSizes } from './policy_loss.ts';
import type { LayerActivations, Workspace } from './workspace.ts';

/** What changes between two micro-batches. */
export type TrainSizes = Readonly<{
  tokens: number; // N
  predicted: number; // U
  visiblePairs: number; // (query, key) pairs that see each other; no kernel reads it, profiles do
  inverseTemperature: number;
}> &
  LossSizes;

type TrainStep = Step<TrainSizes>;
type Rows = (sizes: TrainSizes) => number;

export const allTokens: Rows = ({ tokens }) => tokens;
export const allPredicted: Rows = ({ predicted }) => predicted;

/** A range of predicted tokens whose logits are computed at once. */
export interface HeadChunk {
  readonly rows: Rows;
  readonly view: (tensor: BufferView, width: number) => BufferView;
}

export function headChunks({ capacity, headRows }: Workspace): HeadChunk[] {
  return Array.from({ length: capacity.predicted / headRows }, (_, chunk) => ({
    rows: ({ predicted }) => Math.max(0, Math.min(headRows, predicted - chunk * headRows)),
    view: (tensor, width) => subview(tensor, chunk * headRows * width, headRows * width),
  }));
}

/** Packed tokens → logProb and entropy of every predicted token; keeps what the backward pass needs. */
export function forwardSteps(model: DeviceModel, workspace: Workspace): TrainStep[] {
  const { layers, output } = workspace;
  return [
    ...embeddingSteps(model, workspace),
    ...layers.flatMap((_, index) => layerSteps(model, workspace, index, layers[index + 1]?.input ?? output)),
    ...headSteps(model, workspace),
  ];
}

/** x_t = E[tok_t] (+ P·E[tok_{t−1}]) */
function embeddingSteps(
  model: DeviceModel,
  { tokens, previousTokens, previousEmbedding, layers }: Workspace,
): TrainStep[] {
  const { embedding, previous } = model.map;
  const { channels } = widthsOf(model.config);
  const table = model.weight(embedding);
  const y = layers[0].input;
  const gather = (ids: BufferView, into: BufferView): TrainStep =>
    dispatch(kernels.gather_rows_forward, { table, ids, y: into }, (sizes) => ({
      rows: sizes.tokens,
      channels,
    }));
  if (!previous) return [gather(tokens, y)];
  const mixing = { label: 'previous-token mixing', rows: allTokens, inputs: channels, outputs: channels };
  return [
    gather(tokens, y),
    gather(previousTokens, previousEmbedding),
    linearForward(mixing, { x: previousEmbedding, weight: model.weight(previous), y }, { accumulate: true }),
  ];
}

export function normStep(
  model: DeviceModel,
  tensor: StoredTensor,
  rows: Rows,
  views: { readonly x: BufferView; readonly y: BufferView; readonly inverseRms: BufferView },
): TrainStep {
  const { channels, rmsEpsilon: epsilon } = model.config;
  const params = (sizes: TrainSizes) => ({ rows: rows(sizes), channels, epsilon });
  return dispatch(kernels.rmsnorm_forward, { ...views, weight: model.weight(tensor) }, params, {
    label: tensor.name,
  });
}

function layerSteps(
  model: DeviceModel,
  workspace: Workspace,
  index: number,
  output: BufferView,
): TrainStep[] {
  const layer = workspace.layers[index];
  const tensors = model.map.layers[index];
  const { channels, attention, qkv, hidden } = widthsOf(model.config);
  const linear = (tensor: StoredTensor, inputs: number, outputs: number) => ({
    label: tensor.name,
    rows: allTokens,
    inputs,
    outputs,
  });
  return [
    normStep(model, tensors.inputNorm, allTokens, {
      x: layer.input,
      y: layer.inputNormed,
      inverseRms: layer.inputInverseRms,
    }),
    linearForward(linear(tensors.qkv, channels, qkv), {
      x: layer.inputNormed,
      weight: model.weight(tensors.qkv),
      y: layer.qkv,
    }),
    ...attentionSteps(model, workspace, index, layer),
    copy(layer.input, layer.middle, (sizes) => sizes.tokens * channels),
    linearForward(
      linear(tensors.attentionOutput, attention, channels),
      { x: layer.attention, weight: model.weight(tensors.attentionOutput), y: layer.middle },
      { accumulate: true },
    ),
    normStep(model, tensors.postNorm, allTokens, {
      x: layer.middle,
      y: layer.middleNormed,
      inverseRms: layer.middleInverseRms,
    }),
    linearForward(linear(tensors.gateUp, channels, 2 * hidden), {
      x: layer.middleNormed,
      weight: model.weight(tensors.gateUp),
      y: layer.gateUp,
    }),
    dispatch(kernels.swiglu_forward, { gateUp: layer.gateUp, h: layer.hidden }, ({ tokens: rows }) => ({
      rows,
      hidden,
    })),
    copy(layer.middle, output, (sizes) => sizes.tokens * channels),
    linearForward(
      linear(tensors.down, hidden, channels),
      { x: layer.hidden, weight: model.weight(tensors.down), y: output },
      { accumulate: true },
    ),
  ];
}

/** Queries and keys: norm and rotation; then attention by the reading rule. */
function attentionSteps(
  model: DeviceModel,
  workspace: Workspace,
  index: number,
  layer: LayerActivations,
): TrainStep[] {
  const { heads, kvHeads, headSize } = model.config;
  const { qkv, qk, attention: out, lse } = layer;
  const options = { constants: { HEAD_SIZE: headSize } };
  const { visible } = workspace;
  return [
    dispatch(
      kernels.qk_norm_rotary_forward,
      { qkv, ...headNorms(model, index), positions: workspace.positions, rotary: model.rotary, qk },
      ({ tokens: rows }) => ({ rows, ...headNormParams(model) }),
      options,
    ),
    dispatch(
      kernels.attention_forward,
      { qk, qkv, visible, out, lse },
      ({ tokens }) => ({ tokens, heads, kvHeads, scale: 1 / Math.sqrt(headSize) }),
      options,
    ),
  ];
}

export function headNorms(
  model: DeviceModel,
  layer: number,
): { queryWeight: BufferView; keyWeight: BufferView } {
  const { queryNorm, keyNorm } = model.map.layers[layer];
  return {
    queryWeight: queryNorm ? model.weight(queryNorm) : model.noNorm,
    keyWeight: keyNorm ? model.weight(keyNorm) : model.noNorm,
  };
}

export const headNormParams = ({ config }: DeviceModel) => ({
  heads: config.heads,
  kvHeads: config.kvHeads,
  normalise: config.queryKeyNorm ? 1 : 0,
  epsilon: config.rmsEpsilon,
});

/** Final norm and output layer on the rows before predicted tokens only; then log-probability and entropy. */
function headSteps(model: DeviceModel, workspace: Workspace): TrainStep[] {
  const { channels } = widthsOf(model.config);
  const { output, predecessors, gathered, gatheredNormed, gatheredInverseRms } = workspace;
  return [
    dispatch(
      kernels.gather_rows_forward,
      { table: output, ids: predecessors, y: gathered },
      ({ predicted: rows }) => ({ rows, channels }),
    ),
    normStep(model, model.map.finalNorm, allPredicted, {
      x: gathered,
      y: gatheredNormed,
      inverseRms: gatheredInverseRms,
    }),
    ...headChunks(workspace).flatMap((chunk) => [
      logitsStep(model, workspace, chunk),
      statsStep(model, workspace, chunk),
    ]),
  ];
}

/** logits = logitScale·normed·Eᵀ */
export function logitsStep(model: DeviceModel, workspace: Workspace, chunk: HeadChunk): TrainStep {
  const { channels, vocabulary, logits: outputStride } = widthsOf(model.config);
  return linearForward(
    { label: 'logits', rows: chunk.rows, inputs: channels, outputs: vocabulary },
    {
      x: chunk.view(workspace.gatheredNormed, channels),
      weight: model.weight(model.map.output),
      y: workspace.logits,
    },
    { scale: model.config.logitScale, outputStride },
  );
}

function statsStep(model: DeviceModel, workspace: Workspace, chunk: HeadChunk): TrainStep {
  const { vocabulary: vocab, logits: stride } = widthsOf(model.config);
  const { logits, chosen, logitLse, logProb, entropy } = workspace;
  const slices = { chosen: chunk.view(chosen, 1), lse: chunk.view(logitLse, 1) };
  return dispatch(
    kernels.token_stats_forward,
    { logits, ...slices, logProb: chunk.view(logProb, 1), entropy: chunk.view(entropy, 1) },
    (sizes) => ({ rows: chunk.rows(sizes), vocab, stride, inverseTemperature: sizes.inverseTemperature }),
  );
}
