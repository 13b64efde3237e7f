import type { BufferView } from './buffers.ts';
import { InvalidDispatchError } from './errors.ts';
import type { Kernel, KernelFeature, ParamFields, ParamValues, Shaping } from './kernel.ts';
import type { KernelShaping, KernelText } from './pipelines.ts';

/** Whatever changes between two encodings of a program: row counts, learning rate, seed… */
export type Sizes = Readonly<Record<string, number>>;

export interface DispatchStep<S extends Sizes> {
  readonly kind: 'dispatch';
  readonly label: string;
  readonly kernel: KernelText & Pick<Kernel, 'onCpu'>;
  readonly buffers: Readonly<Record<string, BufferView>>;
  readonly shaping: KernelShaping;
  readonly params: (sizes: S) => Readonly<Record<string, number>>;
  readonly grid: (sizes: S, shaping: Shaping) => readonly [number, number, number];
  readonly feature: KernelFeature | null; // what the device must have
  readonly faster: DispatchStep<S> | null; // what runs instead where the device has its feature
  readonly onCards: readonly CardStep<S>[]; // what runs instead on graphics cards: the first that suits the params
}

export interface CardStep<S extends Sizes> {
  readonly step: DispatchStep<S>;
  readonly suits: ((params: Readonly<Record<string, number>>) => boolean) | null; // null: always
}

export interface ClearStep {
  readonly kind: 'clear';
  readonly view: BufferView;
}

export interface CopyStep<S extends Sizes> {
  readonly kind: 'copy';
  readonly from: BufferView;
  readonly to: BufferView;
  readonly elements: (sizes: S) => number;
}

/** One thing a program does. Clears and copies need an encoder, not a pass. */
export type Step<S extends Sizes> = DispatchStep<S> | ClearStep | CopyStep<S>;

export interface DispatchOptions extends KernelShaping {
  readonly label?: string; // e.g. 'layer 0: down projection'; the kernel's name by default
  /** false leaves out the kernel's faster twin, e.g. to test the kernel itself. */
  readonly faster?: boolean;
}

/**
 * A dispatch of `kernel` on these buffers, by binding name. Params and grid follow the sizes of each encoding.
 * @throws InvalidDispatchError when a buffer is missing, unknown, or both read and written
 */
export function dispatch<S extends Sizes, P extends ParamFields>(
  kernel: Kernel<P>,
  buffers: Readonly<Record<string, BufferView>>,
  params: (sizes: S) => NoInfer<ParamValues<P>>,
  options: DispatchOptions = {},
): DispatchStep<S> {
  const label = options.label ?? kernel.name;
  checkBuffers(kernel, buffers, label);
  return {
    kind: 'dispatch',
    label,
    kernel,
    buffers,
    shaping: options,
    params,
    grid: (sizes, shaping) => kernel.grid(params(sizes), shaping),
    feature: kernel.feature ?? null,
    faster: fasterStep(kernel, buffers, params, options, label),
    onCards: cardSteps(kernel, buffers, params, options, label),
  };
}

/** Overrides belong to one kernel's text, so whoever sets them means that kernel. */
function fasterStep<S extends Sizes, P extends ParamFields>(
  { faster }: Kernel<P>,
  buffers: Readonly<Record<string, BufferView>>,
  params: (sizes: S) => NoInfer<ParamValues<P>>,
  options: DispatchOptions,
  label: string,
): DispatchStep<S> | null {
  if (!faster || options.overrides || options.faster === false) return null;
  return dispatch(faster, buffers, params, { constants: options.constants, label });
}

function cardSteps<S extends Sizes, P extends ParamFields>(
  kernel: Kernel<P>,
  buffers: Readonly<Record<string, BufferView>>,
  params: (sizes: S) => NoInfer<ParamValues<P>>,
  options: DispatchOptions,
  label: string,
): CardStep<S>[] {
  if (!kernel.onCards || options.overrides || options.faster === false) return [];
  return kernel.onCards.map((twin) => {
    const constants = { ...options.constants, ...twin.constants };
    const shaping = { constants, overrides: twin.overrides ?? {}, label, faster: false };
    return {
      step: dispatch(twin.kernel ?? kernel, buffers, params, shaping),
      suits: twin.suits ? (values) => twin.suits!(values as ParamValues<P>) : null, // values as `params` gave them
    };
  });
}

