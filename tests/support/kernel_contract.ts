/** What a kernel of the catalogue keeps beside its contract. */
import { contractDifferences } from '../../src/gpu/kernel_check.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';

const DEFAULT_STORAGE_LIMIT = 8; // maxStorageBuffersPerShaderStage that every WebGPU device has

/** Every disagreement in words; empty when there is none. */
export function checkContract(kernel: AnyKernel): string[] {
  return [
    ...(kernel.source.startsWith(`// ${kernel.name} — `)
      ? []
      : [`the first line is not \`// ${kernel.name} — …\``]),
    ...(kernel.bindings.length <= DEFAULT_STORAGE_LIMIT
      ? []
      : [`${kernel.bindings.length} storage bindings, at most ${DEFAULT_STORAGE_LIMIT}`]),
    ...contractDifferences(kernel),
  ];
}
