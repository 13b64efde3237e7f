/** The honesty check of an optimiser step: what its gradient promised against what came of it. Trains nothing. */
import { scoredPositions } from '../../algo/batch/batch.ts';
import { objective, type Objective } from '../../algo/loss/loss.ts';
import type { CheckedRow, CheckedStep } from '../../protocol/inspection.ts';
import type {
  LossConfig,
  LossInputs,
  LossResult,
  TokenBatch,
  TokenScores,
  TrainablePolicy,
} from '../../units.ts';

// What a step promises each token, to first order.

/**
 * How far from the start of the step the batch is scored, as a share of the step. Nearer, and float32 is what is
 * measured (a log-probability is good to 2e-6 nats); farther, and curvature is (its cube).
 */
const PROBE = 1 / 4;

export interface TokenForecast {
  readonly logProb: Float64Array; // [S] nats
  readonly entropy: Float64Array; // [S] nats
}

/**
 * Change of every log-probability and entropy along a step, to first order: ∇θ logProb · Δθ as the central difference
 * (f(θ + εΔθ) − f(θ − εΔθ)) / 2ε. Two forward passes; no gradient per token is needed, and no backward pass is trusted.
 * @param before all parameters before the step, θ
 * @param step what the optimiser added to them, Δθ
 */
export async function forecastTokens(
  policy: TrainablePolicy,
  batch: TokenBatch,
  temperature: number,
  before: Float32Array,
  step: Float32Array,
): Promise<TokenForecast> {
  const at = (share: number) =>
    policy.scoreAt(
      Float32Array.from(before, (value, index) => value + share * step[index]),
      batch,
      temperature,
    );
  const [ahead, behind] = [await at(PROBE), await at(-PROBE)];
  const slope = (name: 'logProb' | 'entropy'): Float64Array =>
    Float64Array.from(ahead[name], (value, s) => (value - behind[name][s]) / (2 * PROBE));
  return { logProb: slope('logProb'), entropy: slope('entropy') };
}

/**
 * Pearson's correlation.
 * @returns null where one of the two does not vary
 */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const mean = (values: ArrayLike<number>): number =>
    Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const [middleA, middleB] = [mean(a), mean(b)];
  let [both, squaresA, squaresB] = [0, 0, 0];
  for (let index = 0; index < a.length; index += 1) {
    const [fromA, fromB] = [a[index] - middleA, b[index] - middleB];
    both += fromA * fromB;
    squaresA += fromA * fromA;
    squaresB += fromB * fromB;
  }
  const scale = Math.sqrt(squaresA * squaresB);
  return scale > 0 ? both / scale : null;
}

/** A step that was just taken. */
interface TakenStep {
  readonly minibatch: number;
  readonly batch: TokenBatch;
  readonly inputs: LossInputs;
  readonly learningRate: number;
  readonly before: Float32Array; // all parameters
  readonly loss: LossResult; // of the backward pass
  readonly edited?: boolean; // the policy's loss kernel is a person's: only the device knows its loss
}

/**
 * Reads gradient and parameters back and scores the mini-batch again. The first-order prediction is
 * g · (θ' − θ), with g before clipping and θ' as the optimiser left it: momentum, weight decay and clipping are in θ'.
 * Products are added in float64, since θ' − θ is small beside θ. What the same step promises each token is measured by
 * two more passes (`token_forecast.ts`).
 */
export async function checkStep(
  policy: TrainablePolicy,
  { minibatch, batch, inputs, learningRate, before, loss: started, edited = false }: TakenStep,
): Promise<CheckedStep> {
  const gradient = await policy.gradients();
  const after = await policy.parameters();
  const scores = await policy.score(batch, inputs.temperature);
  const onDevice = edited ? await policy.lossOf?.(batch, inputs) : undefined;
  const loss: LossConfig = onDevice ? { ...inputs.loss, surrogate: 'none' } : inputs.loss; // then all but the policy's term
  const at = (scored: TokenScores): Objective =>
    objective({ ...batch, ...inputs, ...scored, rowCount: batch.rows.length }, loss, inputs.extras);
  const start = at(started);
  const { dlogProb } = started;
  const change = scores.logProb.map((logProb, s) => logProb - started.logProb[s]);
  const entropies = scores.entropy.reduce((sum, entropy, s) => sum + entropy - started.entropy[s], 0);
  const steps = after.map((value, index) => value - before[index]);
  const forecast = await forecastTokens(policy, batch, inputs.temperature, before, steps);
  return {
    minibatch,
    learningRate,
    parameterChange: Math.sqrt(inner(steps, steps)),
    lossBefore: start.total + (onDevice ? started.loss : 0),
    lossAfter: at(scores).total + (onDevice?.loss ?? 0),
    predicted: inner(gradient, steps),
    throughTokens: inner(dlogProb, change) + start.dentropy * entropies,
    predictedThroughTokens:
      inner(dlogProb, forecast.logProb) +
      start.dentropy * forecast.entropy.reduce((sum, slope) => sum + slope, 0),
    forecastCorrelation: correlation(forecast.logProb, change),
    ...agreement(dlogProb, change),
    rows: batch.rows.map((_, row) => checkedRow(batch, row, started, scores, forecast.logProb)),
  };
}

function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += a[index] * b[index];
  return sum;
}

function checkedRow(
  batch: TokenBatch,
  row: number,
  { logProb, dlogProb }: LossResult,
  scores: TokenScores,
  predicted: Float64Array,
): CheckedRow {
  const { prompt, leaf, scoredStart, scoredEnd } = batch.rows[row];
  const slice = (values: Float32Array | Float64Array): readonly number[] =>
    Array.from(values.subarray(scoredStart, scoredEnd));
  return {
    prompt,
    leaf,
    tokenIndex: scoredPositions(batch, row),
    before: slice(logProb),
    after: slice(scores.logProb),
    predicted: slice(predicted),
    push: slice(dlogProb).map((d) => 0 - d), // no −0
  };
}

/** How pushes and changes go together over the tokens that were pushed. */
function agreement(
  dlogProb: Float32Array,
  change: Float32Array,
): Pick<CheckedStep, 'correlation' | 'followed' | 'pushed'> {
  const places = [...dlogProb.keys()].filter((s) => dlogProb[s] !== 0);
  const [pushes, changes] = [places.map((s) => -dlogProb[s]), places.map((s) => change[s])];
  const followed = pushes.filter((push, index) => push * changes[index] > 0).length;
  const pushed = places.length;
  return { correlation: correlation(pushes, changes), followed: pushed > 0 ? followed / pushed : 0, pushed };
}
