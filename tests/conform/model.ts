/** model.json: forward pass, loss, all gradients and AdamW steps of small decoders, on a WebGPU device. */
import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { parameterMap } from '../../src/model/parameters.ts';
import { Policy } from '../../src/model/policy.ts';
import type { LossConfig, LossResult, ModelConfig, OptimiserConfig, TokenBatch } from '../../src/units.ts';
import { trainOn } from '../support/gpu_policies.ts';
import { packRows, type PlainRow } from '../support/token_batches.ts';
import { Checker, type FamilyReport } from './report.ts';

interface Encoded {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'float64';
  readonly base64: string; // little-endian
}

type Tensors = Readonly<Record<string, Encoded>>;
type Rows = readonly (readonly number[])[];

interface ModelCase {
  readonly name: string;
  readonly config: Readonly<Record<string, number>> & { readonly tied_embeddings: boolean };
  readonly prompt_length: number;
  readonly temperature: number;
  readonly loss_config: Readonly<Record<'clip_low' | 'clip_high' | 'entropy_coeff' | 'kl_loss_coef', number>>;
  readonly optimizer: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
    readonly grad_clip: number;
  };
  readonly token_ids: Rows; // [B][P+T]
  readonly attention_mask: Rows;
  readonly response_mask: Rows; // [B][T], like the next three
  readonly advantages: Rows;
  readonly old_log_prob: Rows;
  readonly ref_log_prob: Rows;
  readonly weights: Tensors;
  readonly logits: readonly Rows[]; // [B][P+T][V]
  readonly log_prob: Rows; // [B][T]
  readonly entropy: Rows;
  readonly grad_log_prob: Rows;
  readonly steps: readonly {
    readonly loss_total: number;
    readonly pg_loss: number;
    readonly grads?: Tensors; // of the first step
    readonly grad_norm_before_clip: number;
    readonly params_after: Tensors;
  }[];
}

export interface ModelFile {
  readonly cases: readonly ModelCase[];
}

function decode({ dtype, base64 }: Encoded): Float32Array | Float64Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return dtype === 'float32' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}

const configOf = ({ config }: ModelCase): ModelConfig => ({
  vocabularySize: config.vocab_size,
  channels: config.d_model,
  layers: config.n_layers,
  heads: config.n_heads,
  kvHeads: config.n_kv_heads,
  headSize: config.head_dim,
  hidden: config.d_ff,
  rmsEpsilon: config.rms_eps,
  ropeTheta: config.rope_theta,
  queryKeyNorm: true,
  tiedOutput: config.tied_embeddings,
  previousTokenMixing: false,
  logitScale: 1,
});

function parametersOf(config: ModelConfig, weights: Tensors): Float32Array<ArrayBuffer> {
  const map = parameterMap(config);
  const values = new Float32Array(map.length);
  for (const { name, offset } of map.parameters) values.set(decode(weights[name]), offset);
  return values;
}

/** Unpadded rows; `mask` by position of the whole row. */
function rowsOf(want: ModelCase, mask: (row: number, t: number) => number): PlainRow[] {
  return want.token_ids.map((ids, row) => {
    const length = want.attention_mask[row].reduce((sum, bit) => sum + bit, 0);
    const byPosition = <T>(response: (t: number) => T, prompt: T): T[] =>
      Array.from({ length }, (_, n) => (n < want.prompt_length ? prompt : response(n - want.prompt_length)));
    return {
      tokens: ids.slice(0, length),
      mask: byPosition((t) => mask(row, t), 0),
      advantage: byPosition((t) => want.advantages[row][t], 0),
    };
  });
}

/** A [B][T] array at the batch's scored tokens. */
function atScored(want: ModelCase, batch: TokenBatch, values: Rows): Float32Array<ArrayBuffer> {
  const { scored, predicted, positions } = batch;
  const picked = batch.rows.flatMap(({ scoredStart, scoredEnd }, row) =>
    Array.from(
      scored.subarray(scoredStart, scoredEnd),
      (index) => values[row][positions[predicted[index]] - want.prompt_length],
    ),
  );
  return Float32Array.from(picked);
}

/** pg_loss − c_ent·mean(entropy) + c_kl·mean(k3), from what the device returned. */
function totalLoss(result: LossResult, refLogProb: Float32Array, loss: LossConfig): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / (values.length + 1e-8);
  const k3 = Array.from(result.logProb, (logProb, s) => {
    const x = refLogProb[s] - logProb;
    return Math.min(10, Math.max(-10, Math.exp(x) - x - 1));
  });
  return result.loss - loss.entropyCoefficient * mean([...result.entropy]) + loss.klCoefficient * mean(k3);
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/**
 * Float32 tolerances of the fixtures' README. Gradients are relative to the largest entry of the whole gradient, the
 * vector that is clipped and stepped along. Relative to the largest entry of its own tensor, where a small tensor
 * bears the rounding of the large activations it is summed from, five times as much is allowed.
 */
const newCheckers = () => ({
  logits: new Checker('model/logits', 2e-5),
  logProb: new Checker('model/log_prob', 2e-5),
  entropy: new Checker('model/entropy', 1e-5),
  loss: new Checker('model/loss', 2e-6),
  dlogProb: new Checker('model/grad_log_prob', 2e-6),
  gradients: new Checker('model/gradients', 2e-6),
  gradientsByTensor: new Checker('model/gradients_by_tensor', 1e-5),
  parameters: new Checker('model/adamw', 2e-6),
});

type Checkers = ReturnType<typeof newCheckers>;

