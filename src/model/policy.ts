import type { Gpu } from '../gpu/device.ts';
import { LostWatch } from '../gpu/answer_watch.ts';
import { f32, Readback } from '../gpu/readback.ts';
import type {
  GenerateRequest,
  Generation,
  GradientComparison,
  GradientSource,
  LossInputs,
  LossResult,
  ModelConfig,
  OptimiserConfig,
  PolicyReader,
  PolicyState,
  RandomKey,
  SamplingConfig,
  StepResult,
  TokenBatch,
  TokenId,
  TokenScores,
  TrainablePolicy,
} from '../units.ts';
import { singlePath } from './training/batch_inputs.ts';
import { checkModelConfig } from './config.ts';
import { FrozenModelError, ParameterCountError } from './errors.ts';
import {
  createDeviceModel,
  type DeviceModel,
  type DeviceModelOptions,
  type ParameterSource,
} from './device_model.ts';
import type { Capacity } from './microbatches.ts';
import { Sampling, type SamplingCounts, type SamplingOptions } from './sampling.ts';
import type { SamplingSession } from './sampling_session.ts';
import { Training, type SupervisedResult } from './training/training.ts';
import { decodeWeights, encodeWeights, flatParameters } from './weights.ts';
import { BufferOwner, upload, type BufferView } from '../gpu/buffers.ts';

export interface PolicyOptions extends DeviceModelOptions {
  readonly contextLength: number; // tokens, prompt and response together
  /** Flat, laid out by parameterMap(config): initialParameters() or decodeWeights(); or a file that is read as it comes. */
  readonly parameters: Float32Array<ArrayBuffer> | ParameterSource;
  /** What one micro-batch may hold: allocated whole with the first batch, and larger batches are split. */
  readonly training?: Capacity;
  readonly sampling?: Partial<SamplingOptions>;
  readonly lossSource?: string | null; // WGSL in place of policy_loss's own
}

/** Most tokens of one micro-batch unless a policy is told otherwise. */
const TOKEN_CAPACITY = 4096;
const SCORED_PER_TOKEN = 16; // a scored token costs a few numbers, a token all activations

const READER_ROWS = 64; // that a reader samples together: its cache is no larger than they need

/** Most tokens, predicted and scored tokens of one micro-batch. */
export const trainingLimit = (tokens = TOKEN_CAPACITY): Capacity => ({
  tokens,
  predicted: tokens,
  scored: SCORED_PER_TOKEN * tokens,
});

/**
 * The engine's policy: sampling, scoring and training on the device. Calls run one after another, in order, except that
 * calls of generate() with no other call between them are sampled together.
 * Every call rejects with DeviceLostError once the device is gone.
 */
export class Policy implements TrainablePolicy {
  readonly config: ModelConfig;
  readonly #model: DeviceModel;
  readonly #training: Training;
  readonly #sampling: Sampling;
  readonly #samplingOptions: Partial<SamplingOptions>;
  readonly #readback: Readback;
  readonly #lost: LostWatch;
  #tail: Promise<unknown> = Promise.resolve();
  #session: { readonly of: Sampling; readonly session: SamplingSession } | null = null; // last in order, so that generate() may join it

  private constructor(model: DeviceModel, { training, sampling, lossSource }: PolicyOptions) {
    this.config = model.config;
    this.#model = model;
    this.#training = new Training(model, training ?? trainingLimit(), lossSource);
    this.#sampling = new Sampling(model, sampling);
    this.#samplingOptions = sampling ?? {};
    this.#readback = new Readback(model.gpu, 'parameter readback');
    this.#lost = new LostWatch(model.gpu.lost);
  }

  /**
   * @throws ConfigError, BufferTooLargeError, OutOfMemoryError
   */
  static async create(gpu: Gpu, config: ModelConfig, options: PolicyOptions): Promise<Policy> {
    const checked = checkModelConfig(config);
    const { parameters, contextLength } = options;
    const source = parameters instanceof Float32Array ? flatParameters(checked, parameters) : parameters;
    return new Policy(await createDeviceModel(gpu, checked, contextLength, source, options), options);
  }

  /** Of sampling, for measurements. */
  get sampledCounts(): SamplingCounts {
    return this.#sampling.counts;
  }

