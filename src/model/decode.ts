import { BufferOwner, type BufferView } from '../gpu/buffers.ts';
import { dispatch, type Step } from '../gpu/steps.ts';
import { kernels } from '../../shaders/index.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import { headNormParams, headNorms } from './forward.ts';
import type { KvCache } from './kv_cache.ts';
import { linearForward } from './linear.ts';
import type { StoredTensor } from './parameters.ts';

/** Most decode steps between two readbacks. */
export const MAX_CHUNK = 16;
/** u32 words of a row's sampling state: prompt, node, counter, remaining, done, count, 2 unused. */
export const ROW_STATE = 8;

export type PrefillSizes = Readonly<{
  rows: number; // new tokens
  slotLength: number; // places listed per slot
}>;
export type DecodeSizes = Readonly<{
  rows: number;
  slotLength: number;
  inverseTemperature: number;
  greedy: number; // 1 = highest logit
  seed: number;
  update: number;
}>;

/** Activations of new tokens; nothing is kept for a backward pass, so layers share them. */
export interface DecodeWorkspace {
  readonly rows: number; // new tokens of one prefill piece
  readonly sampledRows: number; // requests sampled together
  readonly currentToken: BufferView; // [rows] u32
  readonly previousToken: BufferView; // [rows] u32
  readonly positions: BufferView; // [rows] u32
  readonly slots: BufferView; // [rows] u32, the request that a token belongs to, as a row of `places`
  readonly places: BufferView; // [sampledRows, slotLength ≤ contextLength] u32, where a request's tokens are cached
  readonly x: BufferView; // [rows, C] residual stream
  readonly normed: BufferView; // [rows, C]
  readonly inverseRms: BufferView; // [rows]
  readonly previousEmbedding: BufferView; // [rows, C]
  readonly qkv: BufferView;
  readonly qk: BufferView;
  readonly attention: BufferView; // [rows, NH·HS]
  readonly hidden: BufferView; // [rows, F]
  readonly logits: BufferView; // [sampledRows, Vp]
  readonly stopMask: BufferView; // [V] u32
  readonly rowState: BufferView; // [sampledRows, ROW_STATE] u32
  readonly sampled: BufferView; // [sampledRows, MAX_CHUNK] u32
  readonly stats: BufferView; // [sampledRows, MAX_CHUNK, 2] logProb, entropy
  destroy(): void;
}

/** @throws BufferTooLargeError, OutOfMemoryError */
export async function createDecodeWorkspace(
  model: DeviceModel,
  rows: number,
  sampledRows: number,
): Promise<DecodeWorkspace> {
  const owner = new BufferOwner(model.gpu, 'decode activations');
  const { channels, attention, qk, qkv, hidden, logits, vocabulary } = widthsOf(model.config);
  const view = (label: string, length: number): BufferView => owner.storage(label, length);
  const workspace: DecodeWorkspace = {
    rows,
    sampledRows,
    currentToken: view('currentToken', rows),
    previousToken: view('previousToken', rows),
    positions: view('positions', rows),
    slots: view('slots', rows),
    places: view('places', sampledRows * model.contextLength),
    x: view('x', rows * channels),
    normed: view('normed', rows * channels),
    inverseRms: view('inverseRms', rows),
    previousEmbedding: view('previousEmbedding', rows * channels),
    qkv: view('qkv', rows * qkv),
    qk: view('qk', rows * qk),
    attention: view('attention', rows * attention),
    hidden: view('hidden', rows * hidden),
    logits: view('logits', sampledRows * logits),
    stopMask: view('stopMask', vocabulary),
    rowState: view('rowState', sampledRows * ROW_STATE),
    sampled: view('sampled', sampledRows * MAX_CHUNK),
    stats: view('stats', sampledRows * MAX_CHUNK * 2),
    destroy: () => owner.destroy(),
  };
  await owner.ready();
  return workspace;
}

/** New tokens of any requests and positions → their keys and values in the cache, the last layer's being all it computes. */
export function prefillSteps(
  model: DeviceModel,
  workspace: DecodeWorkspace,
  cache: KvCache,
): Step<PrefillSizes>[] {
  const last = cache.layers.length - 1;
  return [
    ...embeddingSteps(model, workspace),
    ...cache.layers.slice(0, last).flatMap((_, layer) => layerSteps(model, workspace, cache, layer)),
    ...cacheSteps(model, workspace, cache, last),
  ];
}

