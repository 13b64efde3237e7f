import type { Gpu } from './device.ts';
import { InvalidDispatchError, ShaderCompileError, type CompileMessage } from './errors.ts';
import type { CardTwin, Kernel, Shaping } from './kernel.ts';

/** What compiling needs of a kernel. */
export type KernelText = Pick<Kernel, 'name' | 'source' | 'params' | 'bindings' | 'overrides' | 'constants'>;

/** A kernel whose params' names are not known, as a catalogue holds it. */
export type AnyKernel = Omit<Kernel, 'grid' | 'faster' | 'onCards'> & {
  readonly faster?: AnyKernel;
  readonly onCards?: readonly (Omit<CardTwin, 'kernel' | 'suits'> & {
    readonly kernel?: AnyKernel;
    readonly suits?: (params: never) => boolean;
  })[];
  readonly grid: (params: never, shaping: Shaping) => readonly [number, number, number];
};

/** Overrides and constants that differ from a kernel's defaults. */
export interface KernelShaping {
  readonly overrides?: Shaping;
  readonly constants?: Shaping;
}

export interface CompiledKernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly shaping: Shaping; // overrides and constants in force
}

const cachesByDevice = new WeakMap<GPUDevice, Map<string, Promise<CompiledKernel>>>();

/**
 * The kernel's WGSL with the numbers of its top-level `const NAME: u32 = …;` lines replaced.
 * @throws InvalidDispatchError when a constant is not in the text
 */
export function specialise(kernel: KernelText, constants: Shaping): string {
  return Object.entries(constants).reduce((source, [name, value]) => {
    const line = new RegExp(`^const ${name}: (u32|i32|f32) = [^;]*;`, 'm');
    if (!line.test(source)) {
      throw new InvalidDispatchError(
        kernel.name,
        `constant ${name}`,
        `a line \`const ${name}: u32 = …;\` in ${kernel.name}.wgsl`,
      );
    }
    return source.replace(line, (_, type: string) => `const ${name}: ${type} = ${literal(type, value)};`);
  }, kernel.source);
}

function literal(type: string, value: number): string {
  if (type === 'f32') return `f32(${value})`;
  return `${Math.trunc(value)}${type === 'u32' ? 'u' : 'i'}`;
}

/**
 * Compiles a kernel once per device and shaping.
 * @throws ShaderCompileError with the WGSL line; InvalidDispatchError for unknown overrides or constants
 */
export async function compile(
  gpu: Gpu,
  kernel: KernelText,
  shaping: KernelShaping = {},
): Promise<CompiledKernel> {
  const overrides = merge(kernel.name, 'override', kernel.overrides, shaping.overrides);
  const constants = merge(kernel.name, 'const', kernel.constants, shaping.constants);
  const source = specialise(kernel, constants);
  const key = JSON.stringify([kernel.name, overrides, source]);
  const cache = cachesByDevice.get(gpu.device) ?? new Map<string, Promise<CompiledKernel>>();
  cachesByDevice.set(gpu.device, cache);
  const compiled =
    cache.get(key) ?? gpu.answers.of(build(gpu, kernel, source, overrides, { ...overrides, ...constants }));
  cache.set(key, compiled);
  return compiled;
}

function merge(kernel: string, kind: string, defaults: Shaping, given: Shaping = {}): Shaping {
  const unknown = Object.keys(given).find((name) => !(name in defaults));
  if (unknown) {
    throw new InvalidDispatchError(
      kernel,
      `${kind} ${unknown}`,
      `one of: ${Object.keys(defaults).join(', ') || 'none'}`,
    );
  }
  return { ...defaults, ...given };
}

async function build(
  gpu: Gpu,
  kernel: KernelText,
  source: string,
  overrides: Shaping,
  shaping: Shaping,
): Promise<CompiledKernel> {
  const { device } = gpu;
  const label = kernel.name;
  // A scope is pushed and popped with no await between: compiles run side by side on one stack of scopes.
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code: source });
  const layout = device.createBindGroupLayout({ label, entries: layoutEntries(kernel) });
  const scope = device.popErrorScope();
  const messages = await compileMessages(module, source);
  const error = await scope;
  if (messages.length > 0 || error) {
    throw new ShaderCompileError(
      label,
      messages.length > 0 ? messages : [wholeShader(error?.message ?? '')],
      error,
    );
  }
  try {
    const pipeline = await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main', constants: overrides },
    });
    return { pipeline, layout, shaping };
  } catch (cause) {
    throw new ShaderCompileError(
      label,
      [wholeShader(cause instanceof Error ? cause.message : String(cause))],
      cause,
    );
  }
}

const wholeShader = (message: string): CompileMessage => ({ line: 0, column: 0, text: '', message });

async function compileMessages(module: GPUShaderModule, source: string): Promise<CompileMessage[]> {
  const lines = source.split('\n');
  const info = await module.getCompilationInfo();
  return info.messages
    .filter(({ type }) => type === 'error')
    .map(({ lineNum, linePos, message }) => ({
      line: lineNum,
      column: linePos,
      text: lines[lineNum - 1] ?? '',
      message,
    }));
}

/** Explicit, since an 'auto' layout drops bindings that the code happens not to use. */
function layoutEntries(kernel: KernelText): GPUBindGroupLayoutEntry[] {
  const storage = kernel.bindings.map(({ access }, index) => ({
    binding: index + 1,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
  }));
  return [{ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' } }, ...storage];
}
