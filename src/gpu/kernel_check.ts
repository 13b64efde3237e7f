/** Runs a kernel's cases on a device. Framework-free: vitest and wgpu/naga under Deno share it. */
import { BufferOwner, type BufferView } from './buffers.ts';
import type { Gpu } from './device.ts';
import type { Kernel, KernelCase, TypedArray } from './kernel.ts';
import type { AnyKernel, KernelText } from './pipelines.ts';
import { Program } from './program.ts';
import { Readback, type ReadRange } from './readback.ts';
import { dispatch } from './steps.ts';

export interface Mismatch {
  readonly tensor: string;
  readonly index: number;
  readonly got: number;
  readonly want: number;
  readonly error: number; // |got − want|; where either is not finite: 0 if both are the same (NaN is NaN), else ∞
  readonly allowed: number;
}

export interface CaseResult {
  readonly kernel: string;
  readonly title: string;
  readonly checked: number; // elements compared
  readonly mismatchCount: number;
  readonly mismatches: readonly Mismatch[]; // the first few
  readonly worst: Mismatch | null; // largest error relative to what is allowed, passing or not
}

const SHOWN = 5;
/** Elements put after every buffer: NaN as f32. Reading them poisons the result, writing them is seen. */
const GUARD = 64;
/** Bits of the guard after binding `index`: different ones, so that a copied guard is seen too. */
const poison = (index: number): number => 0x7fc0de00 + index;

/** Dispatches one case and compares every written buffer with the oracle, and every guard with its poison. */
export async function runCase(gpu: Gpu, kernel: AnyKernel, testCase: KernelCase): Promise<CaseResult> {
  return compare(kernel, testCase, await runOnce(gpu, kernel, testCase));
}

/** What one dispatch writes, by binding; GUARD elements longer than the case's buffers. Its oracle is not asked. */
export async function runOnce(
  gpu: Gpu,
  kernel: AnyKernel,
  testCase: Omit<KernelCase, 'expected'>,
): Promise<Readonly<Record<string, TypedArray>>> {
  const owner = new BufferOwner(gpu, `case of ${kernel.name}`);
  const readback = new Readback(gpu);
  try {
    const buffers = makeBuffers(owner, kernel, testCase);
    await owner.ready();
    const { overrides, constants } = testCase;
    // A case's params carry the kernel's own field names, which AnyKernel has forgotten.
    const step = dispatch(kernel as unknown as Kernel, buffers, () => testCase.params, {
      overrides,
      constants,
      faster: false,
    });
    const program = await Program.build(gpu, kernel.name, [step]);
    program.run({});
    const written = kernel.bindings.filter(({ access }) => access === 'write');
    const ranges = written.map(
      ({ name, type }) => [name, { view: buffers[name], type }] as [string, ReadRange],
    );
    const got = await readback.read(Object.fromEntries(ranges));
    program.destroy();
    return got;
  } finally {
    owner.destroy();
    readback.destroy();
  }
}

function makeBuffers(
  owner: BufferOwner,
  kernel: AnyKernel,
  testCase: Omit<KernelCase, 'expected'>,
): Record<string, BufferView> {
  const unknown = Object.keys(testCase.buffers).filter(
    (name) => !kernel.bindings.some((entry) => entry.name === name),
  );
  if (unknown.length > 0)
    throw new Error(`${kernel.name}, ${testCase.title}: no binding called ${unknown.join(', ')}`);
  const entries = kernel.bindings.map(({ name }, index) => {
    const contents = testCase.buffers[name];
    if (!contents) throw new Error(`${kernel.name}, ${testCase.title}: the case has no buffer ${name}`);
    return [name, owner.storage(name, guarded(contents, poison(index)))] as const;
  });
  return Object.fromEntries(entries);
}

function guarded(contents: TypedArray, bits: number): TypedArray {
  const whole = new Uint32Array(contents.length + GUARD).fill(bits);
  whole.set(new Uint32Array(contents.buffer, contents.byteOffset, contents.length));
  return whole;
}

function compare(
  kernel: AnyKernel,
  testCase: KernelCase,
  got: Readonly<Record<string, TypedArray>>,
): CaseResult {
  const expected = testCase.expected();
  const mismatches: Mismatch[] = [];
  let worst: Mismatch | null = null;
  let checked = 0;
  let mismatchCount = 0;
  for (const [tensor, actual] of Object.entries(got)) {
    const want = expected[tensor];
    const { length } = testCase.buffers[tensor];
    if (want?.length !== length) {
      throw new Error(
        `${kernel.name}, ${testCase.title}: the oracle gives ${want?.length ?? 'no'} elements of ${tensor}, the buffer has ${length}`,
      );
    }
    const exact = !(actual instanceof Float32Array);
    for (let index = 0; index < length; index++) {
      const entry = measure(kernel, exact, tensor, index, actual[index], want[index]);
      checked++;
      if (!worst || badness(entry) > badness(worst)) worst = entry;
      if (!(entry.error <= entry.allowed) && ++mismatchCount <= SHOWN) mismatches.push(entry);
    }
    const guard = poison(kernel.bindings.findIndex(({ name }) => name === tensor));
    const overrun = firstOverrun(actual, length, guard);
    if (overrun >= 0 && ++mismatchCount) {
      mismatches.push({
        tensor: `${tensor} (past its end)`,
        index: overrun,
        got: actual[overrun],
        want: NaN,
        error: Infinity,
        allowed: 0,
      });
    }
  }
  return { kernel: kernel.name, title: testCase.title, checked, mismatchCount, mismatches, worst };
}

