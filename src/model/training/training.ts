import { subview, upload, type BufferView } from '../../gpu/buffers.ts';
import { Program } from '../../gpu/program.ts';
import { f32, Readback, type ReadRanges } from '../../gpu/readback.ts';
import type {
  GradientComparison,
  GradientSource,
  LossInputs,
  LossResult,
  OptimiserConfig,
  PolicyState,
  StepResult,
  TokenBatch,
  TokenScores,
} from '../../units.ts';
import { backwardSteps } from './backward.ts';
import { batchInputs, checkBatch, uploadInputs, visiblePairs, type BatchInputs } from './batch_inputs.ts';
import { widthsOf, type DeviceModel } from '../device_model.ts';
import { FrozenModelError, NoGradientError } from '../errors.ts';
import { forwardSteps, mostSizes, type TrainSizes } from './forward.ts';
import { GradientShelf } from './gradients.ts';
import { IN_FLIGHT, inRows, lossResult, submitInTurn, type Wanted } from './part_arrays.ts';
import { splitBatch, wholeBatch, type Capacity, type MicroBatch } from '../microbatches.ts';
import { optimiserSizes, optimiserSteps, stepResult, type OptimiserSizes } from './optimise.ts';
import {
  checkLossInputs,
  joinsRows,
  lossKernel,
  lossParams,
  type LossKernel,
  type LossParams,
  lossSteps,
  NO_LOSS,
  readsStatistics,
  statisticsSteps,
  uploadBatchInputs,
  uploadLossInputs,
} from '../policy_loss.ts';
import { clearMoments, copyState, writeState } from './state.ts';
import { createWorkspace, largestRead, type Workspace } from './workspace.ts';

/** Weighted cross-entropy of one supervised step, and the optimiser step taken. */
export interface SupervisedResult {
  readonly loss: number; // Σ weight · −logProb, nats
  readonly logProb: Float32Array<ArrayBuffer>; // [S] nats, before the step
  readonly step: StepResult;
}

interface Compiled {
  readonly workspace: Workspace;
  readonly forward: Program<TrainSizes>;
  readonly statistics: Program<TrainSizes>;
  readonly loss: Program<TrainSizes>;
  readonly backward: Program<TrainSizes>;
  readonly optimiser: Program<OptimiserSizes>;
}

type Floats = Float32Array<ArrayBuffer>;

/** A batch split, and the programs that have room for its parts. */
interface Prepared {
  readonly compiled: Compiled;
  readonly parts: readonly MicroBatch[];
}

/**
 * What runs on every part of a mini-batch, and before that, where a loss joins rows that may lie in different parts
 * (AEPO's entropy statistics, DPO's pairs), a forward pass over all parts that gathers the statistics.
 */
function passes(
  { forward, statistics, loss, backward }: Compiled,
  partCount: number,
  params: LossParams,
): Record<'before' | 'programs', readonly Program<TrainSizes>[]> {
  if (!readsStatistics(params)) return { before: [], programs: [forward, loss, backward] };
  if (partCount === 1 || !joinsRows(params))
    return { before: [], programs: [forward, statistics, loss, backward] };
  return { before: [forward, statistics], programs: [forward, loss, backward] };
}

const sizesOf = (part: MicroBatch, inputs: BatchInputs, temperature: number): TrainSizes => ({
  ...NO_LOSS,
  tokens: part.tokens.length,
  predicted: part.predicted.length,
  visiblePairs: visiblePairs(inputs),
  scored: part.scored.length,
  turns: part.turnEnd - part.turnStart,
  segments: 0,
  rows: 0,
  firstRow: 0,
  inverseTemperature: 1 / temperature,
});

/** Scoring and training of packed batches. Calls must not overlap. */
export class Training {
  readonly #model: DeviceModel;
  readonly #limit: Capacity;
  readonly #readback: Readback;
  readonly #lossKernel: LossKernel;
  #compiled: Compiled | null = null;
  #steps = 0; // AdamW steps taken
  #gradientKept = false; // of a backward pass that no step has gone along yet

