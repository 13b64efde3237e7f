/** The honesty check of an optimiser step: what its gradient promised against what came of it. Trains nothing. */
import { objective, type Objective } from '../algo/loss.ts';
import type { TokenBatch, TokenScores, TrainablePolicy, UpdateInputs, UpdateResult } from '../units.ts';
import type { CheckedRow, CheckedStep } from './protocol/inspection.ts';
import { scoredPositions } from '../algo/batch_rows.ts';

/** A step that was just taken. */
interface TakenStep {
  readonly minibatch: number;
  readonly batch: TokenBatch;
  readonly inputs: UpdateInputs;
  readonly before: Float32Array; // all parameters
  readonly result: UpdateResult;
}

/**
 * Reads gradient and parameters back and scores the mini-batch again. The first-order prediction is
 * g · (θ' − θ), with g before clipping and θ' as the optimiser left it: momentum, weight decay and clipping are in θ'.
 * Products are added in float64, since θ' − θ is small beside θ.
 */
export async function checkStep(
  policy: TrainablePolicy,
  { minibatch, batch, inputs, before, result }: TakenStep,
): Promise<CheckedStep> {
  const gradient = await policy.gradients();
  const after = await policy.parameters();
  const scores = await policy.score(batch, inputs.temperature);
  const at = (scored: TokenScores): Objective =>
    objective({ ...batch, ...inputs, ...scored, rowCount: batch.rows.length }, inputs.loss, inputs.extras);
  const start = at(result.loss);
  const { dlogProb } = result.loss;
  const change = scores.logProb.map((logProb, s) => logProb - result.loss.logProb[s]);
  const entropies = scores.entropy.reduce((sum, entropy, s) => sum + entropy - result.loss.entropy[s], 0);
  const steps = after.map((value, index) => value - before[index]);
  return {
    minibatch,
    learningRate: inputs.optimiser.learningRate,
    parameterChange: Math.sqrt(inner(steps, steps)),
    lossBefore: start.total,
    lossAfter: at(scores).total,
    predicted: inner(gradient, steps),
    throughTokens: inner(dlogProb, change) + start.dentropy * entropies,
    ...agreement(dlogProb, change),
    rows: batch.rows.map((_, row) => checkedRow(batch, row, result.loss, scores)),
  };
}

function inner(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += a[index] * b[index];
  return sum;
}

function checkedRow(
  batch: TokenBatch,
  row: number,
  { logProb, dlogProb }: UpdateResult['loss'],
  scores: TokenScores,
): CheckedRow {
  const { prompt, leaf, scoredStart, scoredEnd } = batch.rows[row];
  const slice = (values: Float32Array): readonly number[] =>
    Array.from(values.subarray(scoredStart, scoredEnd));
  return {
    prompt,
    leaf,
    tokenIndex: scoredPositions(batch, row),
    before: slice(logProb),
    after: slice(scores.logProb),
    push: slice(dlogProb).map((d) => 0 - d), // no −0
  };
}

/** How pushes and changes go together over the tokens that were pushed: Pearson's correlation, and equal signs. */
function agreement(
  dlogProb: Float32Array,
  change: Float32Array,
): Pick<CheckedStep, 'correlation' | 'followed' | 'pushed'> {
  const places = [...dlogProb.keys()].filter((s) => dlogProb[s] !== 0);
  const pushed = places.length;
  const mean = (values: Float32Array): number => places.reduce((sum, s) => sum + values[s], 0) / pushed;
  const [pushMean, changeMean] = [-mean(dlogProb), mean(change)];
  let [both, pushSquares, changeSquares, followed] = [0, 0, 0, 0];
  for (const s of places) {
    const [push, moved] = [-dlogProb[s] - pushMean, change[s] - changeMean];
    both += push * moved;
    pushSquares += push * push;
    changeSquares += moved * moved;
    if (-dlogProb[s] * change[s] > 0) followed += 1;
  }
  const scale = Math.sqrt(pushSquares * changeSquares);
  return {
    correlation: scale > 0 ? both / scale : null,
    followed: pushed > 0 ? followed / pushed : 0,
    pushed,
  };
}
