/** The kernels as a page shows them, and their cases run on a device. */
import { kernels } from '../../shaders/index.ts';
import type { Gpu } from '../gpu/device.ts';
import { runCase } from '../gpu/kernel_check.ts';
import type { AnyKernel } from '../gpu/pipelines.ts';
import type { KernelCheck, KernelDescription } from './protocol/inspection.ts';

const catalogue: readonly AnyKernel[] = Object.values(kernels);

export const kernelNames: readonly string[] = catalogue.map(({ name }) => name);

export const kernelCatalogue = (): readonly KernelDescription[] =>
  catalogue.map(({ name, source, params, bindings, overrides, constants, tolerance, feature }) => ({
    ...{ name, source, params, bindings, overrides, constants, tolerance },
    feature: feature ?? null,
  }));

/**
 * Runs every case of a kernel on buffers of its own; a run's buffers and parameters are not touched.
 * @param name of the catalogue; the guard has checked it
 * @throws ShaderCompileError, OutOfMemoryError, DeviceLostError
 */
export async function checkKernel(gpu: Gpu, name: string): Promise<KernelCheck> {
  const kernel = catalogue.find((entry) => entry.name === name)!;
  const startMs = performance.now();
  const missing = kernel.feature && !gpu.features.has(kernel.feature) ? kernel.feature : null;
  const cases = [];
  for (const testCase of missing ? [] : kernel.cases()) {
    const { title, checked, mismatchCount, worst } = await runCase(gpu, kernel, testCase);
    cases.push({ title, checked, mismatchCount, worst });
  }
  return { kernel: name, cases, missing, ms: performance.now() - startMs };
}