/** One token more for every row: through all layers, then sampled. */
export function decodeSteps(
  model: DeviceModel,
  workspace: DecodeWorkspace,
  cache: KvCache,
): Step<DecodeSizes>[] {
  const { channels, vocabulary: vocab, logits: stride } = widthsOf(model.config);
  const {
    x,
    normed,
    inverseRms,
    logits,
    stopMask,
    rowState,
    currentToken,
    previousToken,
    positions,
    sampled,
    stats,
  } = workspace;
  const head = { label: 'logits', rows: ({ rows }: DecodeSizes) => rows, inputs: channels, outputs: vocab };
  const { logitScale: scale, rmsEpsilon: epsilon } = model.config;
  return [
    ...embeddingSteps(model, workspace),
    ...cache.layers.flatMap((_, layer) => layerSteps(model, workspace, cache, layer)),
    dispatch(
      kernels.rmsnorm_forward,
      { x, weight: model.weight(model.map.finalNorm), y: normed, inverseRms },
      ({ rows }: DecodeSizes) => ({ rows, channels, epsilon }),
    ),
    linearForward(
      head,
      { x: normed, weight: model.weight(model.map.output), y: logits },
      { scale, outputStride: stride },
    ),
    dispatch(
      kernels.sample_token,
      { logits, stopMask, rowState, currentToken, previousToken, positions, sampled, stats },
      ({ rows, inverseTemperature, greedy, seed, update }: DecodeSizes) => ({
        rows,
        vocab,
        stride,
        inverseTemperature,
        greedy,
        seed,
        update,
        maxNew: MAX_CHUNK,
      }),
    ),
  ];
}

function embeddingSteps(model: DeviceModel, workspace: DecodeWorkspace): Step<PrefillSizes>[] {
  const { channels } = widthsOf(model.config);
  const { embedding, previous } = model.map;
  const { currentToken, previousToken, previousEmbedding, x } = workspace;
  const table = model.weight(embedding);
  const gather = (ids: BufferView, y: BufferView): Step<PrefillSizes> =>
    dispatch(kernels.gather_rows_forward, { table, ids, y }, ({ rows }) => ({ rows, channels }));
  if (!previous) return [gather(currentToken, x)];
  const mixing = { label: 'previous-token mixing', rows: rowsOf, inputs: channels, outputs: channels };
  return [
    gather(currentToken, x),
    gather(previousToken, previousEmbedding),
    linearForward(
      mixing,
      { x: previousEmbedding, weight: model.weight(previous), y: x },
      { accumulate: true },
    ),
  ];
}

const rowsOf = ({ rows }: PrefillSizes): number => rows;

/** A layer's new keys and values. All are appended before any is read, so tokens of one piece see each other. */
function cacheSteps(
  model: DeviceModel,
  workspace: DecodeWorkspace,
  cache: KvCache,
  index: number,
): Step<PrefillSizes>[] {
  const { heads, kvHeads, headSize } = model.config;
  const { normed, qkv, qk, slots, positions, places } = workspace;
  const { inputNorm, qkv: weight } = model.map.layers[index];
  const { channels, qkv: width } = widthsOf(model.config);
  return [
    norm(model, workspace, inputNorm),
    linear(model, weight, normed, channels, qkv, width),
    dispatch(
      kernels.qk_norm_rotary_forward,
      { qkv, ...headNorms(model, index), positions, rotary: model.rotary, qk },
      ({ rows }) => ({ rows, ...headNormParams(model) }),
      { constants: { HEAD_SIZE: headSize } },
    ),
    dispatch(
      kernels.kv_append,
      { qk, qkv, slots, positions, places, ...cache.layers[index] },
      ({ rows, slotLength }) => ({
        rows,
        heads,
        kvHeads,
        headSize,
        slotLength,
      }),
    ),
  ];
}

function layerSteps(
  model: DeviceModel,
  workspace: DecodeWorkspace,
  cache: KvCache,
  index: number,
): Step<PrefillSizes>[] {
  const { x, normed, qk, slots, positions, places, attention, hidden } = workspace;
  const tensors = model.map.layers[index];
  const { heads, kvHeads, headSize } = model.config;
  const widths = widthsOf(model.config);
  const { channels } = widths;
  return [
    ...cacheSteps(model, workspace, cache, index),
    dispatch(
      kernels.decode_attention,
      { qk, ...cache.layers[index], slots, positions, places, out: attention },
      ({ rows, slotLength }) => ({ rows, heads, kvHeads, slotLength, scale: 1 / Math.sqrt(headSize) }),
      { constants: { HEAD_SIZE: headSize } },
    ),
    linear(model, tensors.attentionOutput, attention, widths.attention, x, channels, true),
    norm(model, workspace, tensors.postNorm),
    dispatch(
      kernels.matmul_swiglu,
      { x: normed, weight: model.weight(tensors.gateUp), h: hidden },
      ({ rows }) => ({ rows, hidden: widths.hidden, inputs: channels }),
      { label: tensors.gateUp.name },
    ),
    linear(model, tensors.down, hidden, widths.hidden, x, channels, true),
  ];
}

/** Residual stream → normed. */
function norm(
  model: DeviceModel,
  { x, normed: y, inverseRms }: DecodeWorkspace,
  tensor: StoredTensor,
): Step<PrefillSizes> {
  const { channels, rmsEpsilon: epsilon } = model.config;
  return dispatch(
    kernels.rmsnorm_forward,
    { x, weight: model.weight(tensor), y, inverseRms },
    ({ rows }) => ({ rows, channels, epsilon }),
  );
}

function linear(
  model: DeviceModel,
  tensor: StoredTensor,
  from: BufferView,
  inputs: number,
  to: BufferView,
  outputs: number,
  accumulate = false,
): Step<PrefillSizes> {
  return linearForward<PrefillSizes>(
    { label: tensor.name, rows: rowsOf, inputs, outputs },
    { x: from, weight: model.weight(tensor), y: to },
    { accumulate },
  );
}
