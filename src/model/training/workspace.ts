import { BufferOwner, roundUp, VIEW_ALIGNMENT, type BufferView } from '../../gpu/buffers.ts';
import { headSquareCount } from './gradients.ts';
import { createIndex, type IndexViews } from './inverse_index.ts';
import type { LayerBuffers } from '../layer.ts';
import { createLossBuffers, type LossBuffers } from '../policy_loss.ts';
import { widthsOf, type DeviceModel } from '../device_model.ts';
import { TENSOR_ALIGNMENT } from '../parameters.ts';
import type { Capacity } from '../microbatches.ts';

/** Rows summed by one partial of a norm's weight gradient. */
export const CHUNK_ROWS = 32;
const LOGIT_BYTES = 64 * 2 ** 20; // of one chunk of the output layer; the limit on bindings may lower it

/** Activations of one layer, kept from the forward to the backward pass. */
export interface LayerActivations extends LayerBuffers {
  readonly gateUp: BufferView; // [N, 2F]
  readonly lse: BufferView; // [N, NH]
}

const INPUTS = ['tokens', 'previousTokens', 'positions'] as const; // [N] u32
const PREDICTED_INPUTS = ['predecessors', 'chosen'] as const; // [U] u32
const PREDICTED_OUTPUTS = ['logitLse', 'logProb', 'entropy', 'dlogProb', 'dentropy'] as const; // [U]

type Views<Names extends readonly string[]> = Readonly<Record<Names[number], BufferView>>;

/** Everything a micro-batch needs on the device, allocated once per capacity. */
export interface Workspace
  extends Views<typeof INPUTS>, Views<typeof PREDICTED_INPUTS>, Views<typeof PREDICTED_OUTPUTS> {
  readonly capacity: Capacity; // predicted: a multiple of headRows
  readonly headRows: number; // rows of one chunk of the output layer
  readonly visible: BufferView; // [N, 2] u32
  readonly tokenIndex: IndexViews; // inverse of tokens over V
  readonly previousIndex: IndexViews; // inverse of previousTokens over V
  readonly predecessorIndex: IndexViews; // inverse of predecessors over N
  readonly previousEmbedding: BufferView; // [N, C] E[tok_{t−1}]
  readonly layers: readonly LayerActivations[];
  readonly output: BufferView; // [N, C] residual stream after the last layer
  readonly gathered: BufferView; // [U, C] its rows before each predicted token
  readonly gatheredInverseRms: BufferView; // [U]
  readonly gatheredNormed: BufferView; // [U, C]
  readonly logits: BufferView; // [headRows, Vp]
  readonly gradients: ActivationGradients;
  readonly loss: LossBuffers;
  readonly squareSums: BufferView; // [ceil(parameters / TENSOR_ALIGNMENT)]
  readonly headSquares: BufferView; // [headSquareCount]
  readonly clipFactors: BufferView; // [4] norm, scale, finite, 0
  destroy(): void;
}

export interface ActivationGradients {
  readonly dlogits: BufferView; // [headRows, Vp]
  readonly dnormedRows: BufferView; // [U, C]
  readonly dgathered: BufferView; // [U, C]
  readonly dx: BufferView; // [N, C] of the residual stream
  readonly dnormed: BufferView; // [N, C]
  readonly dqkv: BufferView;
  readonly dqk: BufferView;
  readonly dattention: BufferView; // [N, NH·HS]
  readonly delta: BufferView; // [N, NH]
  readonly dgateUp: BufferView; // [N, 2F]
  readonly dhidden: BufferView; // [N, F]
  readonly partial: BufferView; // [ceil(N/CHUNK_ROWS), max(C, 2HS)], of predicted rows too
}

/** Rows of the output layer that are computed at once, so that the logits fit into one binding. */
export function headRowsFor(model: DeviceModel, predicted: number): number {
  const limit = Math.min(LOGIT_BYTES, model.gpu.limits.maxStorageBufferBindingSize);
  const rows = Math.floor(limit / (4 * widthsOf(model.config).logits) / VIEW_ALIGNMENT) * VIEW_ALIGNMENT;
  return Math.max(VIEW_ALIGNMENT, Math.min(rows, roundUp(predicted, VIEW_ALIGNMENT)));
}

/**
 * Allocates a workspace; the predicted capacity is rounded up to whole chunks of the output layer.
 * @throws BufferTooLargeError, OutOfMemoryError
 */
