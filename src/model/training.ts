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
import { batchInputs, checkBatch, uploadInputs, type BatchInputs } from './batch_inputs.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import { forwardSteps, type TrainSizes } from './forward.ts';
import { splitBatch, wholeBatch, type Capacity, type MicroBatch } from './microbatches.ts';
import { optimiserSizes, optimiserSteps, stepResult, type OptimiserSizes } from './optimise.ts';
import { checkUpdateInputs, lossSteps, lossTerms, NO_LOSS, uploadLossInputs } from './policy_loss.ts';
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

/** Views to read back by what they are indexed by. */
interface Wanted<Predicted extends string, Scored extends string, Turns extends string> {
  readonly predicted: Readonly<Record<Predicted, BufferView>>;
  readonly scored?: Readonly<Record<Scored, BufferView>>;
  readonly turns?: Readonly<Record<Turns, BufferView>>;
}

const powerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(Math.max(VIEW_ALIGNMENT, value)));

const sizesOf = (part: MicroBatch, temperature: number): TrainSizes => ({
  ...NO_LOSS,
  tokens: part.tokens.length,
  predicted: part.predicted.length,
  scored: part.scored.length,
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

  /** @param limit most tokens, predicted and scored tokens of one micro-batch */
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
      return this.#submit([compiled.forward], sizesOf(part, temperature), {
        predicted: { logProb, entropy },
      });
    });
    return inRows(batch, parts, await Promise.all(pending), ['logProb', 'entropy']);
  }

  /**
   * Loss → gradients → clip → AdamW. A batch above the capacity is split between rows; since weights are those of
   * the whole batch, the summed gradient is the same.
   * @throws BatchError, DeviceLostError, OutOfMemoryError
   */
  async update(batch: TokenBatch, inputs: UpdateInputs): Promise<UpdateResult> {
    checkUpdateInputs(batch, inputs);
    const { compiled, parts } = await this.#prepare(batch);
    const { gpu } = this.#model;
    const { workspace, forward, loss, backward } = compiled;
    const terms = lossTerms(inputs.loss, batch.scored.length);
    this.#clearGradients();
    const pending = parts.map((part) => {
      uploadInputs(gpu, workspace, batchInputs(batch, part), this.#vocabulary);
      uploadLossInputs(gpu, workspace, batch, inputs, part);
      const sizes = { ...sizesOf(part, inputs.temperature), ...terms };
      const { logProb, entropy } = workspace;
      const { tokenLoss, dlogProb, turnLogRatio } = workspace.loss;
      return this.#submit([forward, loss, backward], sizes, {
        predicted: { logProb, entropy },
        scored: { tokenLoss, dlogProb },
        turns: { turnLogRatio },
      });
    });
    const [step, results] = await Promise.all([this.#step(compiled, inputs.optimiser), Promise.all(pending)]);
    const { scored, turnRow, weight } = batch;
    const arrays = {
      ...inRows(batch, parts, results, ['logProb', 'entropy']),
      ...join(scored.length, parts, 'scoredStart', results, ['tokenLoss', 'dlogProb']),
      ...join(turnRow.length, parts, 'turnStart', results, ['turnLogRatio']),
    };
    const total = arrays.tokenLoss.reduce((sum, value, s) => sum + weight[s] * value, 0);
    return { loss: { ...arrays, loss: total }, step };
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
    this.#clearGradients();
    const pending = parts.map((part) => {
      uploadInputs(gpu, workspace, batchInputs(batch, part), this.#vocabulary);
      const dlogProb = new Float32Array(part.predicted.length);
      part.scored.forEach((u, s) => (dlogProb[u] -= weights[part.scoredStart + s]));
      upload(gpu, workspace.dlogProb, dlogProb);
      upload(gpu, workspace.dentropy, new Float32Array(dlogProb.length));
      return this.#submit([forward, backward], sizesOf(part, 1), {
        predicted: { logProb: workspace.logProb },
      });
    });
    const [step, results] = await Promise.all([this.#step(compiled, optimiser), Promise.all(pending)]);
    const { logProb } = inRows(batch, parts, results, ['logProb']);
    return { loss: logProb.reduce((sum, value, s) => sum - weights[s] * value, 0), logProb, step };
  }

  /**
   * Logits after every token, before temperature, [N, V]. For tests: reads all of them back.
   * @throws BatchError when the batch is above the capacity
   */
  async logits(batch: TokenBatch): Promise<Floats> {
    checkBatch(batch, this.#vocabulary, this.#model.contextLength);
    const part = wholeBatch(batch, this.#limit);
    const { workspace, forward } = await this.#compile([part]);
    const { vocabulary, logits: stride } = widthsOf(this.#model.config);
    const all = new Float32Array(batch.tokens.length * vocabulary);
    const inputs = batchInputs(batch, part);
    for (let first = 0; first < part.tokens.length; first += workspace.headRows) {
      const predecessors = part.tokens.slice(first, first + workspace.headRows);
      const every: BatchInputs = { ...inputs, predecessors, chosen: new Uint32Array(predecessors.length) };
      uploadInputs(this.#model.gpu, workspace, every, vocabulary);
      forward.run({ ...sizesOf(part, 1), predicted: predecessors.length });
      const read = await this.#readback.read({
        logits: f32(subview(workspace.logits, 0, predecessors.length * stride)),
      });
      predecessors.forEach((n, row) => {
        all.set(read.logits.subarray(row * stride, row * stride + vocabulary), n * vocabulary);
      });
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

  /** Checks the batch, splits it, makes room for its parts. */
  async #prepare(batch: TokenBatch): Promise<{ compiled: Compiled; parts: MicroBatch[] }> {
    checkBatch(batch, this.#vocabulary, this.#model.contextLength);
    const parts = splitBatch(batch, this.#limit);
    return { compiled: await this.#compile(parts), parts };
  }

  /** The workspace grows in powers of two up to the limit. */
  async #compile(parts: readonly MicroBatch[]): Promise<Compiled> {
    const model = this.#model;
    const current = this.#compiled?.workspace.capacity ?? { tokens: 0, predicted: 0, scored: 0 };
    const room = (name: keyof Capacity): number =>
      Math.max(
        current[name],
        VIEW_ALIGNMENT,
        ...parts.map((part) => Math.min(powerOfTwo(part[name].length), this.#limit[name])),
      );
    const predicted = roundUp(room('predicted'), headRowsFor(model, room('predicted')));
    const capacity = { tokens: room('tokens'), predicted, scored: room('scored') };
    const grown = (['tokens', 'predicted', 'scored'] as const).some((name) => capacity[name] > current[name]);
    if (this.#compiled && !grown) return this.#compiled;
    this.#release();
    const workspace = await createWorkspace(model, capacity);
    const [forward, loss, backward, optimiser] = await Promise.all([
      Program.build(model.gpu, 'forward', forwardSteps(model, workspace)),
      Program.build(model.gpu, 'loss', lossSteps<TrainSizes>(workspace)),
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

  /** Runs programs on one micro-batch and reads arrays back, each as long as the micro-batch has of its kind. */
  #submit<Predicted extends string, Scored extends string = never, Turns extends string = never>(
    programs: readonly Program<TrainSizes>[],
    sizes: TrainSizes,
    wanted: Wanted<Predicted, Scored, Turns>,
  ): Promise<Readonly<Record<Predicted | Scored | Turns, Floats>>> {
    const { device } = this.#model.gpu;
    const encoder = device.createCommandEncoder({ label: 'micro-batch' });
    for (const program of programs) program.encode(encoder, sizes);
    const lengths = (['predicted', 'scored', 'turns'] as const).flatMap((kind) =>
      Object.entries<BufferView>(wanted[kind] ?? {}).map(
        ([name, view]) => [name, view, sizes[kind]] as const,
      ),
    );
    const ranges: ReadRanges = Object.fromEntries(
      lengths.map(([name, view, length]) => [name, f32(subview(view, 0, length))]),
    );
    const fetch = this.#readback.copy(encoder, ranges);
    device.queue.submit([encoder.finish()]);
    return fetch().then((arrays) => {
      const cut = lengths.map(([name, , length]) => [name, arrays[name].subarray(0, length)]);
      return Object.fromEntries(cut) as Record<Predicted | Scored | Turns, Floats>; // every range above is f32
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

/** Puts arrays of scored tokens, or of turns, back into the order of the batch. */
function join<const Names extends readonly string[]>(
  length: number,
  parts: readonly MicroBatch[],
  start: 'scoredStart' | 'turnStart',
  results: readonly Readonly<Record<Names[number], Floats>>[],
  names: Names,
): Record<Names[number], Floats> {
  const joined = names.map((name: Names[number]) => {
    const whole = new Float32Array(length);
    parts.forEach((part, index) => whole.set(results[index][name], part[start]));
    return [name, whole];
  });
  return Object.fromEntries(joined) as Record<Names[number], Floats>; // one entry per name
}

/** Arrays of the parts' predicted tokens as arrays [S] of the batch's scored tokens. */
function inRows<const Names extends readonly string[]>(
  batch: TokenBatch,
  parts: readonly MicroBatch[],
  results: readonly Readonly<Record<Names[number], Floats>>[],
  names: Names,
): Record<Names[number], Floats> {
  const spread = results.map((result, index) => {
    const { scored } = parts[index];
    const arrays = names.map((name: Names[number]) => [
      name,
      Float32Array.from(scored, (u) => result[name][u]),
    ]);
    return Object.fromEntries(arrays) as Record<Names[number], Floats>; // one entry per name
  });
  return join(batch.scored.length, parts, 'scoredStart', spread, names);
}
