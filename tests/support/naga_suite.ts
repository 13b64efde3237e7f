/** Every case of every kernel on the WebGPU of this runtime; `scripts/naga.mjs` bundles it for Deno (wgpu/naga). */
import { kernels } from '../../shaders/index.ts';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import type { KernelCase } from '../../src/gpu/kernel.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';
import { describeFailure, runCase } from '../../src/gpu/kernel_check.ts';
import { nanCases, nanFailure } from './nan_cases.ts';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface Check {
  readonly testCase: KernelCase;
  readonly failure: () => Promise<string | null>;
}

/** Every case of a kernel, then those with a NaN in an input. */
const checksOf = (gpu: Gpu, kernel: AnyKernel): readonly Check[] => [
  ...kernel.cases().map((testCase) => ({
    testCase,
    failure: async () => {
      const result = await runCase(gpu, kernel, testCase);
      return result.checked > 0 && result.mismatchCount === 0 ? null : describeFailure(result);
    },
  })),
  ...nanCases(kernel).map((spoilt) => ({
    testCase: spoilt.testCase,
    failure: () => nanFailure(gpu, kernel, spoilt),
  })),
];

/** What is wrong with the case, or null. */
async function failureOf(kernel: AnyKernel, { testCase, failure }: Check): Promise<string | null> {
  try {
    return await failure();
  } catch (error) {
    return `${kernel.name}, ${testCase.title}: ${messageOf(error)}`;
  }
}

/**
 * @param filter runs only kernels with this in their name
 * @returns the number of failures; no adapter is one
 */
export async function runSuite(filter: string, log: (line: string) => void): Promise<number> {
  let gpu: Gpu;
  try {
    // An error no scope caught is counted by the case that then misses its numbers; it is shown here.
    gpu = await openGpu({ raiseLimits: false, onError: (error) => log(error.message) });
  } catch (error) {
    log(`${messageOf(error)}\n\n0 passed, 1 failed`);
    return 1;
  }
  const { vendor, architecture, description } = gpu.adapter;
  log(`adapter: ${[vendor, architecture, description].filter(Boolean).join(', ')}`);
  const chosen: readonly AnyKernel[] = Object.values(kernels).filter(({ name }) => name.includes(filter));
  let passed = 0;
  let failed = 0;
  for (const kernel of chosen) {
    if (kernel.feature && !gpu.features.has(kernel.feature)) {
      log(`none ${kernel.name}: this device has no ${kernel.feature}`);
      continue;
    }
    const failures: string[] = [];
    const cases = checksOf(gpu, kernel);
    for (const check of cases) {
      const failure = await failureOf(kernel, check);
      if (failure) failures.push(failure);
    }
    passed += cases.length - failures.length;
    failed += failures.length;
    log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${kernel.name}, ${cases.length} cases`);
    for (const failure of failures) log(`  ${failure}`);
  }
  gpu.close();
  log(`\n${passed} passed, ${failed} failed`);
  return failed + (passed === 0 ? 1 : 0);
}
