import { BufferOwner, roundUp, VIEW_ALIGNMENT, type BufferView } from '../gpu/buffers.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import { TENSOR_ALIGNMENT } from './parameters.ts';
import type { Capacity } from './microbatches.ts';

/** Rows summed by one partial of a norm's weight gradient. */
export const CHUNK_ROWS = 32;
const LOGIT_BYTES = 64 * 2 ** 20; // of one chunk of the output layer; the limit on bindings may lower it

/** Activations of one layer, kept from the forward to the backward pass. */
export interface LayerActivations {
  readonly input: BufferView; // [N, C] residual stream
  readonly inputInverseRms: BufferView; // [N]
  readonly inputNormed: BufferView; // [N, C]
  readonly qkv: BufferView; // [N, (NH+2NKV)·HS] before norm and rotation
  readonly qk: BufferView; // [N, (NH+NKV)·HS]
  readonly attention: BufferView; // [N, NH·HS]
  readonly lse: BufferView; // [N, NH]
  readonly middle: BufferView; // [N, C] residual stream after attention
  readonly middleInverseRms: BufferView; // [N]
  readonly middleNormed: BufferView; // [N, C]
  readonly gateUp: BufferView; // [N, 2F]
  readonly hidden: BufferView; // [N, F]
}

const INPUTS = ['tokens', 'previousTokens', 'positions'] as const; // [N] u32
const SCORED_INPUTS = ['predecessors', 'chosen', 'turnIndex'] as const; // [S] u32
const SCORED_FLOATS = ['oldLogProb', 'refLogProb', 'advantage', 'weight'] as const; // [S]
const SCORED_OUTPUTS = ['scoredLse', 'logProb', 'entropy', 'tokenLoss', 'dlogProb'] as const; // [S]

type Views<Names extends readonly string[]> = Readonly<Record<Names[number], BufferView>>;

/** Everything a micro-batch needs on the device, allocated once per capacity. */
export interface Workspace
  extends
    Views<typeof INPUTS>,
    Views<typeof SCORED_INPUTS>,
    Views<typeof SCORED_FLOATS>,
    Views<typeof SCORED_OUTPUTS> {
  readonly capacity: Capacity; // scored: a multiple of headRows
  readonly headRows: number; // rows of one chunk of the output layer
  readonly visible: BufferView; // [N, 2] u32
  readonly tokenIndex: IndexViews; // inverse of tokens over V
  readonly previousIndex: IndexViews; // inverse of previousTokens over V
  readonly predecessorIndex: IndexViews; // inverse of predecessors over N
  readonly turnStart: BufferView; // [K+1] u32
  readonly turnLogRatio: BufferView; // [K]
  readonly previousEmbedding: BufferView; // [N, C] E[tok_{t−1}]
  readonly layers: readonly LayerActivations[];
  readonly output: BufferView; // [N, C] residual stream after the last layer
  readonly gathered: BufferView; // [S, C] its rows before each scored token
  readonly gatheredInverseRms: BufferView; // [S]
  readonly gatheredNormed: BufferView; // [S, C]
  readonly logits: BufferView; // [headRows, Vp]
  readonly gradients: ActivationGradients;
  readonly squareSums: BufferView; // [ceil(parameters / TENSOR_ALIGNMENT)]
  readonly clipState: BufferView; // [4] norm, scale, finite, 0
  destroy(): void;
}

export interface IndexViews {
  readonly offsets: BufferView; // [targets + 1] u32
  readonly sources: BufferView; // u32
}

export interface ActivationGradients {
  readonly dlogits: BufferView; // [headRows, Vp]
  readonly dnormedRows: BufferView; // [S, C]
  readonly dgathered: BufferView; // [S, C]
  readonly dx: BufferView; // [N, C] of the residual stream
  readonly dnormed: BufferView; // [N, C]
  readonly dqkv: BufferView;
  readonly dqk: BufferView;
  readonly dattention: BufferView; // [N, NH·HS]
  readonly delta: BufferView; // [N, NH]
  readonly dgateUp: BufferView; // [N, 2F]
  readonly dhidden: BufferView; // [N, F]
  readonly partial: BufferView; // [ceil(N/CHUNK_ROWS), max(C, 2HS)], of scored rows too
}

/** Rows of the output layer that are computed at once, so that the logits fit into one binding. */
export function headRowsFor(model: DeviceModel, scored: number): number {
  const limit = Math.min(LOGIT_BYTES, model.gpu.limits.maxStorageBufferBindingSize);
  const rows = Math.floor(limit / (4 * widthsOf(model.config).logits) / VIEW_ALIGNMENT) * VIEW_ALIGNMENT;
  return Math.max(VIEW_ALIGNMENT, Math.min(rows, roundUp(scored, VIEW_ALIGNMENT)));
}

/**
 * Allocates a workspace; the scored capacity is rounded up to whole chunks of the output layer.
 * @throws BufferTooLargeError, OutOfMemoryError
 */
export async function createWorkspace(model: DeviceModel, wanted: Capacity): Promise<Workspace> {
  const owner = new BufferOwner(model.gpu, 'activations');
  const headRows = headRowsFor(model, wanted.scored);
  const capacity = { tokens: wanted.tokens, scored: roundUp(wanted.scored, headRows) };
  const { tokens, scored } = capacity;
  const { channels, logits, vocabulary } = widthsOf(model.config);
  const view = (label: string, length: number): BufferView => owner.storage(label, length);
  const views = <const Names extends readonly string[]>(names: Names, length: number): Views<Names> =>
    Object.fromEntries(names.map((name) => [name, view(name, length)])) as Views<Names>; // keys are the names
  const index = (label: string, targets: number, sources: number): IndexViews => ({
    offsets: view(`${label} offsets`, targets + 1),
    sources: view(`${label} sources`, sources),
  });
  const workspace: Workspace = {
    capacity,
    headRows,
    ...views(INPUTS, tokens),
    ...views(SCORED_INPUTS, scored),
    ...views(SCORED_FLOATS, scored),
    ...views(SCORED_OUTPUTS, scored),
    visible: view('visible', 2 * tokens),
    tokenIndex: index('token', vocabulary, tokens),
    previousIndex: index('previous token', vocabulary, tokens),
    predecessorIndex: index('predecessor', tokens, scored),
    turnStart: view('turnStart', scored + 1),
    turnLogRatio: view('turnLogRatio', scored),
    previousEmbedding: view('previousEmbedding', tokens * channels),
    layers: model.map.layers.map((_, layer) => layerActivations(model, owner, layer, tokens)),
    output: view('output', tokens * channels),
    gathered: view('gathered', scored * channels),
    gatheredInverseRms: view('gatheredInverseRms', scored),
    gatheredNormed: view('gatheredNormed', scored * channels),
    logits: view('logits', headRows * logits),
    gradients: activationGradients(model, owner, capacity, headRows),
    squareSums: view('squareSums', model.map.length / TENSOR_ALIGNMENT),
    clipState: view('clipState', 4),
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
  { tokens, scored }: Capacity,
  headRows: number,
): ActivationGradients {
  const { channels, attention, qk, qkv, hidden, logits } = widthsOf(model.config);
  const partialRows = Math.ceil(Math.max(tokens, scored) / CHUNK_ROWS);
  return {
    dlogits: owner.storage('dlogits', headRows * logits),
    dnormedRows: owner.storage('dnormedRows', scored * channels),
    dgathered: owner.storage('dgathered', scored * channels),
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
