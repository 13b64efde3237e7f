import { BufferOwner, type BufferView } from '../gpu/buffers.ts';
import { dispatch, type Step } from '../gpu/steps.ts';
import { kernels } from '../../shaders/index.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import type { KvCache } from './kv_cache.ts';
import {
  embeddingSteps,
  layerSteps,
  logitsStep,
  normStep,
  queryKeyValueSteps,
  type LayerPlace,
} from './layer.ts';

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
    ...throughLayers(model, workspace, cache, last),
    ...queryKeyValueSteps(model, placeOf(workspace, last)),
    appendStep(model, workspace, cache, last),
  ];
}

/** One token more for every row: through all layers, then sampled. */
export function decodeSteps(
  model: DeviceModel,
  workspace: DecodeWorkspace,
  cache: KvCache,
): Step<DecodeSizes>[] {
  const { vocabulary: vocab, logits: stride } = widthsOf(model.config);
  const { x, normed, inverseRms, logits, stopMask, rowState } = workspace;
  const { currentToken, previousToken, positions, sampled, stats } = workspace;
  return [
    ...throughLayers(model, workspace, cache, cache.layers.length),
    normStep(model, model.map.finalNorm, rowsOf, { x, y: normed, inverseRms }),
    logitsStep(model, rowsOf, { normed, logits }),
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

const rowsOf = ({ rows }: PrefillSizes): number => rows;

/** New tokens through the embedding and the first `count` layers. */
function throughLayers(
  model: DeviceModel,
  workspace: DecodeWorkspace,
  cache: KvCache,
  count: number,
): Step<PrefillSizes>[] {
  const { currentToken: tokens, previousToken: previousTokens, previousEmbedding, x } = workspace;
  return [
    ...embeddingSteps(model, { tokens, previousTokens, previousEmbedding, x }, rowsOf),
    ...cache.layers.slice(0, count).flatMap((_, index) => {
      const attend = [
        appendStep(model, workspace, cache, index),
        cachedAttentionStep(model, workspace, cache, index),
      ];
      return layerSteps(model, placeOf(workspace, index), attend, x);
    }),
  ];
}

/** Every layer works in place on the same buffers. */
function placeOf(workspace: DecodeWorkspace, index: number): LayerPlace<PrefillSizes> {
  const { x, normed, inverseRms, qkv, qk, attention, hidden, positions } = workspace;
  const buffers = {
    ...{ input: x, inputInverseRms: inverseRms, inputNormed: normed, qkv, qk, attention },
    ...{ middle: x, middleInverseRms: inverseRms, middleNormed: normed, gateUp: null, hidden },
  };
  return { index, buffers, positions, rows: rowsOf };
}

/** A layer's new keys and values. All are appended before any is read, so tokens of one piece see each other. */
function appendStep(
  model: DeviceModel,
  { qk, qkv, slots, positions, places }: DecodeWorkspace,
  cache: KvCache,
  index: number,
): Step<PrefillSizes> {
  const { heads, kvHeads, headSize } = model.config;
  return dispatch(
    kernels.kv_append,
    { qk, qkv, slots, positions, places, ...cache.layers[index] },
    ({ rows, slotLength }: PrefillSizes) => ({ rows, heads, kvHeads, headSize, slotLength }),
  );
}

function cachedAttentionStep(
  model: DeviceModel,
  { qk, slots, positions, places, attention: out }: DecodeWorkspace,
  cache: KvCache,
  index: number,
): Step<PrefillSizes> {
  const { heads, kvHeads, headSize } = model.config;
  return dispatch(
    kernels.decode_attention,
    { qk, ...cache.layers[index], slots, positions, places, out },
    ({ rows, slotLength }: PrefillSizes) => ({
      rows,
      heads,
      kvHeads,
      slotLength,
      scale: 1 / Math.sqrt(headSize),
    }),
    { constants: { HEAD_SIZE: headSize } },
  );
}
