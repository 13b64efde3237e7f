/** The warm start as a page runs it: opens the device, trains, scores, and hands the weights file back. */
import { datasetNamed, searchEnvironment } from '../../env/search/search.ts';
import { openGpu } from '../../gpu/device.ts';
import { Policy } from '../../model/policy.ts';
import { decodeWeights } from '../../model/weights.ts';
import { seededParameters } from '../engine/gpu_backend.ts';
import {
  CONTINUATION,
  meanScore,
  pretrain,
  PRETRAIN,
  scorePolicy,
  type DatasetScore,
  type PretrainConfig,
} from './pretrain.ts';

export interface PretrainRequest {
  readonly from: { readonly name: string; readonly file: ArrayBuffer } | null; // weights to go on from
  readonly datasets: readonly string[] | null; // null = the recipe's
  readonly seed: number; // uint32
  readonly steps: number;
  readonly questions: number; // held-out, per data set
}

/** What the file's metadata and the JSON beside it say. */
export interface PretrainRecord {
  readonly config: PretrainConfig;
  readonly adapter: string;
  readonly date: string; // ISO 8601
  readonly seconds: number; // training only
  readonly tokens: number; // read in training
  readonly turnSurprisal: number; // nats, mean over the last 20 steps
  readonly curve: readonly { readonly step: number; readonly loss: number; readonly turnSurprisal: number }[];
  readonly scores: Readonly<Record<string, DatasetScore>>; // exact match on held-out questions
  readonly meanSampled: number;
  readonly meanGreedy: number;
}

const CURVE_EVERY = 10; // steps
const RECENT = 20;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Lines for the terminal: one per ten steps. */
function progressLine(
  step: number,
  steps: number,
  loss: number,
  surprisal: number,
  tokens: number,
  seconds: number,
): string {
  const left = Math.round((seconds / step) * (steps - step));
  const rate = Math.round(tokens / seconds);
  return `step ${step}/${steps}  loss ${loss.toFixed(3)}  turn surprisal ${surprisal.toFixed(3)}  ${rate} tokens/s  ${left} s left`;
}

/**
 * Trains a policy by the recipe of pretrain.ts, from random parameters or from the request's weights.
 * @param report one line of progress
 * @returns the weights as a safetensors file, and its record
 * @throws UnknownDatasetError, WeightsError
 */
export async function pretrainInPage(
  { from, datasets, ...request }: PretrainRequest,
  report: (line: string) => unknown,
): Promise<{ readonly file: ArrayBuffer; readonly record: PretrainRecord }> {
  const config: PretrainConfig = {
    ...PRETRAIN,
    ...(from ? CONTINUATION : {}),
    ...request,
    from: from?.name ?? null,
    datasets: datasets?.map(datasetNamed) ?? PRETRAIN.datasets,
  };
  const gpu = await openGpu();
  try {
    const parameters = from
      ? decodeWeights(from.file, config.model).values
      : seededParameters(config.model, config.seed);
    const policy = await Policy.create(gpu, config.model, {
      contextLength: searchEnvironment.contextLength,
      parameters,
    });
    const training = await trainWithCurve(policy, config, report);
    report('scoring on held-out questions');
    const scores = await scorePolicy(policy, config.questions, config.seed);
    const { vendor, architecture, description } = gpu.adapter;
    const record: PretrainRecord = {
      config,
      adapter: [vendor, architecture, description].filter(Boolean).join(' '),
      date: new Date().toISOString(),
      ...training,
      scores,
      meanSampled: meanScore(scores, 'sampled'),
      meanGreedy: meanScore(scores, 'greedy'),
    };
    const summary = JSON.stringify({ ...record, curve: undefined }); // the curve is in the JSON beside the file
    return { file: await policy.save({ pretraining: summary }), record };
  } finally {
    gpu.close();
  }
}

async function trainWithCurve(
  policy: Policy,
  config: PretrainConfig,
  report: (line: string) => unknown,
): Promise<Pick<PretrainRecord, 'seconds' | 'tokens' | 'turnSurprisal' | 'curve'>> {
  const startMs = performance.now();
  const surprisals: number[] = [];
  const losses: number[] = [];
  const curve: { step: number; loss: number; turnSurprisal: number }[] = [];
  let read = 0;
  await pretrain(policy, config, ({ step, loss, turnSurprisal, tokens }) => {
    surprisals.push(turnSurprisal);
    losses.push(loss);
    read = tokens;
    if (step % CURVE_EVERY !== 0 && step !== config.steps) return;
    const point = {
      step,
      loss: mean(losses.slice(-CURVE_EVERY)),
      turnSurprisal: mean(surprisals.slice(-CURVE_EVERY)),
    };
    curve.push(point);
    const seconds = (performance.now() - startMs) / 1000;
    report(progressLine(step, config.steps, point.loss, point.turnSurprisal, tokens, seconds));
  });
  const seconds = (performance.now() - startMs) / 1000;
  return { seconds, tokens: read, turnSurprisal: mean(surprisals.slice(-RECENT)), curve };
}