export async function createWorkspace(model: DeviceModel, wanted: Capacity): Promise<Workspace> {
  const owner = new BufferOwner(model.gpu, 'activations');
  const headRows = headRowsFor(model, wanted.predicted);
  const capacity = { ...wanted, predicted: roundUp(wanted.predicted, headRows) };
  const { tokens, predicted } = capacity;
  const { channels, logits, vocabulary } = widthsOf(model.config);
  const view = (label: string, length: number): BufferView => owner.storage(label, length);
  const views = <const Names extends readonly string[]>(names: Names, length: number): Views<Names> =>
    Object.fromEntries(names.map((name) => [name, view(name, length)])) as Views<Names>; // keys are the names
  const index = (label: string, targets: number, sources: number): IndexViews =>
    createIndex(owner, label, targets, sources);
  const workspace: Workspace = {
    capacity,
    headRows,
    ...views(INPUTS, tokens),
    ...views(PREDICTED_INPUTS, predicted),
    ...views(PREDICTED_OUTPUTS, predicted),
    visible: view('visible', 2 * tokens),
    tokenIndex: index('token', vocabulary, tokens),
    previousIndex: index('previous token', vocabulary, tokens),
    predecessorIndex: index('predecessor', tokens, predicted),
    previousEmbedding: view('previousEmbedding', tokens * channels),
    layers: model.map.layers.map((_, layer) => layerActivations(model, owner, layer, tokens)),
    output: view('output', tokens * channels),
    gathered: view('gathered', predicted * channels),
    gatheredInverseRms: view('gatheredInverseRms', predicted),
    gatheredNormed: view('gatheredNormed', predicted * channels),
    logits: view('logits', headRows * logits),
    gradients: activationGradients(model, owner, capacity, headRows),
    loss: createLossBuffers(owner, capacity),
    squareSums: view('squareSums', model.map.length / TENSOR_ALIGNMENT),
    headSquares: view('headSquares', headSquareCount(model.config)),
    clipFactors: view('clipFactors', 4),
    destroy: () => owner.destroy(),
  };
  await owner.ready();
  return workspace;
}

function layerActivations(
  model: DeviceModel,
  owner: BufferOwner,
  layer: number,
  tokens: number,
): LayerActivations {
  const { channels, attention, qk, qkv, hidden } = widthsOf(model.config);
  const view = (label: string, width: number): BufferView =>
    owner.storage(`layer ${layer} ${label}`, tokens * width);
  return {
    input: view('input', channels),
    inputInverseRms: view('inputInverseRms', 1),
    inputNormed: view('inputNormed', channels),
    qkv: view('qkv', qkv),
    qk: view('qk', qk),
    attention: view('attention', attention),
    lse: view('lse', model.config.heads),
    middle: view('middle', channels),
    middleInverseRms: view('middleInverseRms', 1),
    middleNormed: view('middleNormed', channels),
    gateUp: view('gateUp', 2 * hidden),
    hidden: view('hidden', hidden),
  };
}

function activationGradients(
  model: DeviceModel,
  owner: BufferOwner,
  { tokens, predicted }: Capacity,
  headRows: number,
): ActivationGradients {
  const { channels, attention, qk, qkv, hidden, logits } = widthsOf(model.config);
  const partialRows = Math.ceil(Math.max(tokens, predicted) / CHUNK_ROWS);
  return {
    dlogits: owner.storage('dlogits', headRows * logits),
    dnormedRows: owner.storage('dnormedRows', predicted * channels),
    dgathered: owner.storage('dgathered', predicted * channels),
    dx: owner.storage('dx', tokens * channels),
    dnormed: owner.storage('dnormed', tokens * channels),
    dqkv: owner.storage('dqkv', tokens * qkv),
    dqk: owner.storage('dqk', tokens * qk),
    dattention: owner.storage('dattention', tokens * attention),
    delta: owner.storage('delta', tokens * model.config.heads),
    dgateUp: owner.storage('dgateUp', tokens * 2 * hidden),
    dhidden: owner.storage('dhidden', tokens * hidden),
    partial: owner.storage('partial', partialRows * Math.max(channels, 2 * model.config.headSize)),
  };
}

/** Bytes of all that is read back of a micro-batch or of a step at most. */
export function largestRead({ loss, ...workspace }: Workspace): number {
  const bytes = (...views: readonly BufferView[]): number => views.reduce((sum, { size }) => sum + size, 0);
  const part = bytes(workspace.logProb, workspace.entropy, loss.tokenLoss, loss.dlogProb, loss.turnLogRatio);
  return Math.max(part, bytes(workspace.squareSums, workspace.headSquares, workspace.clipFactors));
}
