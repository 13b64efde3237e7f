/**
 * The policy loss on the device. The model's log-probabilities are per predicted token [U]; the loss is in row space,
 * per scored token [S] and turn [K], so that what depends on the row (ratios over turns or sequences, per-row
 * advantages) needs to know nothing of shared prefixes. A gather leads there and its gradient back.
 */
import { upload, type BufferOwner, type BufferView } from '../gpu/buffers.ts';
import type { Gpu } from '../gpu/device.ts';
import { dispatch, type Step } from '../gpu/steps.ts';
import type { LossConfig, TokenBatch, UpdateInputs } from '../units.ts';
import { kernels } from '../../shaders/index.ts';
import { BatchError } from './errors.ts';
import { createIndex, invertIndex, uploadIndex, type IndexViews } from './inverse_index.ts';
import type { Capacity, MicroBatch } from './microbatches.ts';

const ROW_WORDS = ['scored', 'turnIndex'] as const; // [S] u32
const ROW_FLOATS = [
  'logProb', // nats, current policy
  'oldLogProb',
  'refLogProb',
  'advantage',
  'weight',
  'tokenLoss', // before weighting
  'dlogProb', // ∂loss/∂logProb of the scored token
] as const; // [S]

type Views<Names extends readonly string[]> = Readonly<Record<Names[number], BufferView>>;

/** What the loss reads and writes in row space. */
export interface LossBuffers extends Views<typeof ROW_WORDS>, Views<typeof ROW_FLOATS> {
  readonly turnStart: BufferView; // [K+1] u32
  readonly turnLogRatio: BufferView; // [K] nats
  readonly readers: IndexViews; // scored tokens of each predicted token
}

/** What the loss takes from the model and gives back, per predicted token. */
export interface LossSeam {
  readonly logProb: BufferView; // [U] nats, read
  readonly dlogProb: BufferView; // [U] ∂loss/∂logProb, written by the loss's steps
  readonly dentropy: BufferView; // [U] ∂loss/∂entropy, uploaded
  readonly loss: LossBuffers;
}

/** The loss's share of what changes between two micro-batches. */
export type LossSizes = Readonly<{
  scored: number; // S
  turns: number; // K
  clipLow: number;
  clipHigh: number;
  logRatioCap: number;
  klCoefficient: number;
  tokenMeanWeight: number; // 1 / scored tokens of the whole mini-batch
}>;

export type LossTerms = Omit<LossSizes, 'scored' | 'turns'>;

/** For programs that run without the loss. */
export const NO_LOSS: LossTerms = {
  clipLow: 0,
  clipHigh: 0,
  logRatioCap: 0,
  klCoefficient: 0,
  tokenMeanWeight: 0,
};

/** @param scoredCount scored tokens of the whole mini-batch, not of one part */
export const lossTerms = (
  { clipLow, clipHigh, logRatioCap, klCoefficient }: LossConfig,
  scoredCount: number,
): LossTerms => ({
  clipLow,
  clipHigh,
  logRatioCap,
  klCoefficient,
  tokenMeanWeight: 1 / (scoredCount + 1e-8), // the released code's masked mean
});

export function createLossBuffers(owner: BufferOwner, { predicted, scored }: Capacity): LossBuffers {
  const view = (label: string, length: number): BufferView => owner.storage(`loss ${label}`, length);
  const views = <const Names extends readonly string[]>(names: Names): Views<Names> =>
    Object.fromEntries(names.map((name) => [name, view(name, scored)])) as Views<Names>; // keys are the names
  return {
    ...views(ROW_WORDS),
    ...views(ROW_FLOATS),
    turnStart: view('turnStart', scored + 1),
    turnLogRatio: view('turnLogRatio', scored),
    readers: createIndex(owner, 'loss readers', predicted, scored),
  };
}