  beginRollout(key: RandomKey, sampling: SamplingConfig): void {
    this.#begin(this.#sampling, key, sampling);
  }

  /**
   * Samples one turn per request. Prefixes cached by earlier calls of the rollout are not computed again.
   * Greedy log-probabilities and entropies are those at temperature 1.
   */
  generate(requests: readonly GenerateRequest[]): Promise<readonly Generation[]> {
    return this.#generate(this.#sampling, requests);
  }

  reader(): PolicyReader {
    const { sampledRows = READER_ROWS, cachePlaces = Infinity } = this.#samplingOptions;
    const sampling = new Sampling(this.#model, {
      ...this.#samplingOptions,
      sampledRows: Math.min(sampledRows, READER_ROWS),
      cachePlaces: Math.min(cachePlaces, READER_ROWS * this.#model.contextLength),
    });
    return {
      beginRollout: (key, config) => this.#begin(sampling, key, config),
      generate: (requests) => this.#generate(sampling, requests),
      score: (batch, temperature) => this.score(batch, temperature),
      gradientCosines: (losses) => this.gradientCosines(losses),
      nextLogits: (tokens) => this.nextLogits(tokens),
      dispose: () => void this.#inOrder(() => Promise.resolve(sampling.destroy())).catch(() => undefined),
    };
  }

  score(batch: TokenBatch, temperature: number): Promise<TokenScores> {
    return this.#inOrder(() => this.#training.score(batch, temperature));
  }

  /** @throws ParameterCountError */
  scoreAt(
    parameters: Float32Array<ArrayBuffer>,
    batch: TokenBatch,
    temperature: number,
  ): Promise<TokenScores> {
    const score = (): Promise<TokenScores> => this.#training.score(batch, temperature);
    return this.#inOrder(() => atParameters(this.#model, parameters, score));
  }

  backward(batch: TokenBatch, inputs: LossInputs): Promise<LossResult> {
    return this.#inOrder(() => this.#training.backward(batch, inputs));
  }

  /** @throws NoGradientError where no `backward` came before */
  step(optimiser: OptimiserConfig): Promise<StepResult> {
    return this.#inOrder(() => this.#changing(this.#training.step(optimiser)));
  }

  /**
   * One supervised step, for the warm start: weighted cross-entropy of the scored tokens.
   * @param weights [S], e.g. 1/S for the mean; the batch's own weight and advantage are not read
   */
  trainSupervised(
    batch: TokenBatch,
    weights: Float32Array<ArrayBuffer>,
    optimiser: OptimiserConfig,
  ): Promise<SupervisedResult> {
    return this.#inOrder(() => this.#changing(this.#training.supervised(batch, weights, optimiser)));
  }

  /** Logits after every token, before temperature, [N, V]. For tests. */
  logits(batch: TokenBatch): Promise<Float32Array<ArrayBuffer>> {
    return this.#inOrder(() => this.#training.logits(batch));
  }

