/**
 * The policy loss on the device. The model's log-probabilities are per predicted token [U]; the loss is in row space,
 * per scored token [S] and turn [K], so that what depends on the row (ratios over turns or sequences, per-row
 * advantages) needs to know nothing of shared prefixes. A gather leads there and its gradient back.
 *
 * Every loss runs the same programs: settings are params, and dispatches that a loss does not need are empty.
 */
import { upload, type BufferOwner, type BufferView } from '../gpu/buffers.ts';
import type { Gpu } from '../gpu/device.ts';
import { paramsOf } from '../gpu/kernel.ts';
import { dispatch, type Step } from '../gpu/steps.ts';
import { NO_EXTRAS, type TokenBatch, type LossInputs } from '../units.ts';
import { kernels } from '../../shaders/index.ts';
import {
  lossParams,
  rangeTables,
  rowLossWeights,
  tokenInputs,
  type LossParams,
} from '../../shaders/policy_loss/packing.ts';
import { ROW_LIMIT } from './config.ts';
import { BatchError } from './errors.ts';
import { createIndex, invertIndex, uploadIndex, type IndexViews } from './training/inverse_index.ts';
import type { Capacity, MicroBatch } from './microbatches.ts';

export {
  joinsRows,
  lossParams,
  NO_LOSS,
  readsStatistics,
  type LossParams,
} from '../../shaders/policy_loss/packing.ts';

const ROW_WORDS = ['scored', 'segment', 'row'] as const; // [S] u32
const ROW_FLOATS = [
  'logProb', // nats, current policy
  'oldLogProb',
  'refLogProb',
  'entropy',
  'tokenLoss', // before weighting
  'dlogProb', // ∂loss/∂logProb of the scored token
] as const; // [S]
const WHOLE_ROWS = ['rowLogRatio', 'rowTarget', 'partner', 'rowWeight'] as const; // [B] of the whole mini-batch

type Views<Names extends readonly string[]> = Readonly<Record<Names[number], BufferView>>;

/** What the loss reads and writes in row space. */
export interface LossBuffers
  extends Views<typeof ROW_WORDS>, Views<typeof ROW_FLOATS>, Views<typeof WHOLE_ROWS> {
  readonly tokens: BufferView; // [S, 4] advantage, weight, clip scale, ratio factor
  readonly turnStart: BufferView; // [K+1] u32
  readonly turnLogRatio: BufferView; // [K] nats
  readonly segmentStart: BufferView; // [K'+1] u32; segments are tokens, turns or rows
  readonly segmentLogRatio: BufferView; // [K'] nats
  readonly rowStart: BufferView; // [rows of the part + 1] u32
  readonly moments: BufferView; // [3] of the whole mini-batch's entropies
  readonly readers: IndexViews; // scored tokens of each predicted token
}

/** What the loss takes from the model and gives back, per predicted token. */
export interface LossSeam {
  readonly logProb: BufferView; // [U] nats, read
  readonly entropy: BufferView; // [U] nats, read
  readonly dlogProb: BufferView; // [U] ∂loss/∂logProb, written by the loss's steps
  readonly dentropy: BufferView; // [U] ∂loss/∂entropy, uploaded
  readonly loss: LossBuffers;
}

/** The loss's share of what changes between two micro-batches. */
export type LossSizes = LossParams &
  Readonly<{
    predicted: number; // U
    scored: number; // S
    turns: number; // K
    segments: number; // K'
    rows: number; // of the part
    firstRow: number; // of the part, in the mini-batch
  }>;

export function createLossBuffers(
  owner: BufferOwner,
  { predicted, scored }: Omit<Capacity, 'tokens'>,
): LossBuffers {
  const view = (label: string, length: number): BufferView => owner.storage(`loss ${label}`, length);
  const views = <const Names extends readonly string[]>(names: Names, length: number): Views<Names> =>
    Object.fromEntries(names.map((name) => [name, view(name, length)])) as Views<Names>; // keys are the names
  return {
    ...views(ROW_WORDS, scored),
    ...views(ROW_FLOATS, scored),
    ...views(WHOLE_ROWS, ROW_LIMIT),
    tokens: view('tokens', 4 * scored),
    turnStart: view('turnStart', scored + 1),
    turnLogRatio: view('turnLogRatio', scored),
    segmentStart: view('segmentStart', scored + 1),
    segmentLogRatio: view('segmentLogRatio', scored),
    rowStart: view('rowStart', ROW_LIMIT + 1),
    moments: view('moments', 3),
    readers: createIndex(owner, 'loss readers', predicted, scored),
  };
}

const off = (count: number, isOn: boolean): number => (isOn ? count : 0);