/** logProb of predicted tokens → ∂loss/∂logProb of predicted tokens. */
export function lossSteps<Sizes extends LossSizes & { readonly predicted: number }>({
  logProb,
  dlogProb,
  loss,
}: LossSeam): Step<Sizes>[] {
  const { scored: ids, turnStart, turnIndex, turnLogRatio, readers } = loss;
  const { oldLogProb, refLogProb, advantage, weight, tokenLoss } = loss;
  return [
    dispatch(kernels.gather_values_forward, { values: logProb, ids, y: loss.logProb }, ({ scored }) => ({
      count: scored,
    })),
    dispatch(
      kernels.turn_ratio,
      { turnStart, logProb: loss.logProb, oldLogProb, turnLogRatio },
      ({ turns }) => ({ turns }),
    ),
    dispatch(
      kernels.atpo_loss,
      {
        ...{ turnIndex, turnLogRatio, logProb: loss.logProb, refLogProb, advantage, weight },
        ...{ tokenLoss, dlogProb: loss.dlogProb },
      },
      ({ scored, clipLow, clipHigh, logRatioCap, klCoefficient, tokenMeanWeight }) => ({
        scored,
        clipLow,
        clipHigh,
        logRatioCap,
        klCoefficient,
        tokenMeanWeight,
      }),
    ),
    dispatch(
      kernels.gather_values_backward,
      { dy: loss.dlogProb, ...readers, dvalues: dlogProb },
      ({ predicted }) => ({ count: predicted }),
    ),
  ];
}

/** @throws BatchError when the arrays do not follow the batch's scored tokens */
export function checkUpdateInputs(batch: TokenBatch, { oldLogProb, refLogProb, loss }: UpdateInputs): void {
  const count = batch.scored.length;
  const refuse = (name: string, got: string): BatchError =>
    new BatchError({
      what: `The ${name} log-probabilities do not fit`,
      where: 'update',
      got,
      wanted: String(count),
      next: 'Score the batch that is trained on.',
    });
  if (oldLogProb.length !== count) throw refuse('old', `${oldLogProb.length} numbers`);
  if (refLogProb ? refLogProb.length !== count : loss.klCoefficient !== 0)
    throw refuse('reference', refLogProb ? `${refLogProb.length} numbers` : 'none');
}

/** Puts what the loss reads of a micro-batch onto the device, and the entropy bonus's gradient. */
export function uploadLossInputs(
  gpu: Gpu,
  { loss, dentropy }: LossSeam,
  batch: TokenBatch,
  { oldLogProb, refLogProb, loss: config }: UpdateInputs,
  part: MicroBatch,
): void {
  const { scored, scoredStart, scoredEnd, turnStart, turnEnd } = part;
  const predictedCount = part.predicted.length;
  const slice = (values: Float32Array<ArrayBuffer>) => values.subarray(scoredStart, scoredEnd);
  const readers = invertIndex(scored, predictedCount);
  upload(gpu, loss.scored, scored);
  uploadIndex(gpu, loss.readers, readers);
  upload(
    gpu,
    loss.turnStart,
    batch.turnStart.slice(turnStart, turnEnd + 1).map((start) => start - scoredStart),
  );
  upload(
    gpu,
    loss.turnIndex,
    batch.turnIndex.slice(scoredStart, scoredEnd).map((turn) => turn - turnStart),
  );
  upload(gpu, loss.oldLogProb, slice(oldLogProb));
  upload(gpu, loss.advantage, slice(batch.advantage));
  upload(gpu, loss.weight, slice(batch.weight));
  if (refLogProb) upload(gpu, loss.refLogProb, slice(refLogProb));
  const { tokenMeanWeight } = lossTerms(config, batch.scored.length);
  const each = -config.entropyCoefficient * tokenMeanWeight; // of a scored token; −c · mean entropy
  const counts = Float32Array.from(
    { length: predictedCount },
    (_, u) => readers.offsets[u + 1] - readers.offsets[u],
  );
  upload(
    gpu,
    dentropy,
    counts.map((count) => each * count),
  );
}
