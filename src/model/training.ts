import { roundUp, subview, upload, VIEW_ALIGNMENT, type BufferView } from '../gpu/buffers.ts';
import { Program } from '../gpu/program.ts';
import { f32, Readback, type ReadRanges } from '../gpu/readback.ts';
import type {
  OptimiserConfig,
  StepResult,
  TokenBatch,
  TokenScores,
  UpdateInputs,
  UpdateResult,
} from '../units.ts';
import { backwardSteps } from './backward.ts';
import {
  batchInputs,
  checkBatch,
  checkUpdateInputs,
  uploadInputs,
  uploadLossInputs,
  type BatchInputs,
} from './batch_inputs.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import { forwardSteps, type TrainSizes } from './forward.ts';
import { splitBatch, type Capacity, type MicroBatch } from './microbatches.ts';
import { lossSteps, optimiserSizes, optimiserSteps, stepResult, type OptimiserSizes } from './optimise.ts';
import { createWorkspace, headRowsFor, type Workspace } from './workspace.ts';

/** Weighted cross-entropy of one supervised step, and the optimiser step taken. */
export interface SupervisedResult {
  readonly loss: number; // Σ weight · −logProb, nats
  readonly logProb: Float32Array<ArrayBuffer>; // [S] nats, before the step
  readonly step: StepResult;
}

interface Compiled {
  readonly workspace: Workspace;
  readonly forward: Program<TrainSizes>;
  readonly loss: Program<TrainSizes>;
  readonly backward: Program<TrainSizes>;
  readonly optimiser: Program<OptimiserSizes>;
}

type Floats = Float32Array<ArrayBuffer>;
type ScoredArrays = { readonly [Name in ScoredName]: Floats };
type ScoredName = 'logProb' | 'entropy' | 'tokenLoss' | 'dlogProb';

const powerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(Math.max(VIEW_ALIGNMENT, value)));

const NO_LOSS = {
  dentropy: 0,
  clipLow: 0,
  clipHigh: 0,
  logRatioCap: 0,
  klCoefficient: 0,
  tokenMeanWeight: 0,
};

const sizesOf = (part: MicroBatch, temperature: number): TrainSizes => ({
  ...NO_LOSS,
  tokens: part.tokenEnd - part.tokenStart,
  scored: part.scoredEnd - part.scoredStart,
  turns: part.turnEnd - part.turnStart,
  inverseTemperature: 1 / temperature,
});

/** Scoring and training of packed batches. Calls must not overlap. */
export class Training {
  readonly #model: DeviceModel;
  readonly #limit: Capacity;
  readonly #readback: Readback;
  #compiled: Compiled | null = null;
  #steps = 0; // AdamW steps taken

  /** @param limit most tokens, and scored tokens, of one micro-batch */
  constructor(model: DeviceModel, limit: Capacity) {
    this.#model = model;
    this.#limit = limit;
    this.#readback = new Readback(model.gpu, 'training readback');
  }

