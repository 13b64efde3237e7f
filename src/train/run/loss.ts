/** Loss and optimiser steps of an update, mini-batch by mini-batch. */
import { scoredPositions, scoredTurns, turnsOfRow } from '../../algo/batch/batch.ts';
import { lossReadsReference } from '../../algo/credit/signals.ts';
import type { CheckedStep, LossRow } from '../../protocol/protocol.ts';
import type { LossExtras, LossResult, TokenBatch, TokenScores, UpdateInputs } from '../../units.ts';
import { MissingPolicyError, NonFiniteLossError } from '../engine/errors.ts';
import { checkStep } from '../inspect/step_check.ts';
import type { LossBatch } from './batches.ts';
import { scoreAll } from './signals.ts';
import type { TrainedBatch } from './update_metrics.ts';
import { phase, type Update } from './update.ts';

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

/** Old log-probabilities once for all mini-batches, by the trainer and not the sampler; then loss and step of each. */
export async function trainBatches(
  at: Update,
  batches: readonly LossBatch[],
): Promise<readonly TrainedBatch[]> {
  const { config, policy, post } = at.run;
  const { temperature, optimiser } = config;
  const { loss } = config.algorithm;
  const { update } = at;
  const trained: TrainedBatch[] = [];
  const checked: CheckedStep[] | null = at.run.takeStepCheck?.(update) ? [] : null;
  let scores: BatchScores = { old: [], reference: null };
  for (const [minibatch, { batch, extras }] of batches.entries()) {
    const entry = await phase(at, 'loss', async () => {
      if (minibatch === 0) scores = await scoreBatches(at, batches);
      const oldScores = scores.old[minibatch];
      const inputs: UpdateInputs = {
        oldLogProb: oldScores.logProb,
        refLogProb: scores.reference?.[minibatch].logProb ?? null,
        extras,
        temperature,
        loss,
        optimiser,
      };
      const before = checked && (await policy.parameters());
      const result = await policy.update(batch, inputs);
      checkFinite(update, minibatch, batch, result.loss);
      const rows = lossRows({ batch, oldLogProb: oldScores.logProb, result: result.loss, extras });
      post({ kind: 'loss', update, minibatch, loss: result.loss.loss, rows });
      const edited = at.run.config.editedKernel !== undefined;
      if (before) checked.push(await checkStep(policy, { minibatch, batch, inputs, before, result, edited }));
      return { batch, oldScores, result };
    });
    await phase(at, 'step', () => post({ kind: 'step', update, minibatch, ...entry.result.step }));
    trained.push(entry);
  }
  if (checked) post({ kind: 'step-check', update, steps: checked });
  return trained;
}

interface BatchScores {
  readonly old: readonly TokenScores[];
  readonly reference: readonly TokenScores[] | null; // where the loss compares with the policy before training
}

async function scoreBatches({ run }: Update, batches: readonly LossBatch[]): Promise<BatchScores> {
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