/** logProb and, where the loss reads it, entropy of predicted tokens → of scored tokens. */
function gatherSteps<Sizes extends LossSizes>({ logProb, entropy, loss }: LossSeam): Step<Sizes>[] {
  const ids = loss.scored;
  return [
    dispatch(kernels.gather_values_forward, { values: logProb, ids, y: loss.logProb }, ({ scored }) => ({
      count: scored,
    })),
    dispatch(
      kernels.gather_values_forward,
      { values: entropy, ids, y: loss.entropy },
      ({ scored, entropyAdvantage }) => ({ count: off(scored, entropyAdvantage !== 0) }),
      { label: 'gather entropies' },
    ),
  ];
}

/** Adds a part to what the whole mini-batch must have given before the loss of its first token is known. */
export function statisticsSteps<Sizes extends LossSizes>(seam: LossSeam): Step<Sizes>[] {
  const { logProb, refLogProb, rowStart, rowLogRatio, entropy, moments } = seam.loss;
  return [
    ...gatherSteps<Sizes>(seam),
    dispatch(
      kernels.segment_log_ratio,
      { start: rowStart, logProb, otherLogProb: refLogProb, logRatio: rowLogRatio },
      ({ rows, firstRow, isRowLoss }) => ({
        segments: off(rows, isRowLoss !== 0),
        first: firstRow,
        isMean: 0,
      }),
      { label: 'row log-ratios' },
    ),
    dispatch(kernels.entropy_moments, { entropy, moments }, ({ scored, entropyAdvantage }) => ({
      scored: off(scored, entropyAdvantage !== 0),
    })),
  ];
}

export type LossKernel = typeof kernels.policy_loss;

/** The loss kernel with a text of its own; null: the lab's. Name, bindings and params stay. */
export const lossKernel = (source: string | null): LossKernel =>
  source === null ? kernels.policy_loss : { ...kernels.policy_loss, source };

/** logProb of predicted tokens → ∂loss/∂logProb of predicted tokens. */
export function lossSteps<Sizes extends LossSizes>(
  seam: LossSeam,
  policyLoss: LossKernel = kernels.policy_loss,
): Step<Sizes>[] {
  const { dlogProb, loss } = seam;
  const { logProb, oldLogProb, refLogProb, entropy, moments, tokens, readers } = loss;
  const { turnStart, turnLogRatio, segmentStart, segmentLogRatio, segment } = loss;
  const { row, rowLogRatio, rowTarget, partner, rowWeight } = loss;
  const results = { tokenLoss: loss.tokenLoss, dlogProb: loss.dlogProb };
  return [
    ...gatherSteps<Sizes>(seam),
    dispatch(
      kernels.segment_log_ratio,
      { start: turnStart, logProb, otherLogProb: oldLogProb, logRatio: turnLogRatio },
      ({ turns }) => ({ segments: turns, first: 0, isMean: 1 }),
      { label: 'turn log-ratios' },
    ),
    dispatch(
      kernels.segment_log_ratio,
      { start: segmentStart, logProb, otherLogProb: oldLogProb, logRatio: segmentLogRatio },
      ({ segments, isRowLoss }) => ({ segments: off(segments, isRowLoss === 0), first: 0, isMean: 1 }),
      { label: 'log-ratios' },
    ),
    dispatch(kernels.entropy_balance, { entropy, moments, tokens }, ({ scored, entropyAdvantage }) => ({
      scored: off(scored, entropyAdvantage !== 0),
      coefficient: entropyAdvantage,
    })),
    dispatch(policyLoss, { segment, logRatio: segmentLogRatio, tokens, ...results }, (sizes) =>
      paramsOf(policyLoss, { ...sizes, scored: off(sizes.scored, sizes.isRowLoss === 0) }),
    ),
    dispatch(
      kernels.row_loss,
      { row, logRatio: rowLogRatio, rowTarget, partner, weight: rowWeight, ...results },
      (sizes) => paramsOf(kernels.row_loss, { ...sizes, scored: off(sizes.scored, sizes.isRowLoss !== 0) }),
    ),
    dispatch(
      kernels.kl_penalty,
      { logProb, refLogProb, dlogProb: loss.dlogProb },
      ({ scored, klKind, klCoefficient }) => ({
        scored: off(scored, klCoefficient !== 0),
        kind: klKind,
        coefficient: klCoefficient,
      }),
    ),
    dispatch(
      kernels.gather_values_backward,
      { dy: loss.dlogProb, ...readers, dvalues: dlogProb },
      ({ predicted }) => ({ count: predicted }),
    ),
  ];
}

const refusal = (what: string, got: string, wanted: string, next: string): BatchError =>
  new BatchError({ what, where: 'backward', got, wanted, next });

