/** Runs a kernel's cases on a device. Framework-free: vitest and wgpu/naga under Deno share it. */
import { BufferOwner, type BufferView } from './buffers.ts';
import type { Gpu } from './device.ts';
import type { Kernel, KernelCase, TypedArray } from './kernel.ts';
import type { AnyKernel } from './pipelines.ts';
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
