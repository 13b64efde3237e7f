/** The supervised warm start: demonstrations in, a policy that answers some questions out. */
import { ALL_DATASETS, DATASETS } from '../../env/search/question.ts';
import { searchEnvironment } from '../../env/search/search.ts';
import {
  LabError,
  type ModelConfig,
  type OptimiserConfig,
  type StepResult,
  type TokenBatch,
  type TrainablePolicy,
} from '../../units.ts';
import { evaluate } from '../run/evaluate.ts';
import { SEARCH_MODEL } from '../config/presets.ts';
import { BATCHES_PER_DRAW, drawBatches, packSequences, stageOf, type Curriculum } from './pretrain_data.ts';

export interface SupervisedResult {
  readonly logProb: Float32Array<ArrayBuffer>; // [S] nats, before the step
  readonly loss: number; // Σ weight · −logProb
  readonly step: StepResult;
}

/** A policy that can also be trained on given tokens; the engine's is src/model/policy.ts. */
export interface SupervisedPolicy extends TrainablePolicy {
  /** @param weights [S] of the scored tokens; the loss is Σ weight · −logProb */
  trainSupervised(
    batch: TokenBatch,
    weights: Float32Array<ArrayBuffer>,
    optimiser: OptimiserConfig,
  ): Promise<SupervisedResult>;
}

export interface PretrainConfig {
  readonly from: string | null; // weights to go on from; null = random parameters
  readonly datasets: Curriculum;
  readonly seed: number; // uint32: demonstrations and initial parameters
  readonly steps: number;
  readonly skillShare: number; // of the steps, first, [0, 1]; the rest teaches bad habits
  readonly batchSize: number; // sequences
  readonly learningRate: number; // peak
  readonly warmUpSteps: number;
  readonly finalRate: number; // of the peak; the rate falls linearly to it
  readonly optimiser: Omit<OptimiserConfig, 'learningRate'>;
  readonly model: ModelConfig;
  readonly questions: number; // held-out, per data set, for the scores
}

/** The recipe of the learnability runs (d = 64, 2 layers). */
export const PRETRAIN: PretrainConfig = {
  from: null,
  datasets: DATASETS,
  seed: 0,
  steps: 700,
  skillShare: 0.7,
  batchSize: 64,
  learningRate: 3e-3,
  warmUpSteps: 50,
  finalRate: 0.05,
  optimiser: { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, gradientClip: 1 },
  model: SEARCH_MODEL,
  questions: 150,
};

/** Going on from trained weights: the last stage alone at a third of the rate, so that nothing is forgotten. */
export const CONTINUATION = {
  skillShare: 0,
  learningRate: 1e-3,
  warmUpSteps: 10,
} as const satisfies Partial<PretrainConfig>;

/** A step whose loss or gradient is not finite: nothing after it would be worth keeping. */
export class PretrainDivergedError extends LabError {
  constructor(step: number, loss: number, gradientNorm: number) {
    super('PretrainDivergedError', {
      what: 'The warm start diverged',
      where: `step ${step}`,
      got: `loss ${loss}, gradient norm ${gradientNorm}`,
      wanted: 'finite numbers',
      next: 'Lower the learning rate, or try another seed.',
    });
  }
}

/** Linear warm-up, then linear decay over all steps. @param step from 0 */
export const learningRateAt = (config: PretrainConfig, step: number): number =>
  config.learningRate *
  Math.min(1, (step + 1) / config.warmUpSteps) *
  Math.max(config.finalRate, 1 - step / config.steps);

export interface PretrainProgress {
  readonly step: number; // steps done
  readonly loss: number; // weighted mean surprisal, nats
  readonly turnSurprisal: number; // mean over the policy's own words, nats
  readonly gradientNorm: number;
  readonly tokens: number; // read so far
}

function meanTurnSurprisal(logProb: Float32Array, isTurn: Uint8Array): number {
  let sum = 0;
  let count = 0;
  logProb.forEach((value, index) => {
    sum -= isTurn[index] * value;
    count += isTurn[index];
  });
  return sum / Math.max(1, count);
}

/**
 * Trains the policy in place.
 * @param onStep told after each step; awaited, so that a page stays alive
 * @throws PretrainDivergedError
 * @see learnability runs: clean demonstrations with recall drills, then bad habits
 */
export async function pretrain(
  policy: SupervisedPolicy,
  config: PretrainConfig,
  onStep: (progress: PretrainProgress) => Promise<void> | void,
): Promise<void> {
  let batches: ReturnType<typeof drawBatches> = [];
  let tokens = 0;
  for (let step = 0; step < config.steps; step += 1) {
    const place = step % BATCHES_PER_DRAW;
    const stage = stageOf(step, config.steps, config.skillShare);
    if (place === 0) batches = drawBatches(config.seed, step, stage, config.batchSize, config.datasets);
    const { batch, isTurn } = packSequences(batches[place]);
    const learningRate = learningRateAt(config, step);
    const result = await policy.trainSupervised(batch, batch.weight, { ...config.optimiser, learningRate });
    const { gradientNorm, skipped } = result.step;
    if (skipped || !Number.isFinite(result.loss))
      throw new PretrainDivergedError(step + 1, result.loss, gradientNorm);
    tokens += batch.tokens.length;
    const turnSurprisal = meanTurnSurprisal(result.logProb, isTurn);
    await onStep({ step: step + 1, loss: result.loss, turnSurprisal, gradientNorm, tokens });
  }
}

export interface DatasetScore {
  readonly sampled: number; // exact match at temperature 1, [0, 1]
  readonly greedy: number; // exact match at temperature 0
  readonly admitted: number; // "I do not know" at temperature 1, share
}

/** Scores on the first held-out questions of every data set, without answers too. */
export async function scorePolicy(
  policy: TrainablePolicy,
  questions: number,
  seed: number,
): Promise<Readonly<Record<string, DatasetScore>>> {
  const scores: Record<string, DatasetScore> = {};
  for (const dataset of ALL_DATASETS) {
    const request = { policy, environment: searchEnvironment, dataset, questions, seed, observer: {} };
    const { exactMatch: sampled, unknown: admitted } = await evaluate({ ...request, temperature: 1 });
    const { exactMatch: greedy } = await evaluate({ ...request, temperature: 0 });
    scores[dataset] = { sampled, greedy, admitted };
  }
  return scores;
}

/** Mean of a score over the data sets with answers. */
export const meanScore = (
  scores: Readonly<Record<string, DatasetScore>>,
  which: keyof DatasetScore,
): number => {
  const all = DATASETS.map((dataset) => scores[dataset][which]);
  return all.reduce((sum, score) => sum + score, 0) / all.length;
};