/** @throws BatchError when arrays do not follow the batch, or the loss needs what is not there */
export function checkLossInputs(
  batch: TokenBatch,
  { oldLogProb, refLogProb, loss, extras = NO_EXTRAS }: LossInputs,
): void {
  const check = (
    what: string,
    values: { readonly length: number } | null,
    length: number,
    isNeeded: boolean,
    next: string,
  ): void => {
    if (values ? values.length === length : !isNeeded) return;
    throw refusal(what, values ? `${values.length} numbers` : 'none', String(length), next);
  };
  const [scored, rows] = [batch.scored.length, batch.rows.length];
  const { surrogate } = loss;
  const ofRows = surrogate === 'regression' || surrogate === 'preference';
  const score = 'Score the batch that is trained on.';
  const fill = `Fill the extras that '${surrogate}' reads from the mini-batch that is trained on.`;
  const reads = ofRows || loss.klCoefficient !== 0;
  check('The old log-probabilities do not fit', oldLogProb, scored, true, score);
  check('The reference log-probabilities do not fit', refLogProb, scored, reads, score);
  check('The clip scales do not fit', extras.clipScale, scored, false, fill);
  check('The ratio factors do not fit', extras.ratioFactor, rows, false, fill);
  check('The row targets do not fit', extras.rowTarget, rows, surrogate === 'regression', fill);
  check('The partners do not fit', extras.partner, rows, surrogate === 'preference', fill);
  const stray = extras.partner?.find((partner) => Math.max(partner, -1 - partner) >= rows);
  if (stray !== undefined)
    throw refusal('A partner is not in the batch', String(stray), `below ${rows}`, fill);
  if (!ofRows || rows <= ROW_LIMIT) return;
  const next = 'Train on fewer prompts per mini-batch.';
  throw refusal('A loss of whole rows has too many rows', String(rows), `at most ${ROW_LIMIT}`, next);
}

/** Once per mini-batch: what losses of whole rows read, and statistics back to nothing. */
export function uploadBatchInputs(
  gpu: Gpu,
  { loss }: LossSeam,
  batch: TokenBatch,
  { loss: { surrogate }, extras = NO_EXTRAS }: LossInputs,
): void {
  upload(gpu, loss.moments, new Float32Array(3));
  if (surrogate !== 'regression' && surrogate !== 'preference') return;
  const { rowTarget, partner } = extras;
  const isPair = surrogate === 'preference';
  upload(gpu, loss.rowLogRatio, new Float32Array(batch.rows.length)); // parts skip rows without a scored token
  upload(gpu, loss.rowWeight, rowLossWeights(batch, isPair ? extras : NO_EXTRAS));
  if (rowTarget) upload(gpu, loss.rowTarget, rowTarget);
  if (partner) upload(gpu, loss.partner, partner);
}

/**
 * Puts what the loss reads of a micro-batch onto the device, and the entropy bonus's gradient.
 * @returns the sizes that follow from it
 */
export function uploadLossInputs(
  gpu: Gpu,
  { loss, dentropy }: LossSeam,
  batch: TokenBatch,
  { oldLogProb, refLogProb, loss: config, extras = NO_EXTRAS }: LossInputs,
  part: MicroBatch,
): LossSizes {
  const { scored, scoredStart, scoredEnd } = part;
  const predictedCount = part.predicted.length;
  const slice = (values: Float32Array<ArrayBuffer>) => values.subarray(scoredStart, scoredEnd);
  const readers = invertIndex(scored, predictedCount);
  const { turnStart, segments, rowStart, row } = rangeTables(batch, part, config.ratioLevel);
  upload(gpu, loss.scored, scored);
  uploadIndex(gpu, loss.readers, readers);
  upload(gpu, loss.turnStart, turnStart);
  upload(gpu, loss.segmentStart, segments.start);
  upload(gpu, loss.segment, segments.index);
  upload(gpu, loss.row, row);
  upload(gpu, loss.tokens, tokenInputs(batch, extras, part));
  upload(gpu, loss.oldLogProb, slice(oldLogProb));
  if (refLogProb) upload(gpu, loss.refLogProb, slice(refLogProb));
  if (rowStart.length <= ROW_LIMIT + 1) upload(gpu, loss.rowStart, rowStart); // else no loss of whole rows
  const each = -config.entropyCoefficient / (batch.scored.length + 1e-8); // of a scored token; −c · mean entropy
  const counts = Float32Array.from(
    { length: predictedCount },
    (_, u) => readers.offsets[u + 1] - readers.offsets[u],
  );
  upload(
    gpu,
    dentropy,
    counts.map((count) => each * count),
  );
  return {
    ...lossParams(config, batch.scored.length),
    predicted: predictedCount,
    scored: scored.length,
    turns: turnStart.length - 1,
    segments: segments.start.length - 1,
    rows: rowStart.length - 1,
    firstRow: part.rowStart,
  };
}