function measure(
  kernel: AnyKernel,
  exact: boolean,
  tensor: string,
  index: number,
  got: number,
  want: number,
): Mismatch {
  const finite = Number.isFinite(got) && Number.isFinite(want);
  const same = got === want || (Number.isNaN(got) && Number.isNaN(want));
  const { absolute, relative } = kernel.tolerance;
  return {
    tensor,
    index,
    got,
    want,
    error: finite ? Math.abs(got - want) : same ? 0 : Infinity,
    allowed: exact || !finite ? 0 : absolute + relative * Math.abs(want),
  };
}

const badness = ({ error, allowed }: Mismatch): number => (error === 0 ? 0 : error / allowed);

function firstOverrun(actual: TypedArray, length: number, guard: number): number {
  const bits = new Uint32Array(actual.buffer, actual.byteOffset, length + GUARD);
  for (let index = length; index < length + GUARD; index++) if (bits[index] !== guard) return index;
  return -1;
}

/** One line per mismatch: tensor, index, got, want, error; and the worst error. */
export function describeFailure({
  kernel,
  title,
  checked,
  mismatchCount,
  mismatches,
  worst,
}: CaseResult): string {
  const line = ({ tensor, index, got, want, error, allowed }: Mismatch): string =>
    `${tensor}[${index}]: got ${got}, want ${want}, error ${error.toExponential(2)}, allowed ${allowed.toExponential(2)}`;
  return [
    `${kernel}, ${title}: ${mismatchCount} of ${checked} elements differ`,
    ...mismatches.map(line),
    ...(worst ? [`worst: ${line(worst)}`] : []),
  ].join('\n  ');
}

// Compares what a kernel.ts file says with its WGSL text: what a text must keep for the programs to run it.

/** Every disagreement in words; empty when there is none. */
export function contractDifferences(kernel: KernelText): string[] {
  const wgsl = kernel.source.replace(/\/\/[^\n]*/g, '').replace(/\/\*[^]*?\*\//g, '');
  return [
    ...checkEntryPoint(wgsl),
    ...differences('bindings', wgslBindings(wgsl), specBindings(kernel)),
    ...differences(
      'Params',
      wgslParams(wgsl),
      Object.entries(kernel.params).map(([name, type]) => `${name}: ${type}`),
    ),
    ...differences(
      'overrides',
      wgslOverrides(wgsl),
      Object.entries(kernel.overrides).map(([name, value]) => `${name} = ${value}`),
    ),
    ...checkConstants(kernel, wgsl),
  ];
}

function checkEntryPoint(wgsl: string): string[] {
  const entryPoints = [...wgsl.matchAll(/@compute[^{]*?fn\s+(\w+)/g)].map(([, name]) => name);
  if (entryPoints.join() === 'main') return [];
  return [`entry points: ${entryPoints.join(', ') || 'none'}, wanted one called main`];
}

function differences(what: string, inWgsl: readonly string[], inSpec: readonly string[]): string[] {
  const same = inWgsl.join('; ') === inSpec.join('; ');
  return same ? [] : [`${what}: the WGSL has [${inWgsl.join('; ')}], the contract [${inSpec.join('; ')}]`];
}

const specBindings = ({ bindings }: KernelText): string[] => [
  '0 params uniform',
  ...bindings.map(({ name, type, access }, index) => `${index + 1} ${name} ${access} ${type}`),
];

function wgslBindings(wgsl: string): string[] {
  const pattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<([^>]+)>\s*(\w+)\s*:\s*([^;]+);/g;
  return [...wgsl.matchAll(pattern)].map(([, binding, space, name, type]) => {
    if (space.trim() === 'uniform') return `${binding} ${name} uniform`;
    const access = space.includes('read_write') ? 'write' : 'read';
    return `${binding} ${name} ${access} ${elementType(type)}`;
  });
}

/** The scalar that a storage type is made of: array<vec4f> → f32. */
function elementType(type: string): string {
  const scalar = /\b(f32|u32|i32)\b|vec[234]([fui])/.exec(type);
  if (!scalar) return type;
  return scalar[1] ?? `${scalar[2]}32`;
}

function wgslParams(wgsl: string): string[] {
  const body = /struct\s+Params\s*\{([^}]*)\}/.exec(wgsl)?.[1] ?? '';
  return [...body.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, name, type]) => `${name}: ${type}`);
}

const wgslOverrides = (wgsl: string): string[] =>
  [...wgsl.matchAll(/^override\s+(\w+)\s*:\s*\w+\s*=\s*([\d.]+)[uif]?\s*;/gm)].map(
    ([, name, value]) => `${name} = ${Number(value)}`,
  );

/** The spec lists the constants that may be specialised; the WGSL may have others. */
function checkConstants(kernel: KernelText, wgsl: string): string[] {
  return Object.entries(kernel.constants).flatMap(([name, value]) => {
    const line = new RegExp(`^const ${name}: (?:u32|i32|f32) = ([\\d.]+)[uif]?;`, 'm').exec(wgsl);
    if (!line) return [`constants: no line \`const ${name}: u32 = …;\``];
    return Number(line[1]) === value
      ? []
      : [`constants: ${name} is ${line[1]} in the WGSL, ${value} in the contract`];
  });
}