  /** Forgets the optimiser's steps and moments. */
  resetOptimiser(): void {
    const encoder = this.#model.gpu.device.createCommandEncoder({ label: 'reset optimiser' });
    encoder.clearBuffer(this.#model.firstMoment.buffer);
    encoder.clearBuffer(this.#model.secondMoment.buffer);
    this.#model.gpu.device.queue.submit([encoder.finish()]);
    this.#steps = 0;
  }

  /** @throws BatchError, DeviceLostError, OutOfMemoryError */
  async score(batch: TokenBatch, temperature: number): Promise<TokenScores> {
    const { compiled, parts } = await this.#prepare(batch);
    const pending = parts.map((part) => {
      uploadInputs(this.#model.gpu, compiled.workspace, batchInputs(batch, part), this.#vocabulary);
      const { logProb, entropy } = compiled.workspace;
      return this.#submit([compiled.forward], sizesOf(part, temperature), part, { logProb, entropy });
    });
    return mergeParts(batch.scored.length, parts, await Promise.all(pending), ['logProb', 'entropy']);
  }

  /**
   * Loss → gradients → clip → AdamW. A batch above the capacity is split at row boundaries; since weights are
   * those of the whole batch, the summed gradient is the same.
   * @throws BatchError, DeviceLostError, OutOfMemoryError
   */
  async update(batch: TokenBatch, inputs: UpdateInputs): Promise<UpdateResult> {
    checkUpdateInputs(batch, inputs);
    const { compiled, parts } = await this.#prepare(batch);
    const { gpu } = this.#model;
    const { workspace, forward, loss, backward } = compiled;
    const { clipLow, clipHigh, logRatioCap, klCoefficient, entropyCoefficient } = inputs.loss;
    const tokenMeanWeight = 1 / (batch.scored.length + 1e-8); // the released code's masked mean
    const terms = { clipLow, clipHigh, logRatioCap, klCoefficient, tokenMeanWeight };
    this.#clearGradients();
    const pending = parts.map((part) => {
      uploadInputs(gpu, workspace, batchInputs(batch, part), this.#vocabulary);
      uploadLossInputs(gpu, workspace, batch, inputs, part);
      const sizes = {
        ...sizesOf(part, inputs.temperature),
        ...terms,
        dentropy: -entropyCoefficient * tokenMeanWeight,
      };
      const { logProb, entropy, tokenLoss, dlogProb, turnLogRatio } = workspace;
      const wanted = { logProb, entropy, tokenLoss, dlogProb };
      return this.#submit([forward, loss, backward], sizes, part, wanted, { turnLogRatio });
    });
    const [step, results] = await Promise.all([this.#step(compiled, inputs.optimiser), Promise.all(pending)]);
    const names = ['logProb', 'entropy', 'tokenLoss', 'dlogProb'] as const;
    const scored = mergeParts(batch.scored.length, parts, results, names);
    const turnLogRatio = new Float32Array(batch.turnRow.length);
    parts.forEach((part, index) => turnLogRatio.set(results[index].turnLogRatio, part.turnStart));
    const total = scored.tokenLoss.reduce((sum, value, s) => sum + batch.weight[s] * value, 0);
    return { loss: { ...scored, turnLogRatio, loss: total }, step };
  }

  /**
   * One step of weighted cross-entropy: ∂loss/∂logProb = −weight.
   * @param weights [S], e.g. 1/S for the mean
   */
  async supervised(
    batch: TokenBatch,
    weights: Floats,
    optimiser: OptimiserConfig,
  ): Promise<SupervisedResult> {
    const { compiled, parts } = await this.#prepare(batch);
    const { gpu } = this.#model;
    const { workspace, forward, backward } = compiled;
    const dlogProb = weights.map((weight) => -weight);
    this.#clearGradients();
    const pending = parts.map((part) => {
      uploadInputs(gpu, workspace, batchInputs(batch, part), this.#vocabulary);
      upload(gpu, workspace.dlogProb, dlogProb.subarray(part.scoredStart, part.scoredEnd));
      return this.#submit([forward, backward], sizesOf(part, 1), part, { logProb: workspace.logProb });
    });
    const [step, results] = await Promise.all([this.#step(compiled, optimiser), Promise.all(pending)]);
    const { logProb } = mergeParts(batch.scored.length, parts, results, ['logProb']);
    return { loss: logProb.reduce((sum, value, s) => sum - weights[s] * value, 0), logProb, step };
  }

  /** Logits after every token, before temperature, [N, V]. For tests: reads all of them back. */
  async logits(batch: TokenBatch): Promise<Floats> {
    const { compiled } = await this.#prepare(batch);
    const { workspace, forward } = compiled;
    const { vocabulary, logits: stride } = widthsOf(this.#model.config);
    const all = new Float32Array(batch.tokens.length * vocabulary);
    const rows = Math.min(workspace.headRows, workspace.capacity.scored);
    for (const part of splitBatch({ ...batch, scored: new Uint32Array(0) }, workspace.capacity)) {
      const inputs = batchInputs(batch, part);
      for (let first = 0; first < inputs.tokens.length; first += rows) {
        const predecessors = Uint32Array.from(
          inputs.tokens.subarray(first, first + rows),
          (_, n) => first + n,
        );
        const every: BatchInputs = { ...inputs, predecessors, chosen: new Uint32Array(predecessors.length) };
        uploadInputs(this.#model.gpu, workspace, every, vocabulary);
        forward.run({ ...sizesOf(part, 1), scored: predecessors.length });
        const read = await this.#readback.read({
          logits: f32(subview(workspace.logits, 0, predecessors.length * stride)),
        });
        predecessors.forEach((n, row) => {
          all.set(
            read.logits.subarray(row * stride, row * stride + vocabulary),
            (part.tokenStart + n) * vocabulary,
          );
        });
      }
    }
    return all;
  }

  destroy(): void {
    this.#readback.destroy();
    this.#release();
  }

  get #vocabulary(): number {
    return this.#model.config.vocabularySize;
  }

  /** Checks the batch, makes room for it, splits it. Parts without a scored token are left out. */
  async #prepare(batch: TokenBatch): Promise<{ compiled: Compiled; parts: MicroBatch[] }> {
    checkBatch(batch, this.#vocabulary, this.#model.contextLength);
    const compiled = await this.#compile({ tokens: batch.tokens.length, scored: batch.scored.length });
    const parts = splitBatch(batch, compiled.workspace.capacity);
    return { compiled, parts: parts.filter(({ scoredStart, scoredEnd }) => scoredEnd > scoredStart) };
  }

  /** The workspace grows in powers of two up to the limit. */
  async #compile(wanted: Capacity): Promise<Compiled> {
    const current = this.#compiled?.workspace.capacity ?? { tokens: 0, scored: 0 };
    const tokens = Math.max(current.tokens, Math.min(powerOfTwo(wanted.tokens), this.#limit.tokens));
    const scored = Math.max(current.scored, Math.min(powerOfTwo(wanted.scored), this.#limit.scored));
    const rounded = roundUp(scored, headRowsFor(this.#model, scored));
    if (this.#compiled && tokens === current.tokens && rounded === current.scored) return this.#compiled;
    this.#release();
    const model = this.#model;
    const workspace = await createWorkspace(model, { tokens, scored });
    const [forward, loss, backward, optimiser] = await Promise.all([
      Program.build(model.gpu, 'forward', forwardSteps(model, workspace)),
      Program.build(model.gpu, 'loss', lossSteps(workspace)),
      Program.build(model.gpu, 'backward', backwardSteps(model, workspace)),
      Program.build(model.gpu, 'optimiser', optimiserSteps(model, workspace)),
    ]);
    this.#compiled = { workspace, forward, loss, backward, optimiser };
    return this.#compiled;
  }

  #release(): void {
    if (!this.#compiled) return;
    const { workspace, forward, loss, backward, optimiser } = this.#compiled;
    for (const owned of [forward, loss, backward, optimiser, workspace]) owned.destroy();
    this.#compiled = null;
  }

  #clearGradients(): void {
    const { gpu, gradients } = this.#model;
    const encoder = gpu.device.createCommandEncoder({ label: 'clear gradients' });
    encoder.clearBuffer(gradients.buffer);
    gpu.device.queue.submit([encoder.finish()]);
  }

  /** Runs programs on one micro-batch and reads arrays of its scored tokens, and of its turns. */
  #submit<Scored extends string, Turns extends string = never>(
    programs: readonly Program<TrainSizes>[],
    sizes: TrainSizes,
    part: MicroBatch,
    scored: Readonly<Record<Scored, BufferView>>,
    turns: Readonly<Record<Turns, BufferView>> = {} as Record<Turns, BufferView>, // Turns is never without them
  ): Promise<Readonly<Record<Scored | Turns, Floats>>> {
    const { device } = this.#model.gpu;
    const encoder = device.createCommandEncoder({ label: 'micro-batch' });
    for (const program of programs) program.encode(encoder, sizes);
    const lengths = [
      ...Object.entries<BufferView>(scored).map(([name, view]) => [name, view, sizes.scored] as const),
      ...Object.entries<BufferView>(turns).map(
        ([name, view]) => [name, view, part.turnEnd - part.turnStart] as const,
      ),
    ];
    const ranges: ReadRanges = Object.fromEntries(
      lengths.map(([name, view, length]) => [name, f32(subview(view, 0, length))]),
    );
    const fetch = this.#readback.copy(encoder, ranges);
    device.queue.submit([encoder.finish()]);
    return fetch().then((arrays) => {
      const cut = lengths.map(([name, , length]) => [name, arrays[name].subarray(0, length)]);
      return Object.fromEntries(cut) as Record<Scored | Turns, Floats>; // every range above is f32
    });
  }

  async #step({ workspace, optimiser }: Compiled, config: OptimiserConfig): Promise<StepResult> {
    const { gpu, map } = this.#model;
    const encoder = gpu.device.createCommandEncoder({ label: 'optimiser step' });
    optimiser.encode(encoder, optimiserSizes(config, this.#steps + 1));
    const { squareSums, clipState } = workspace;
    const fetch = this.#readback.copy(encoder, { squareSums: f32(squareSums), clipState: f32(clipState) });
    gpu.device.queue.submit([encoder.finish()]);
    const read = await fetch();
    const result = stepResult(map, read.squareSums, read.clipState);
    if (!result.skipped) this.#steps++;
    return result;
  }
}

/** Puts the parts' arrays back into the order of the batch. */
function mergeParts<const Names extends readonly ScoredName[]>(
  length: number,
  parts: readonly MicroBatch[],
  results: readonly Pick<ScoredArrays, Names[number]>[],
  names: Names,
): Pick<ScoredArrays, Names[number]> {
  const merged = names.map((name: Names[number]) => {
    const whole = new Float32Array(length);
    parts.forEach((part, index) => whole.set(results[index][name], part.scoredStart));
    return [name, whole];
  });
  return Object.fromEntries(merged) as Pick<ScoredArrays, Names[number]>; // one entry per name
}
