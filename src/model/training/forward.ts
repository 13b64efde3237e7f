import { subview, type BufferView } from '../../gpu/buffers.ts';
import { dispatch, type Step } from '../../gpu/steps.ts';
import { kernels } from '../../../shaders/index.ts';
import { widthsOf, type DeviceModel } from '../device_model.ts';
import { embeddingSteps, layerSteps, logitsStep, normStep } from '../layer.ts';
import { NO_LOSS, type LossSizes } from '../policy_loss.ts';
import type { Workspace } from './workspace.ts';

/** What changes between two micro-batches. */
export type TrainSizes = Readonly<{
  tokens: number; // N
  predicted: number; // U
  visiblePairs: number; // (query, key) pairs that see each other; no kernel reads it, profiles do
  inverseTemperature: number;
}> &
  LossSizes;

/** What no micro-batch exceeds. */
export const mostSizes = ({ capacity }: Workspace): TrainSizes => ({
  ...NO_LOSS,
  ...capacity,
  visiblePairs: capacity.tokens ** 2,
  turns: capacity.scored,
  segments: capacity.scored,
  rows: capacity.scored,
  firstRow: capacity.scored,
  inverseTemperature: Infinity,
});

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
  const { tokens, previousTokens, previousEmbedding, positions, layers, output } = workspace;
  const embedding = { tokens, previousTokens, previousEmbedding, x: layers[0].input };
  return [
    ...embeddingSteps(model, embedding, allTokens),
    ...layers.flatMap((buffers, index) =>
      layerSteps(
        model,
        { index, buffers, positions, rows: allTokens },
        [attentionStep(model, workspace, index)],
        layers[index + 1]?.input ?? output,
      ),
    ),
    ...headSteps(model, workspace),
  ];
}

/** Attention by the reading rule. */
function attentionStep(model: DeviceModel, { layers, visible }: Workspace, index: number): TrainStep {
  const { heads, kvHeads, headSize } = model.config;
  const { qkv, qk, attention: out, lse } = layers[index];
  return dispatch(
    kernels.attention_forward,
    { qk, qkv, visible, out, lse },
    ({ tokens }: TrainSizes) => ({ tokens, heads, kvHeads, scale: 1 / Math.sqrt(headSize) }),
    { constants: { HEAD_SIZE: headSize } },
  );
}

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
      chunkLogitsStep(model, workspace, chunk),
      statsStep(model, workspace, chunk),
    ]),
  ];
}

/** Logits of one chunk; the backward pass computes them again where the next chunk has overwritten them. */
export function chunkLogitsStep(
  model: DeviceModel,
  { gatheredNormed, logits }: Workspace,
  { rows, view }: HeadChunk,
): TrainStep {
  return logitsStep(model, rows, { normed: view(gatheredNormed, model.config.channels), logits });
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
