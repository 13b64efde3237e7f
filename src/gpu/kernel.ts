/** What a kernel.ts file says about its WGSL file. Types only; tests compare them with the WGSL text. */

export type ScalarType = 'u32' | 'i32' | 'f32';

/** Element type of a storage binding, as the host fills it. `array<vec4f>` counts as 'f32' here. */
export interface Binding {
  readonly name: string; // the WGSL variable's name
  readonly type: ScalarType;
  readonly access: 'read' | 'write'; // write = read_write in WGSL
}

export const read = (name: string, type: ScalarType = 'f32'): Binding => ({ name, type, access: 'read' });
export const write = (name: string, type: ScalarType = 'f32'): Binding => ({ name, type, access: 'write' });

/** Fields of the Params struct, in WGSL order; all 4-byte scalars, so offsets are 4·index. */
export type ParamFields = Readonly<Record<string, ScalarType>>;
export type ParamValues<P extends ParamFields> = { readonly [Name in keyof P]: number };

/** 'subgroups' stands for the device feature together with the WGSL language feature subgroup_id. */
export type KernelFeature = 'subgroups';

/** Values for `override`s (pipeline-overridable) and for top-level `const NAME = …;` lines. */
export type Shaping = Readonly<Record<string, number>>;

export type TypedArray = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** One check of a kernel: inputs, and what its oracle says of them. */
export interface KernelCase<P extends ParamFields = ParamFields> {
  readonly title: string; // e.g. 'rows 3, channels 20, WORKGROUP 4'
  readonly params: ParamValues<P>;
  readonly overrides?: Shaping;
  readonly constants?: Shaping;
  /** Initial contents of every binding by name; written ones too (poison them where the kernel overwrites). */
  readonly buffers: Readonly<Record<string, TypedArray>>;
  /** Expected contents after one dispatch, by written binding; float64, from the oracle. */
  readonly expected: () => Readonly<Record<string, ArrayLike<number>>>;
}

export interface KernelTolerance {
  readonly absolute: number;
  readonly relative: number;
  readonly reason: string;
}

export interface Tunable<P extends ParamFields = ParamFields> {
  readonly candidates: readonly Shaping[]; // overrides, beside the kernel's own
  readonly params: ParamValues<P>;
  readonly constants?: Shaping;
  readonly contents: Readonly<Record<string, number | TypedArray>>; // of every binding: its length where zeros do
}

/**
 * A kernel made for graphics cards, in whose place another stands on adapters that are the CPU: workgroup memory and many
 * lanes are dear there. Same params and bindings; the same bits, unless its own header says otherwise.
 */
export interface CardTwin<P extends ParamFields = ParamFields> {
  readonly kernel?: Kernel<P>; // the kernel itself, in other groups, by default
  readonly overrides?: Shaping;
  readonly constants?: Shaping; // beside those of the step
  /** From which size on it is the one to run: what suits some params suits all that are nowhere smaller. Always, by default. */
  readonly suits?: (params: ParamValues<P>) => boolean;
}

export interface Kernel<P extends ParamFields = ParamFields> {
  readonly name: string; // snake_case, equals the file name
  readonly source: string; // WGSL text, imported with ?raw
  readonly params: P;
  readonly bindings: readonly Binding[]; // binding 1, 2, …; params is binding 0
  readonly overrides: Shaping; // defaults of the WGSL `override`s
  readonly constants: Shaping; // defaults of the specialisable `const`s
  /** Workgroups to dispatch; shaping holds overrides and constants in force. */
  readonly grid: (params: ParamValues<P>, shaping: Shaping) => readonly [number, number, number];
  /** Overrides where the adapter is the CPU: groups so small that a few rows give work to every core. Same bits. */
  readonly onCpu?: Shaping;
  /** What the device must have for this kernel to compile; openGpu asks for it where the adapter has it. */
  readonly feature?: KernelFeature;
  /** The same bits sooner, on devices with that kernel's feature. Same params, bindings and constants. */
  readonly faster?: Kernel<P>;
  /** What a graphics card runs instead: the first whose `suits` says yes to the params of an encoding. */
  readonly onCards?: readonly CardTwin<P>[];
  /** What autotune.ts chooses between, by the time it takes: groups that give the same bits, and the kernel's card twins. */
  readonly tunable?: Tunable<P>;
  readonly tolerance: KernelTolerance; // |gpu − oracle| ≤ absolute + relative·|oracle|
  readonly cases: () => readonly KernelCase<P>[];
}

/** Checks a kernel's types where it is written; returns it unchanged. */
export const defineKernel = <const P extends ParamFields>(kernel: Kernel<P>): Kernel<P> => kernel;

/** The numbers of these names, out of a record that may hold more. */
export const numbersNamed = <Name extends string>(
  names: readonly Name[],
  from: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> =>
  Object.fromEntries(names.map((name) => [name, from[name]])) as Record<Name, number>; // keys are the names

/** A kernel's params, taken by their names out of numbers that may hold more; one that is missing does not compile. */
export const paramsOf = <P extends ParamFields>(
  { params }: Pick<Kernel<P>, 'params'>,
  from: NoInfer<ParamValues<P>>,
): ParamValues<P> => numbersNamed<keyof P & string>(Object.keys(params), from) as ParamValues<P>; // P has no other keys

// WebGPU's default maxComputeWorkgroupsPerDimension.

export const GRID_LIMIT = 65535;

/**
 * A grid of at least `groups` workgroups within the limit per dimension. In WGSL the group's number is
 * `group.x + group.y * groupCount.x`, with `groupCount` the builtin num_workgroups; groups past the end must return.
 */
export function foldGrid(groups: number): readonly [number, number, number] {
  if (groups <= GRID_LIMIT) return [groups, 1, 1];
  const rows = Math.ceil(groups / GRID_LIMIT);
  return [Math.ceil(groups / rows), rows, 1];
}