  /**
   * @param limit most tokens, predicted and scored tokens of one micro-batch
   * @param lossSource WGSL in place of policy_loss's own
   */
  constructor(model: DeviceModel, limit: Capacity, lossSource: string | null = null) {
    this.#model = model;
    this.#limit = limit;
    this.#lossKernel = lossKernel(lossSource);
    this.#readback = new Readback(model.gpu, 'training readback');
  }

  /** Forgets the optimiser's steps and moments, and a gradient that it has not gone along. */
  resetOptimiser(): void {
    clearMoments(this.#model);
    this.#steps = 0;
    this.#gradientKept = false;
  }

  /** @returns what reads the copy of the state that the device makes now */
  copyState(readback: Readback): () => Promise<PolicyState> {
    return copyState(this.#model, readback, this.#steps);
  }

  /** @throws PolicyStateError where the state is of another model; nothing is then changed */
  writeState(state: PolicyState): void {
    writeState(this.#model, state);
    this.#steps = state.optimiser?.steps ?? 0;
    this.#gradientKept = false;
  }

  /** @throws BatchError, DeviceLostError, OutOfMemoryError */
  async score(batch: TokenBatch, temperature: number): Promise<TokenScores> {
    const { compiled, parts } = await this.#prepare(batch);
    const results = await submitInTurn(parts, (part) => {
      const inputs = batchInputs(batch, part);
      uploadInputs(this.#model.gpu, compiled.workspace, inputs, this.#vocabulary);
      const { logProb, entropy } = compiled.workspace;
      return this.#submit([compiled.forward], sizesOf(part, inputs, temperature), {
        predicted: { logProb, entropy },
      });
    });
    return inRows(batch, parts, await results(), ['logProb', 'entropy']);
  }

  /**
   * Loss → gradients, kept for `step`. A batch above the capacity is split between rows; since weights are those of
   * the whole batch, the summed gradient is the same.
   * @throws BatchError, DeviceLostError, OutOfMemoryError
   */
  async backward(batch: TokenBatch, inputs: LossInputs): Promise<LossResult> {
    checkLossInputs(batch, inputs);
    const prepared = await this.#prepare(batch);
    this.#gradientKept = false;
    const loss = await (await this.#backpropagate(prepared, batch, inputs))();
    this.#gradientKept = true;
    return loss;
  }

  /**
   * Clip → AdamW along the kept gradient.
   * @throws NoGradientError, DeviceLostError
   */
  async step(optimiser: OptimiserConfig): Promise<StepResult> {
    if (!this.#gradientKept) throw new NoGradientError();
    this.#gradientKept = false;
    return this.#step(await this.#compile(), optimiser);
  }

  /**
   * Angles between the gradients of several losses, before clipping. Parameters, moments and the gradients of the
   * last backward pass stay.
   * @throws BatchError, DeviceLostError, OutOfMemoryError
   */
  gradientCosines(losses: readonly GradientSource[]): Promise<GradientComparison> {
    return this.#onShelf(losses, (shelf) => shelf.compare());
  }

  /** One gradient, read back. The same promises as gradientCosines. */
  gradientOf(loss: GradientSource): Promise<Floats> {
    return this.#onShelf([loss], (shelf) => shelf.read(0));
  }

  /** The loss of a mini-batch at the present parameters. The same promises as gradientCosines. */
  async lossOf(batch: TokenBatch, inputs: LossInputs): Promise<LossResult> {
    checkLossInputs(batch, inputs);
    const shelf = await GradientShelf.create(this.#model, 0); // the backward pass writes where the last gradient is
    try {
      return await (
        await this.#backpropagate(await this.#prepare(batch), batch, inputs)
      )();
    } finally {
      shelf.destroy();
    }
  }

  async #onShelf<T>(
    losses: readonly GradientSource[],
    read: (shelf: GradientShelf) => Promise<T>,
  ): Promise<T> {
    for (const { batch, inputs } of losses) checkLossInputs(batch, inputs);
    const shelf = await GradientShelf.create(this.#model, losses.length);
    try {
      for (const [index, { batch, inputs }] of losses.entries()) {
        await (
          await this.#backpropagate(await this.#prepare(batch), batch, inputs)
        )();
        shelf.keep(index);
      }
      return await read(shelf);
    } finally {
      shelf.destroy();
    }
  }

  /**
   * Leaves the gradient of the loss in the flat buffer; no step.
   * @returns when all of its work is submitted, what waits for the loss
   */
  async #backpropagate(
    { compiled, parts }: Prepared,
    batch: TokenBatch,
    inputs: LossInputs,
  ): Promise<() => Promise<LossResult>> {
    const { gpu } = this.#model;
    const { workspace } = compiled;
    const upload = (part: MicroBatch): TrainSizes => {
      const tokens = batchInputs(batch, part);
      uploadInputs(gpu, workspace, tokens, this.#vocabulary);
      return {
        ...sizesOf(part, tokens, inputs.temperature),
        ...uploadLossInputs(gpu, workspace, batch, inputs, part),
      };
    };
    this.#clearGradients();
    uploadBatchInputs(gpu, workspace, batch, inputs);
    const { before, programs } = passes(compiled, parts.length, lossParams(inputs.loss, batch.scored.length));
    for (const part of before.length > 0 ? parts : []) {
      this.#run(before, upload(part));
    }
    const { logProb, entropy } = workspace;
    const { tokenLoss, dlogProb, turnLogRatio } = workspace.loss;
    const results = await submitInTurn(parts, (part) =>
      this.#submit(programs, upload(part), {
        predicted: { logProb, entropy },
        scored: { tokenLoss, dlogProb },
        turns: { turnLogRatio },
      }),
    );
    return async () => lossResult(batch, parts, await results());
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
    this.#gradientKept = false;
    this.#clearGradients();
    const results = await submitInTurn(parts, (part) => {
      const inputs = batchInputs(batch, part);
      uploadInputs(gpu, workspace, inputs, this.#vocabulary);
      const dlogProb = new Float32Array(part.predicted.length);
      part.scored.forEach((u, s) => (dlogProb[u] -= weights[part.scoredStart + s]));
      upload(gpu, workspace.dlogProb, dlogProb);
      upload(gpu, workspace.dentropy, new Float32Array(dlogProb.length));
      return this.#submit([forward, backward], sizesOf(part, inputs, 1), {
        predicted: { logProb: workspace.logProb },
      });
    });
    const [step, read] = await Promise.all([this.#step(compiled, optimiser), results()]);
    const { logProb } = inRows(batch, parts, read, ['logProb']);
    return { loss: logProb.reduce((sum, value, s) => sum - weights[s] * value, 0), logProb, step };
  }

  /**
   * Logits after some tokens, before temperature, [after.length, V]; they are read back.
   * @param after ascending indices into the batch's tokens; all of them if absent
   * @throws BatchError when the batch is above the capacity
   */
  async logits(batch: TokenBatch, after = Uint32Array.from(batch.tokens.keys())): Promise<Floats> {
    checkBatch(batch, this.#vocabulary, this.#model.contextLength);
    const part = wholeBatch(batch, this.#limit);
    const { workspace, forward } = await this.#compile();
    const { vocabulary, logits: stride } = widthsOf(this.#model.config);
    const all = new Float32Array(after.length * vocabulary);
    const inputs = batchInputs(batch, part);
    for (let first = 0; first < after.length; first += workspace.headRows) {
      const predecessors = after.slice(first, first + workspace.headRows);
      const every: BatchInputs = { ...inputs, predecessors, chosen: new Uint32Array(predecessors.length) };
      uploadInputs(this.#model.gpu, workspace, every, vocabulary);
      forward.run({ ...sizesOf(part, inputs, 1), predicted: predecessors.length });
      const read = await this.#readback.read({
        logits: f32(subview(workspace.logits, 0, predecessors.length * stride)),
      });
      predecessors.forEach((_, row) => {
        all.set(read.logits.subarray(row * stride, row * stride + vocabulary), (first + row) * vocabulary);
      });
    }
    return all;
  }

  destroy(): void {
    this.#readback.destroy();
    for (const owned of Object.values({ ...this.#compiled })) owned.destroy();
    this.#compiled = null;
  }

  get #vocabulary(): number {
    return this.#model.config.vocabularySize;
  }

  /** Checks the batch, splits it, makes room for its parts. */
  async #prepare(batch: TokenBatch): Promise<Prepared> {
    checkBatch(batch, this.#vocabulary, this.#model.contextLength);
    const parts = splitBatch(batch, this.#limit);
    return { compiled: await this.#compile(), parts };
  }

  /** With the first batch, and whole: later ones, however large, allocate nothing. */
  async #compile(): Promise<Compiled> {
    if (this.#compiled) return this.#compiled;
    const model = this.#model;
    const workspace = await createWorkspace(model, this.#limit);
    await this.#readback.reserve(IN_FLIGHT + 1, largestRead(workspace)); // and the step's
    const [forward, statistics, loss, backward, optimiser] = await Promise.all([
      Program.build(model.gpu, 'forward', forwardSteps(model, workspace), mostSizes(workspace)),
      Program.build(model.gpu, 'loss statistics', statisticsSteps<TrainSizes>(workspace)),
      Program.build(model.gpu, 'loss', lossSteps<TrainSizes>(workspace, this.#lossKernel)),
      Program.build(model.gpu, 'backward', backwardSteps(model, workspace), mostSizes(workspace)),
      Program.build(model.gpu, 'optimiser', optimiserSteps(model, workspace)),
    ]);
    this.#compiled = { workspace, forward, statistics, loss, backward, optimiser };
    return this.#compiled;
  }

  /** @throws FrozenModelError where nothing is trained */
  #clearGradients(): void {
    const { gpu, gradients, map } = this.#model;
    if (map.length === 0) throw new FrozenModelError('training', map.stored.length, map.stored.length);
    const encoder = gpu.device.createCommandEncoder({ label: 'clear gradients' });
    encoder.clearBuffer(gradients.buffer);
    gpu.device.queue.submit([encoder.finish()]);
  }

  /** Each program is submitted as soon as it is encoded: the device computes while the host encodes the next. */
  #run(programs: readonly Program<TrainSizes>[], sizes: TrainSizes): void {
    for (const program of programs) program.run(sizes);
  }

  /** Runs programs on one micro-batch and reads arrays back, each as long as the micro-batch has of its kind. */
  #submit<Predicted extends string, Scored extends string = never, Turns extends string = never>(
    programs: readonly Program<TrainSizes>[],
    sizes: TrainSizes,
    wanted: Wanted<Predicted, Scored, Turns>,
  ): Promise<Readonly<Record<Predicted | Scored | Turns, Floats>>> {
    this.#run(programs.slice(0, -1), sizes);
    const encoder = this.#model.gpu.device.createCommandEncoder({ label: 'micro-batch' });
    programs.at(-1)?.encode(encoder, sizes);
    const lengths = (['predicted', 'scored', 'turns'] as const).flatMap((kind) =>
      Object.entries<BufferView>(wanted[kind] ?? {}).map(
        ([name, view]) => [name, view, sizes[kind]] as const,
      ),
    );
    const ranges: ReadRanges = Object.fromEntries(
      lengths.map(([name, view, length]) => [name, f32(subview(view, 0, length))]),
    );
    const fetch = this.#readback.copy(encoder, ranges);
    this.#model.gpu.device.queue.submit([encoder.finish()]);
    return fetch().then((arrays) => {
      const cut = lengths.map(([name, , length]) => [name, arrays[name].subarray(0, length)]);
      return Object.fromEntries(cut) as Record<Predicted | Scored | Turns, Floats>; // every range above is f32
    });
  }

  async #step({ workspace, optimiser }: Compiled, config: OptimiserConfig): Promise<StepResult> {
    const { gpu } = this.#model;
    const encoder = gpu.device.createCommandEncoder({ label: 'optimiser step' });
    optimiser.encode(encoder, optimiserSizes(config, this.#steps + 1));
    const { squareSums, headSquares, clipFactors } = workspace;
    const fetch = this.#readback.copy(encoder, {
      squareSums: f32(squareSums),
      headSquares: f32(headSquares),
      clipFactors: f32(clipFactors),
    });
    gpu.device.queue.submit([encoder.finish()]);
    const result = stepResult(this.#model, await fetch());
    if (!result.skipped) this.#steps++;
    return result;
  }
}
