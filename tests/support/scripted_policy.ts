/**
 * A policy without a model: it plays the environment's own solution with mistakes, fewer as the run goes on, and
 * invents log-probabilities that are consistent between sampling, scoring and training. Keyed like the real one, so
 * the same seed gives the same run.
 */
import { objective } from '../../src/algo/loss/loss.ts';
import { keyedRandom, type KeyedRandom } from '../../src/algo/random.ts';
import {
  tokenId,
  type Environment,
  type GenerateRequest,
  type Generation,
  type GradientComparison,
  type GradientSource,
  type LossInputs,
  type LossResult,
  type Prompt,
  type RandomKey,
  type OptimiserConfig,
  type PolicyState,
  type SamplingConfig,
  type StepResult,
  type TokenBatch,
  type TokenId,
  type TokenScores,
  type TrainablePolicy,
} from '../../src/units.ts';

const TURN_STREAM = 1001; // beside those of src/algo/random.ts
const TOKEN_STREAM = 1002;
const DRIFT_STREAM = 1003;
const PARAMETERS = ['embed.weight', 'layers.0.attn.o_proj.weight', 'layers.0.mlp.down_proj.weight', 'layers.1.attn.o_proj.weight', 'layers.1.mlp.down_proj.weight', 'final_norm.weight']; // prettier-ignore

export interface ScriptedOptions {
  readonly environment: Environment;
  /** Prompts that a rollout under this key may ask about: a policy sees only their tokens, the script their seeds. */
  readonly promptsOf: (key: RandomKey) => readonly Prompt[];
  /** Chance to play a turn right, by update; default rises from 0.7 to 0.97 over 40 updates. */
  readonly skill?: (update: number) => number;
  /** Makes the loss of this update NaN. */
  readonly brokenUpdate?: number;
}

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