  /** @throws BatchError for no tokens, or more than the context holds */
  nextLogits(tokens: readonly TokenId[]): Promise<Float32Array<ArrayBuffer>> {
    return this.#inOrder(() =>
      this.#training.logits(singlePath(tokens), Uint32Array.of(Math.max(0, tokens.length - 1))),
    );
  }

  /** What is trained, flat: laid out by parameterMap(config) where everything is. */
  parameters(): Promise<Float32Array<ArrayBuffer>> {
    return this.#inOrder(
      async () => (await this.#readback.read({ values: f32(this.#model.parameters) })).values,
    );
  }

  /** Flat gradients of the last `backward`, before clipping. */
  gradients(): Promise<Float32Array<ArrayBuffer>> {
    return this.#inOrder(
      async () => (await this.#readback.read({ values: f32(this.#model.gradients) })).values,
    );
  }

  /**
   * Angles between the gradients of several losses at the present parameters. Nothing is trained: parameters, moments
   * and the kept gradients stay.
   */
  gradientCosines(losses: readonly GradientSource[]): Promise<GradientComparison> {
    return this.#inOrder(() => this.#training.gradientCosines(losses));
  }

  /** The loss of a mini-batch now; nothing is trained, and the kept gradients stay. */
  lossOf(batch: TokenBatch, inputs: LossInputs): Promise<LossResult> {
    return this.#inOrder(() => this.#training.lossOf(batch, inputs));
  }

  /** Flat gradient of a loss, before clipping; nothing is trained. */
  gradientOf(batch: TokenBatch, inputs: LossInputs): Promise<Float32Array<ArrayBuffer>> {
    return this.#inOrder(() => this.#training.gradientOf({ batch, inputs }));
  }

  /**
   * @param metadata strings kept in the file beside the configuration
   * @throws FrozenModelError where a tensor is frozen: the file would lack it
   */
  async save(metadata: Readonly<Record<string, string>> = {}): Promise<ArrayBuffer> {
    this.#checkWhole('policy.save');
    return encodeWeights({ config: this.config, values: await this.parameters(), metadata });
  }

  /**
   * Takes the parameters of a safetensors file; the optimiser starts anew.
   * @throws WeightsError when the file is malformed or made for another model; the parameters are then unchanged
   * @throws FrozenModelError where a tensor is frozen
   */
  load(file: ArrayBuffer): Promise<void> {
    return this.#inOrder(() => {
      this.#checkWhole('policy.load');
      const { map, write } = this.#model;
      flatParameters(this.config, decodeWeights(file, this.config).values).read(map, write);
      this.#training.resetOptimiser();
      this.#sampling.forget();
      return Promise.resolve();
    });
  }

  async readState(): Promise<PolicyState> {
    const read = await this.#inOrder(() => Promise.resolve(this.#training.copyState(this.#readback)));
    return this.#lost.guard(read); // beside the order: what comes next need not wait
  }

  writeState(state: PolicyState): Promise<void> {
    return this.#inOrder(() => {
      this.#training.writeState(state);
      this.#sampling.forget();
      return Promise.resolve();
    });
  }

  dispose(): void {
    this.#training.destroy();
    this.#sampling.destroy();
    this.#readback.destroy();
    this.#model.destroy();
  }

  #checkWhole(where: string): void {
    const { stored } = this.#model.map;
    const still = stored.filter(({ trainable }) => !trainable).length;
    if (still > 0) throw new FrozenModelError(where, still, stored.length);
  }

  /** New parameters make cached keys and values stale. */
  async #changing<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      this.#sampling.forget();
    }
  }

  #begin(of: Sampling, key: RandomKey, sampling: SamplingConfig): void {
    void this.#inOrder(() => Promise.resolve(of.begin(key, sampling)));
  }

  async #generate(of: Sampling, requests: readonly GenerateRequest[]): Promise<readonly Generation[]> {
    requests.forEach((request, index) => of.check(request, index));
    return this.#lost.guard(() => this.#joinedSession(of).generate(requests));
  }

  #joinedSession(of: Sampling): SamplingSession {
    if (this.#session?.of === of && !this.#session.session.over) return this.#session.session;
    const session = of.session();
    this.#inOrder(() => session.run()).catch(() => undefined); // its callers are told
    this.#session = { of, session };
    return session;
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    this.#session = null; // what is asked from now on comes after this
    const result = this.#tail.then(() => this.#lost.guard(work));
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/**
 * Does some work with these parameters in the model's place. The model's own are put aside on the device and come back
 * bit for bit, also when the work fails; gradients and moments are not touched.
 * @param values flat, laid out as the model's
 * @throws ParameterCountError, BufferTooLargeError, OutOfMemoryError, and whatever the work throws
 */
async function atParameters<T>(
  { gpu, map, parameters }: DeviceModel,
  values: Float32Array<ArrayBuffer>,
  work: () => Promise<T>,
): Promise<T> {
  if (values.length < map.length) throw new ParameterCountError(values.length, map.length);
  const owner = new BufferOwner(gpu, 'parameters put aside');
  const aside = owner.storage('parameters', map.length);
  await owner.ready();
  const copy = (from: BufferView, to: BufferView): void => {
    const encoder = gpu.device.createCommandEncoder({ label: 'copy parameters' });
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, from.size);
    gpu.device.queue.submit([encoder.finish()]);
  };
  copy(parameters, aside);
  try {
    upload(gpu, parameters, values);
    return await work();
  } finally {
    copy(aside, parameters);
    owner.destroy();
  }
}