async function checkForward(policy: Policy, want: ModelCase, checks: Checkers): Promise<void> {
  const batch = packRows(rowsOf(want, () => 1));
  const { vocabularySize } = policy.config;
  const logits = await policy.logits(batch);
  const scores = await policy.score(batch, want.temperature);
  checks.logits.case(want.name, () => {
    batch.rows.forEach(({ tokenStart, tokenEnd }, row) => {
      const got = logits.subarray(tokenStart * vocabularySize, tokenEnd * vocabularySize);
      checks.logits.closeAll(`row ${row}`, got, want.logits[row].slice(0, tokenEnd - tokenStart).flat());
    });
  });
  const scored = (check: Checker, got: ArrayLike<number>, wanted: Rows): void =>
    check.case(want.name, () => {
      batch.rows.forEach(({ scoredStart, scoredEnd }, row) => {
        const slice = Array.from(got).slice(scoredStart, scoredEnd);
        check.closeAll(`row ${row}`, slice, wanted[row].slice(0, slice.length));
      });
    });
  scored(checks.logProb, scores.logProb, want.log_prob);
  scored(checks.entropy, scores.entropy, want.entropy);
}

function compareGradients(
  checks: Checkers,
  name: string,
  config: ModelConfig,
  got: Float32Array,
  want: Tensors,
): void {
  const whole = Math.max(...Object.values(want).map((tensor) => largest(decode(tensor))));
  const compare = (check: Checker, scaleOf: (wanted: ArrayLike<number>) => number): void =>
    check.case(name, () => {
      for (const parameter of parameterMap(config).parameters) {
        const wanted = decode(want[parameter.name]);
        const scale = scaleOf(wanted);
        const scaled = (values: ArrayLike<number>): number[] => Array.from(values, (value) => value / scale);
        const slice = got.subarray(parameter.offset, parameter.offset + parameter.length);
        check.closeAll(parameter.name, scaled(slice), scaled(wanted));
      }
    });
  compare(checks.gradients, () => whole);
  compare(checks.gradientsByTensor, largest);
}

/** The fixture's gradient holds the KL term too, though its README says pg_loss. */
function checkLossGradient(check: Checker, want: ModelCase, batch: TokenBatch, dlogProb: Float32Array): void {
  const wanted = atScored(want, batch, want.grad_log_prob);
  const scale = largest(wanted);
  const scaled = (values: Float32Array): number[] => Array.from(values, (value) => value / scale);
  check.case(want.name, () => check.closeAll('scored', scaled(dlogProb), scaled(wanted)));
}

async function checkSteps(policy: Policy, want: ModelCase, checks: Checkers): Promise<void> {
  const batch = packRows(rowsOf(want, (row, t) => want.response_mask[row][t]));
  const {
    lr: learningRate,
    betas,
    eps: epsilon,
    weight_decay: weightDecay,
    grad_clip: gradientClip,
  } = want.optimizer;
  const optimiser: OptimiserConfig = {
    learningRate,
    beta1: betas[0],
    beta2: betas[1],
    epsilon,
    weightDecay,
    gradientClip,
  };
  const {
    clip_low: clipLow,
    clip_high: clipHigh,
    entropy_coeff: entropyCoefficient,
    kl_loss_coef: klCoefficient,
  } = want.loss_config;
  const loss: LossConfig = { ...TURN_LOSS, clipLow, clipHigh, entropyCoefficient, klCoefficient };
  const oldLogProb = atScored(want, batch, want.old_log_prob);
  const refLogProb = atScored(want, batch, want.ref_log_prob);
  const inputs = { oldLogProb, refLogProb, temperature: want.temperature, loss, optimiser };
  for (const [index, step] of want.steps.entries()) {
    const result = await trainOn(policy, batch, inputs);
    const gradients = await policy.gradients();
    const parameters = await policy.parameters();
    checks.loss.case(`${want.name} step ${index}`, () => {
      checks.loss.close('pg_loss', result.loss.loss, step.pg_loss);
      checks.loss.close('loss_total', totalLoss(result.loss, refLogProb, loss), step.loss_total);
      checks.loss.close('gradient norm', result.step.gradientNorm, step.grad_norm_before_clip);
    });
    if (index === 0) checkLossGradient(checks.dlogProb, want, batch, result.loss.dlogProb);
    if (step.grads) compareGradients(checks, want.name, policy.config, gradients, step.grads);
    checks.parameters.case(want.name, () => {
      for (const { name, offset, length } of parameterMap(policy.config).parameters) {
        checks.parameters.closeAll(
          `step ${index} ${name}`,
          parameters.subarray(offset, offset + length),
          decode(step.params_after[name]),
        );
      }
    });
  }
}

async function checkCase(gpu: Gpu, want: ModelCase, checks: Checkers): Promise<void> {
  const config = configOf(want);
  const parameters = parametersOf(config, want.weights);
  const policy = await Policy.create(gpu, config, { contextLength: want.token_ids[0].length, parameters });
  try {
    await checkForward(policy, want, checks);
    await checkSteps(policy, want, checks);
  } finally {
    policy.dispose();
  }
}

/** One report per quantity: logits, log_prob, entropy, loss, grad_log_prob, gradients (twice), adamw. */
export async function conformModel(gpu: Gpu, file: ModelFile): Promise<readonly FamilyReport[]> {
  const checks = newCheckers();
  for (const want of file.cases) {
    try {
      await checkCase(gpu, want, checks);
    } catch (error) {
      checks.logits.case(want.name, () => {
        throw error;
      });
    }
  }
  return Object.values(checks).map((check) => check.report());
}