export class ScriptedPolicy implements TrainablePolicy {
  readonly calls: string[] = []; // what was asked, in order
  readonly updates: { readonly batch: TokenBatch; readonly inputs: LossInputs }[] = []; // what was trained on
  readonly #preferred = new Map<number, number>(); // nats by token: what preference steps have taught
  readonly optimisers: OptimiserConfig[] = []; // what stepped, in order
  #gradient: {
    readonly batch: TokenBatch;
    readonly dlogProb: ArrayLike<number>;
    readonly preference: boolean;
  } | null = null;
  disposed = false;
  readonly readers: ScriptedPolicy[] = []; // in the order in which they were borrowed
  #key: RandomKey = { seed: 0, update: 0 };
  #sampling: SamplingConfig = { temperature: 1, stopTokens: [] };
  #prompts: readonly Prompt[] = [];
  #steps = 0; // optimiser steps so far
  #stepsInUpdate = 0;
  readonly #options: ScriptedOptions;

  constructor(options: ScriptedOptions) {
    this.#options = options;
  }

  beginRollout(key: RandomKey, sampling: SamplingConfig): void {
    this.calls.push('beginRollout');
    this.#key = key;
    this.#prompts = this.#options.promptsOf(key);
    this.#sampling = sampling;
    this.#stepsInUpdate = 0;
  }

  generate(requests: readonly GenerateRequest[]): Promise<readonly Generation[]> {
    this.calls.push('generate');
    return Promise.resolve(requests.map((request) => this.#turn(request)));
  }

  reader(): ScriptedPolicy {
    const reader = new ScriptedPolicy(this.#options);
    reader.#steps = this.#steps;
    this.#preferred.forEach((nats, token) => reader.#preferred.set(token, nats));
    this.readers.push(reader);
    this.calls.push('reader');
    return reader;
  }

  score(batch: TokenBatch): Promise<TokenScores> {
    this.calls.push('score');
    const places = Array.from(batch.scored, (index) => batch.predicted[index]);
    const stats = places.map((place) => this.#scoredToken(batch, place));
    const taught = (s: number): number => this.#preferred.get(batch.tokens[places[s]]) ?? 0;
    const logProb = Float32Array.from(stats, (stat, s) => stat.logProb + taught(s));
    return Promise.resolve({ logProb, entropy: Float32Array.from(stats, (stat) => stat.entropy) });
  }

  async backward(batch: TokenBatch, inputs: LossInputs): Promise<LossResult> {
    const scores = await this.score(batch);
    this.calls[this.calls.length - 1] = 'backward';
    const logProb = this.#drifted(batch, inputs.oldLogProb);
    const tokens = { ...batch, ...inputs, rowCount: batch.rows.length, logProb, entropy: scores.entropy };
    const computed = objective(tokens, inputs.loss, inputs.extras);
    this.updates.push({ batch, inputs });
    this.#gradient = {
      batch,
      dlogProb: computed.dlogProb,
      preference: inputs.loss.surrogate === 'preference',
    };
    const broken = this.#options.brokenUpdate === this.#key.update;
    return {
      logProb,
      entropy: scores.entropy,
      turnLogRatio: Float32Array.from(computed.policy.turnLogRatio),
      tokenLoss: Float32Array.from(computed.policy.tokenLoss, (value, s) =>
        broken && s === 3 ? NaN : value,
      ),
      dlogProb: Float32Array.from(computed.dlogProb),
      loss: broken ? NaN : computed.policy.loss,
    };
  }

  step(optimiser: OptimiserConfig): Promise<StepResult> {
    this.calls.push('step');
    if (!this.#gradient) throw new Error('a step without a backward pass before it');
    const { batch, dlogProb, preference } = this.#gradient;
    this.optimisers.push(optimiser);
    this.#gradient = null;
    this.#steps += 1;
    this.#stepsInUpdate += 1;
    if (preference) this.#prefer(batch, dlogProb);
    return Promise.resolve(gradientOf(dlogProb));
  }

  /** A step down the gradient in the only parameters that the script has: one per token. */
  #prefer(batch: TokenBatch, dlogProb: ArrayLike<number>): void {
    batch.scored.forEach((index, s) => {
      const token = batch.tokens[batch.predicted[index]];
      this.#preferred.set(token, Math.fround((this.#preferred.get(token) ?? 0) - dlogProb[s]));
    });
  }

  /** Words of a bell over the vocabulary, whose middle depends on the last token. */
  nextLogits(tokens: readonly TokenId[]): Promise<Float32Array<ArrayBuffer>> {
    this.calls.push('nextLogits');
    const { length } = this.#options.environment.vocabulary;
    const middle = (tokens[tokens.length - 1] + 5) % length;
    return Promise.resolve(Float32Array.from({ length }, (_, token) => -(((token - middle) / 2) ** 2)));
  }

  /** One parameter, the number of steps; its gradient is −1. */
  parameters(): Promise<Float32Array<ArrayBuffer>> {
    this.calls.push('parameters');
    return Promise.resolve(Float32Array.of(this.#steps));
  }

  /** Every log-probability rises by 0.01 with each step. */
  async scoreAt(parameters: Float32Array<ArrayBuffer>, batch: TokenBatch): Promise<TokenScores> {
    const { logProb, entropy } = await this.score(batch);
    return { logProb: logProb.map((value) => value + 0.01 * (parameters[0] - this.#steps)), entropy };
  }

  gradients(): Promise<Float32Array<ArrayBuffer>> {
    this.calls.push('gradients');
    return Promise.resolve(Float32Array.of(-1));
  }

  /** What preference steps have taught, by token, and the steps of the update under way. */
  readState(): Promise<PolicyState> {
    const taught = new Float32Array(this.#options.environment.vocabulary.length);
    this.#preferred.forEach((nats, token) => (taught[token] = nats));
    const parameters = { taught, stepsInUpdate: Float32Array.of(this.#stepsInUpdate) };
    const moments = { firstMoment: parameters, secondMoment: parameters };
    const optimiser = this.#steps === 0 ? null : { steps: this.#steps, ...moments };
    return Promise.resolve({ parameters, optimiser });
  }

  writeState({ parameters: { taught, stepsInUpdate }, optimiser }: PolicyState): Promise<void> {
    this.#preferred.clear();
    taught.forEach((nats, token) => this.#preferred.set(token, nats));
    this.#stepsInUpdate = stepsInUpdate[0];
    this.#steps = optimiser?.steps ?? 0;
    this.#gradient = null;
    return Promise.resolve();
  }

  save(): Promise<ArrayBuffer> {
    return Promise.resolve(Uint32Array.of(this.#steps).buffer);
  }

  dispose(): void {
    this.disposed = true;
  }

  #turn({ context, key, maxTokens }: GenerateRequest): Generation {
    const prompt = this.#promptOf(context, key.prompt);
    const random = keyedRandom(this.#key, TURN_STREAM, key.prompt, key.node, key.firstToken);
    const whole = this.#plan(prompt, context.slice(prompt.tokens.length), random);
    const tokens = whole.slice(0, maxTokens);
    const stats = tokens.map((token, i) => {
      const previous = i === 0 ? context[context.length - 1] : tokens[i - 1];
      return tokenStats(token, previous, context.length + i);
    });
    const stopped = this.#sampling.stopTokens.includes(tokens[tokens.length - 1]);
    return {
      tokens,
      logProb: stats.map((stat) => stat.logProb),
      entropy: stats.map((stat) => stat.entropy),
      finish: stopped ? 'stop' : 'length',
    };
  }

  /** As if every token had a parameter of its own. */
  gradientCosines(losses: readonly GradientSource[]): Promise<GradientComparison> {
    this.calls.push('gradientCosines');
    const vectors = losses.map(({ batch }) => batch.advantage.map((a, s) => -a * batch.weight[s]));
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, s) => sum + x * b[s], 0);
    const norms = vectors.map((vector) => Math.sqrt(dot(vector, vector)));
    const cosines = vectors.map((a, i) =>
      vectors.map((b, j) => (norms[i] * norms[j] === 0 ? 0 : dot(a, b) / (norms[i] * norms[j]))),
    );
    return Promise.resolve({ norms, cosines });
  }

  #promptOf(context: readonly TokenId[], index: number): Prompt {
    const fits = (prompt: Prompt) =>
      prompt.index === index && equal(prompt.tokens, context.slice(0, prompt.tokens.length));
    const found = this.#prompts.find(fits);
    if (!found) throw new Error(`prompt ${index} was never announced`);
    return found;
  }

  /** The next turn of the solution, that turn with a slip, or the final answer guessed. */
  #plan(prompt: Prompt, response: readonly TokenId[], random: KeyedRandom): readonly TokenId[] {
    const { environment } = this.#options;
    const solution = environment.solve(prompt);
    const done = response.filter((token) => environment.stopTokens.includes(token)).length;
    const answer = solution[solution.length - 1];
    const next = solution[done] as readonly TokenId[] | undefined;
    const onTrack = next !== undefined && this.#played(response, solution.slice(0, done));
    const skill = this.#sampling.temperature === 0 ? 0.95 : this.#skill();
    if (onTrack && random.uniform() < skill) return next;
    const kind = random.integer(8);
    if (kind === 0) return Array.from({ length: environment.turnTokenLimit }, () => answer[0]); // malformed
    const slipped = onTrack && kind < 4 ? next : answer;
    const any = tokenId(1 + random.integer(environment.vocabulary.length - 1));
    return slipped.map((token, i) => (i === slipped.length - 2 ? any : token));
  }

  #played(response: readonly TokenId[], turns: readonly (readonly TokenId[])[]): boolean {
    let from = 0;
    return turns.every((turn) => {
      while (from + turn.length <= response.length && !equal(response.slice(from, from + turn.length), turn))
        from += 1;
      const found = from + turn.length <= response.length;
      from += turn.length;
      return found;
    });
  }

  #skill(): number {
    const { update } = this.#key;
    return (
      this.#options.skill?.(update) ??
      0.7 + 0.27 * Math.min(1, (update === 0 ? this.#steps / 2 : update) / 40)
    );
  }

  #scoredToken(batch: TokenBatch, token: number): { logProb: number; entropy: number } {
    return tokenStats(batch.tokens[token], batch.tokens[batch.previous[token]], batch.positions[token]);
  }

  /** On-policy in the first mini-batch; later turns have moved with their advantage, more or less. */
  #drifted(batch: TokenBatch, oldLogProb: Float32Array): Float32Array<ArrayBuffer> {
    const scale = 0.02 * this.#stepsInUpdate;
    return Float32Array.from(oldLogProb, (old, s) => {
      const random = keyedRandom(this.#key, DRIFT_STREAM, this.#steps, batch.turnIndex[s]);
      return Math.min(-1e-4, old + scale * (Math.sign(batch.advantage[s]) + 2 * (random.uniform() - 0.5)));
    });
  }
}

/** Depends on the token and its place alone, so that sampling and scoring agree. Nats, float32 like the GPU's. */
export function tokenStats(
  token: number,
  previous: number,
  position: number,
): { logProb: number; entropy: number } {
  const random = keyedRandom({ seed: 0, update: 0 }, TOKEN_STREAM, token, previous, position);
  return {
    logProb: Math.fround(-1.6 * random.uniform() ** 3 - 1e-3),
    entropy: Math.fround(0.05 + 1.1 * random.uniform()),
  };
}

function gradientOf(dlogProb: ArrayLike<number>): StepResult {
  const norm = Math.sqrt(Array.from(dlogProb, (d) => d * d).reduce((a, b) => a + b, 0));
  const shares = PARAMETERS.map((name, i) => [name, norm * Math.sqrt((i + 1) / 21)] as const); // 1 + … + 6 = 21
  const headNorms = [1, 2].map((layer) => {
    const heads = Array.from({ length: 4 }, (_, head) => (norm * (layer + head)) / 40);
    return { query: heads, key: heads.slice(2), value: heads.slice(0, 2), output: heads.toReversed() };
  });
  return { gradientNorm: norm, gradientNorms: Object.fromEntries(shares), headNorms, skipped: false };
}
