import { BufferOwner, roundUp } from './buffers.ts';
import type { Gpu, DispatchObserver } from './device.ts';
import { InvalidDispatchError } from './errors.ts';
import { GRID_LIMIT, type ScalarType } from './kernel.ts';
import { compile, type CompiledKernel } from './pipelines.ts';
import {
  stepsOn,
  type CardStep,
  type ClearStep,
  type CopyStep,
  type DispatchStep,
  type Sizes,
  type Step,
} from './steps.ts';

const SLOT = 256; // bytes; WebGPU's default minUniformBufferOffsetAlignment

/** One of the kernels that a dispatch may run. */
interface Choice<S extends Sizes> {
  readonly step: DispatchStep<S>;
  readonly suits: CardStep<S>['suits'];
  readonly compiled: CompiledKernel;
}

interface RecordedDispatch<S extends Sizes> {
  readonly kind: 'dispatch';
  readonly choices: readonly Choice<S>[];
  chosen: Choice<S>; // for the sizes in force
  readonly fields: readonly (readonly [name: string, type: ScalarType])[]; // of the params, in their order
  readonly bindGroup: GPUBindGroup;
  readonly slot: number; // byte offset of its params in the arena
  readonly groups: Uint32Array; // [3] workgroups for the sizes in force
}

interface RecordedCopy<S extends Sizes> {
  readonly kind: 'copy';
  readonly step: CopyStep<S>;
  bytes: number;
}

type Recorded<S extends Sizes> = RecordedDispatch<S> | RecordedCopy<S> | ClearStep;

/**
 * A fixed list of dispatches, clears and copies: bound once, encoded many times without allocating.
 * All params live in one uniform buffer, rewritten only when the sizes change.
 */
export class Program<S extends Sizes = Sizes> {
  readonly label: string;
  readonly #gpu: Gpu;
  readonly #owner: BufferOwner;
  readonly #recorded: readonly Recorded<S>[];
  readonly #arena: GPUBuffer;
  readonly #staged: DataView<ArrayBuffer>;
  readonly #passLabel: GPUComputePassDescriptor;
  #sizes: S | null = null; // a copy of those in force
  #lastTarget: GPUCommandEncoder | GPUComputePassEncoder | null = null;

  private constructor(
    gpu: Gpu,
    label: string,
    owner: BufferOwner,
    arena: GPUBuffer,
    recorded: readonly Recorded<S>[],
  ) {
    this.#gpu = gpu;
    this.label = label;
    this.#owner = owner;
    this.#arena = arena;
    this.#recorded = recorded;
    this.#staged = new DataView(new ArrayBuffer(arena.size));
    this.#passLabel = { label };
  }

