/** The checks that need a WebGPU device, by file; they run in a browser. */
import { openGpu } from '../../src/gpu/device.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { LossesFile } from './losses.ts';
import { conformLossKernels } from './loss_kernels.ts';
import { conformModel } from './model.ts';
import type { ModelFile } from './model.ts';
import type { ConformResult } from './report.ts';

type GpuCheck = (gpu: Gpu, file: unknown) => Promise<readonly ConformResult[]>;

/** The casts are the boundary, as in index.ts. */
const CHECKS: Readonly<Record<string, GpuCheck>> = {
  losses: (gpu, file) => conformLossKernels(gpu, file as LossesFile),
  model: (gpu, file) => conformModel(gpu, file as ModelFile),
};

/**
 * Checks one file on the GPU.
 * @param text the file's JSON: text crosses into the page faster than the object
 * @throws NoWebGpuError, NoAdapterError
 */
export async function conformOnGpu(name: string, text: string): Promise<readonly ConformResult[]> {
  const gpu = await openGpu();
  try {
    return await CHECKS[name](gpu, JSON.parse(text));
  } finally {
    gpu.close();
  }
}