/**
 * The steps that a device may run in the place of one, and no others: an encoding runs the first that suits its params. The
 * last suits all.
 * @param most sizes that no encoding exceeds; any are expected where it is absent
 */
export function stepsOn<S extends Sizes>(
  device: StepDevice,
  step: DispatchStep<S>,
  most?: S,
): readonly CardStep<S>[] {
  const usual: CardStep<S> = { step: stepOn(device, step), suits: null };
  if (device.adapter.software || device.declined.has(step.kernel.name)) return [usual];
  const runs = ({ step: { feature } }: CardStep<S>): boolean => !feature || device.features.has(feature);
  return reached([...step.onCards.filter(runs), usual], step, most);
}

/** What suits grows with its params (`CardTwin`): so the largest and the least sizes say what is never the first that suits. */
function reached<S extends Sizes>(
  choices: readonly CardStep<S>[],
  { params }: DispatchStep<S>,
  most: S | undefined,
): readonly CardStep<S>[] {
  const suitsAt = ({ suits }: CardStep<S>, sizes: S): boolean => suits === null || suits(params(sizes));
  const least = most && (Object.fromEntries(Object.keys(most).map((name) => [name, 0])) as S); // the same names
  const sometimes = choices.filter((choice) => !most || suitsAt(choice, most));
  const always = sometimes.findIndex((choice) => choice.suits === null || (least && suitsAt(choice, least)));
  return sometimes.slice(0, always + 1);
}

/** What of a device decides which step it runs. */
export interface StepDevice {
  readonly features: ReadonlySet<string>;
  readonly tuning: ReadonlyMap<string, Shaping>;
  readonly declined: ReadonlySet<string>;
  readonly adapter: { readonly software: boolean };
}

/** The step that a device runs: the fastest twin that it has the feature for, in groups of the shape chosen for it. */
export function stepOn<S extends Sizes>(device: StepDevice, step: DispatchStep<S>): DispatchStep<S> {
  const { faster, kernel } = step;
  if (faster?.feature && device.features.has(faster.feature)) return stepOn(device, faster);
  const usual = device.tuning.get(kernel.name) ?? (device.adapter.software ? kernel.onCpu : undefined);
  const overrides = step.shaping.overrides ?? usual;
  return overrides ? { ...step, shaping: { ...step.shaping, overrides } } : step;
}

/** Zeroes a view. */
export const clear = (view: BufferView): ClearStep => ({ kind: 'clear', view });

/**
 * Copies the first `elements` 4-byte elements (default: the whole view).
 * @throws InvalidDispatchError when both views lie in one buffer
 */
export function copy<S extends Sizes>(
  from: BufferView,
  to: BufferView,
  elements: (sizes: S) => number = () => from.size / 4,
): CopyStep<S> {
  if (from.buffer === to.buffer) {
    throw new InvalidDispatchError(
      `copy of ${from.buffer.label}`,
      'two views of one GPUBuffer',
      'two different GPUBuffers: WebGPU copies only between them',
    );
  }
  return { kind: 'copy', from, to, elements };
}

function checkBuffers(
  kernel: KernelText,
  buffers: Readonly<Record<string, BufferView>>,
  label: string,
): void {
  const names = kernel.bindings.map(({ name }) => name);
  const missing = names.find((name) => !(name in buffers));
  if (missing)
    throw new InvalidDispatchError(label, `no buffer for ${missing}`, `buffers for ${names.join(', ')}`);
  const unknown = Object.keys(buffers).find((name) => !names.includes(name));
  if (unknown)
    throw new InvalidDispatchError(label, `a buffer for ${unknown}`, `buffers for ${names.join(', ')} only`);
  for (const written of kernel.bindings.filter(({ access }) => access === 'write')) {
    const clash = kernel.bindings.find(
      ({ name, access }) => access === 'read' && buffers[name].buffer === buffers[written.name].buffer,
    );
    if (!clash) continue;
    const got = `one GPUBuffer read as ${clash.name} and written as ${written.name}`;
    throw new InvalidDispatchError(
      label,
      got,
      'different GPUBuffers: WebGPU forbids both in one dispatch, even for disjoint ranges',
    );
  }
}
