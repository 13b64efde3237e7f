/** Every case of every kernel on the WebGPU of this runtime; `scripts/naga.mjs` bundles it for Deno (wgpu/naga), `scripts/dawn_kernels.mjs` loads it in Node (Dawn). */
import { kernels } from '../../shaders/index.ts';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import type { KernelCase } from '../../src/gpu/kernel.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';
import { describeFailure, runCase } from '../../src/gpu/kernel_check.ts';
import { nanCases, nanFailure } from './nan_cases.ts';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function caseFailure(gpu: Gpu, kernel: AnyKernel, testCase: KernelCase): Promise<string | null> {
  const result = await runCase(gpu, kernel, testCase);
  return result.checked > 0 && result.mismatchCount === 0 ? null : describeFailure(result);
}

/** What is wrong with every case of a kernel, then with those that have a NaN in an input; null for nothing. */
async function failuresOf(gpu: Gpu, kernel: AnyKernel): Promise<readonly (string | null)[]> {
  const found: (string | null)[] = [];
  const see = async ({ title }: KernelCase, failure: Promise<string | null>): Promise<void> =>
    void found.push(await failure.catch((error) => `${kernel.name}, ${title}: ${messageOf(error)}`));
  const cases = kernel.cases();
  for (const testCase of cases) await see(testCase, caseFailure(gpu, kernel, testCase));
  for (const spoilt of nanCases(kernel, cases)) await see(spoilt.testCase, nanFailure(gpu, kernel, spoilt));
  return found;
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
  const leftOut: string[] = [];
  let passed = 0;
  let failed = 0;
  for (const kernel of chosen) {
    if (kernel.feature && !gpu.features.has(kernel.feature)) {
      log(`none ${kernel.name}: this device has no ${kernel.feature}`);
      leftOut.push(kernel.name);
      continue;
    }
    const found = await failuresOf(gpu, kernel);
    const failures = found.filter((failure) => failure !== null);
    passed += found.length - failures.length;
    failed += failures.length;
    log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${kernel.name}, ${found.length} cases`);
    for (const failure of failures) log(`  ${failure}`);
  }
  gpu.close();
  if (leftOut.length > 0)
    log(
      `\nleft out: ${leftOut.length} of ${chosen.length} kernels, ${leftOut.join(', ')}. \`npm run test:dawn\` and the browser's tests run them.`,
    );
  log(`\n${passed} passed, ${failed} failed`);
  return failed + (passed === 0 ? 1 : 0);
}