  /**
   * @param most sizes that no encoding exceeds: spares compiling card twins that none would run. Larger ones run too, on twins
   * made for smaller ones
   * @throws ShaderCompileError, InvalidDispatchError, OutOfMemoryError
   */
  static async build<S extends Sizes>(
    gpu: Gpu,
    label: string,
    written: readonly Step<S>[],
    most?: NoInfer<S>,
  ): Promise<Program<S>> {
    const choices = await Promise.all(
      written.map(async (step) => (step.kind === 'dispatch' ? compileChoices(gpu, step, most) : null)),
    );
    const owner = new BufferOwner(gpu, 'programs');
    const bytes = Math.max(1, choices.filter((entry) => entry !== null).length) * SLOT;
    const arena = owner.create(`${label} params`, bytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    await owner.ready();
    let slot = 0;
    const recorded = written.map((step, index): Recorded<S> => {
      if (step.kind === 'clear') return step;
      if (step.kind === 'copy') return { kind: 'copy', step, bytes: 0 };
      const entry = recordDispatch(gpu, choices[index]!, arena, slot); // compiled above for every dispatch
      slot += SLOT;
      return entry;
    });
    return new Program(gpu, label, owner, arena, recorded);
  }

  /**
   * Records the program. New sizes take effect on the queue at once, so whatever was encoded with the old ones
   * must have been submitted before.
   * @param target an encoder, or a compute pass when the program has no clears and copies
   * @throws InvalidDispatchError
   */
  encode(target: GPUCommandEncoder | GPUComputePassEncoder, sizes: S): void {
    if (!this.#sizes || changed(this.#sizes, sizes)) this.#resize(target, sizes);
    this.#lastTarget = target;
    if ('dispatchWorkgroups' in target) this.#encodeInPass(target);
    else this.#encodeOn(target);
  }

  /** Encodes and submits on its own. */
  run(sizes: S): void {
    const encoder = this.#gpu.device.createCommandEncoder(this.#passLabel);
    this.encode(encoder, sizes);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  destroy(): void {
    this.#owner.destroy();
  }

  #encodeInPass(pass: GPUComputePassEncoder): void {
    for (const entry of this.#recorded) {
      if (entry.kind !== 'dispatch') {
        throw new InvalidDispatchError(
          this.label,
          `a ${entry.kind} inside a compute pass`,
          'a command encoder as target',
        );
      }
      encodeDispatch(pass, entry);
    }
  }

  #encodeOn(encoder: GPUCommandEncoder): void {
    let pass: GPUComputePassEncoder | null = null;
    const { observer } = this.#gpu.profiling;
    for (const entry of this.#recorded) {
      if (entry.kind === 'dispatch') {
        if (observer && !isEmpty(entry)) pass = this.#observe(encoder, pass, entry, observer);
        pass ??= encoder.beginComputePass(this.#passLabel);
        encodeDispatch(pass, entry);
        continue;
      }
      pass?.end();
      pass = null;
      if (entry.kind === 'clear') encoder.clearBuffer(entry.view.buffer, entry.view.offset, entry.view.size);
      else encodeCopy(encoder, entry);
    }
    pass?.end();
  }

  /** Tells the profiler of a dispatch, and gives the dispatch a pass of its own where that is what it times. */
  #observe(
    encoder: GPUCommandEncoder,
    pass: GPUComputePassEncoder | null,
    { chosen: { step, compiled }, groups: [x, y, z] }: RecordedDispatch<S>,
    observer: DispatchObserver,
  ): GPUComputePassEncoder | null {
    const sizes = this.#sizes!; // encode() set them
    const params = step.params(sizes);
    const { shaping } = compiled;
    const { name: kernel } = step.kernel;
    const seen = {
      program: this.label,
      kernel,
      label: step.label,
      params,
      shaping,
      sizes,
      groups: x * y * z,
    };
    const timestampWrites = observer.see(seen);
    if (!observer.separatePasses) return pass;
    pass?.end();
    return encoder.beginComputePass(
      timestampWrites ? { ...this.#passLabel, timestampWrites } : this.#passLabel,
    );
  }

  #resize(target: GPUCommandEncoder | GPUComputePassEncoder, sizes: S): void {
    if (target === this.#lastTarget) {
      throw new InvalidDispatchError(
        this.label,
        'two sizes in one command encoder',
        'one set of sizes per submission, since they share one params buffer',
        'Submit before encoding with other sizes, or build a second program.',
      );
    }
    for (const entry of this.#recorded) {
      if (entry.kind === 'dispatch') resizeDispatch(entry, sizes, this.#staged);
      else if (entry.kind === 'copy') entry.bytes = entry.step.elements(sizes) * 4;
    }
    this.#gpu.device.queue.writeBuffer(this.#arena, 0, this.#staged.buffer);
    this.#sizes = { ...sizes };
  }
}

function changed(before: Sizes, now: Sizes): boolean {
  for (const name in now) if (before[name] !== now[name]) return true;
  return false;
}

const compileChoices = <S extends Sizes>(
  gpu: Gpu,
  written: DispatchStep<S>,
  most: S | undefined,
): Promise<Choice<S>[]> =>
  Promise.all(
    stepsOn(gpu, written, most).map(async ({ step, suits }) => ({
      step,
      suits,
      compiled: await compile(gpu, step.kernel, step.shaping),
    })),
  );

/** One bind group serves all choices: their bindings are the same. */
function recordDispatch<S extends Sizes>(
  gpu: Gpu,
  choices: readonly Choice<S>[],
  arena: GPUBuffer,
  slot: number,
): RecordedDispatch<S> {
  const chosen = choices[0];
  const { step, compiled } = chosen;
  const fields = Object.entries(step.kernel.params);
  const size = Math.max(16, roundUp(fields.length * 4, 16));
  const storage = step.kernel.bindings.map(({ name }, index) => ({
    binding: index + 1,
    resource: step.buffers[name],
  }));
  const bindGroup = gpu.device.createBindGroup({
    label: step.label,
    layout: compiled.layout,
    entries: [{ binding: 0, resource: { buffer: arena, offset: slot, size } }, ...storage],
  });
  return { kind: 'dispatch', choices, chosen, fields, bindGroup, slot, groups: new Uint32Array(3) };
}

function resizeDispatch<S extends Sizes>(entry: RecordedDispatch<S>, sizes: S, staged: DataView): void {
  const { choices, fields, slot, groups } = entry;
  const values = choices[0].step.params(sizes); // all choices have the same
  entry.chosen = choices.find(({ suits }) => !suits || suits(values))!; // the last suits all
  const { step, compiled } = entry.chosen;
  let at = slot;
  for (const [name, type] of fields) {
    const value = values[name];
    const whole = Number.isInteger(value) && (type === 'i32' || value >= 0);
    if (!Number.isFinite(value) || (type !== 'f32' && !whole)) {
      throw new InvalidDispatchError(step.label, `${name} = ${value}`, `a value of type ${type}`);
    }
    if (type === 'f32') staged.setFloat32(at, value, true);
    else staged.setUint32(at, value, true);
    at += 4;
  }
  const grid = step.grid(sizes, compiled.shaping);
  if (grid.some((count) => !Number.isInteger(count) || count < 0 || count > GRID_LIMIT)) {
    const wanted = `whole numbers up to ${GRID_LIMIT} in each dimension`;
    throw new InvalidDispatchError(
      step.label,
      `a grid of ${grid.join(' × ')} workgroups`,
      wanted,
      'Fold the grid with gpu/kernel.ts.',
    );
  }
  groups.set(grid);
}

const isEmpty = ({ groups }: { readonly groups: Uint32Array }): boolean =>
  groups.some((count) => count === 0);

function encodeDispatch<S extends Sizes>(pass: GPUComputePassEncoder, entry: RecordedDispatch<S>): void {
  if (isEmpty(entry)) return;
  const [x, y, z] = entry.groups;
  pass.setPipeline(entry.chosen.compiled.pipeline);
  pass.setBindGroup(0, entry.bindGroup);
  pass.dispatchWorkgroups(x, y, z);
}

function encodeCopy<S extends Sizes>(encoder: GPUCommandEncoder, { step, bytes }: RecordedCopy<S>): void {
  if (bytes === 0) return;
  encoder.copyBufferToBuffer(step.from.buffer, step.from.offset, step.to.buffer, step.to.offset, bytes);
}
