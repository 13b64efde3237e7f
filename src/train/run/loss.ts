/** Phase loss: old log-probabilities, then loss and gradients of a mini-batch. No parameter changes here. */
import { scoredPositions, scoredTurns, turnsOfRow } from '../../algo/batch/batch.ts';
import { lossReadsReference } from '../../algo/credit/signals.ts';
import type { LossRow } from '../../protocol/protocol.ts';
import type { LossExtras, LossInputs, LossResult, TokenBatch, TokenScores } from '../../units.ts';
import { MissingPolicyError, NonFiniteLossError } from '../engine/errors.ts';
import type { LossBatch } from './batches.ts';
import { scoreAll } from './signals.ts';
import type { Update } from './update.ts';

interface RowSource {
  readonly batch: TokenBatch;
  readonly oldLogProb: Float32Array; // [S] nats
  readonly result: LossResult;
  readonly extras?: LossExtras; // what the update was given beside
}

function lossRow({ batch, oldLogProb, result, extras }: RowSource, row: number): LossRow {
  const { prompt, leaf, scoredStart, scoredEnd } = batch.rows[row];
  const turns = turnsOfRow(batch, row);
  const slice = (values: Float32Array): readonly number[] =>
    Array.from(values.subarray(scoredStart, scoredEnd));
  return {
    prompt,
    leaf,
    tokenIndex: scoredPositions(batch, row),
    turnIndex: scoredTurns(batch, row),
    oldLogProb: slice(oldLogProb),
    logProb: slice(result.logProb),
    entropy: slice(result.entropy),
    advantage: slice(batch.advantage),
    weight: slice(batch.weight),
    tokenLoss: slice(result.tokenLoss),
    dlogProb: slice(result.dlogProb),
    turnLogRatio: Array.from(result.turnLogRatio.subarray(turns.start, turns.end)),
    ...(extras?.clipScale && { clipScale: slice(extras.clipScale) }),
    ...(extras?.ratioFactor && { ratioFactor: extras.ratioFactor[row] }),
  };
}

/** A mini-batch as the loss saw it, row by row in plain arrays: what the log keeps. */
export const lossRows = (source: RowSource): readonly LossRow[] =>
  source.batch.rows.map((_, row) => lossRow(source, row));

/** Loss and gradients of one mini-batch; the policy keeps the gradients, and no parameter changes. */
export async function backpropagate(
  at: Update,
  minibatch: number,
  { batch, extras }: LossBatch,
  scores: BatchScores,
): Promise<Backpropagated> {
  const { config, policy, post } = at.run;
  const oldScores = scores.old[minibatch];
  const inputs: LossInputs = {
    oldLogProb: oldScores.logProb,
    refLogProb: scores.reference?.[minibatch].logProb ?? null,
    extras,
    temperature: config.temperature,
    loss: config.algorithm.loss,
  };
  const loss = await policy.backward(batch, inputs);
  checkFinite(at.update, minibatch, batch, loss);
  const rows = lossRows({ batch, oldLogProb: oldScores.logProb, result: loss, extras });
  post({ kind: 'loss', update: at.update, minibatch, loss: loss.loss, rows });
  return { minibatch, batch, oldScores, inputs, loss };
}

/** A mini-batch, what its loss read and what it found. */
export interface Backpropagated {
  readonly minibatch: number; // from 0
  readonly batch: TokenBatch;
  readonly oldScores: TokenScores; // of the policy that sampled, scored by the trainer
  readonly inputs: LossInputs;
  readonly loss: LossResult;
}

export interface BatchScores {
  readonly old: readonly TokenScores[];
  readonly reference: readonly TokenScores[] | null; // where the loss compares with the policy before training
}

/** Log-probabilities of all mini-batches before the first step, by the trainer and not the sampler. */
export async function scoreBatches({ run }: Update, batches: readonly LossBatch[]): Promise<BatchScores> {
  const { policy, reference, config } = run;
  const rows = batches.map(({ batch }) => batch);
  const old = await scoreAll(run, policy, rows);
  if (!lossReadsReference(config.algorithm)) return { old, reference: null };
  if (!reference) throw new MissingPolicyError('reference', config.algorithm.name);
  return { old, reference: await scoreAll(run, reference, rows) };
}

function checkFinite(
  update: number,
  minibatch: number,
  batch: TokenBatch,
  { loss, tokenLoss }: LossResult,
): void {
  if (Number.isFinite(loss)) return;
  const scored = tokenLoss.findIndex((value) => !Number.isFinite(value));
  const row = batch.rows.find(({ scoredStart, scoredEnd }) => scored >= scoredStart && scored < scoredEnd);
  throw new NonFiniteLossError(
    update,
    minibatch,
    loss,
    row ? `, prompt ${row.prompt}, leaf ${row.leaf}` : '',
  );
}
