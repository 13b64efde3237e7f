import { beforeAll, describe, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { workOf } from '../../shaders/work.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';
import { describeFailure, runCase } from '../../src/gpu/kernel_check.ts';
import { nanCases, nanFailure } from '../support/nan_cases.ts';
import { sharedGpu } from '../support/shared_gpu.ts';

const catalogue: readonly AnyKernel[] = Object.values(kernels);

let gpu: Gpu;
beforeAll(async () => {
  // No adapter fails every test below.
  gpu = await sharedGpu();
});

describe.each(catalogue)('$name', (kernel) => {
  const cases = kernel.cases();
  const { feature } = kernel;
  test('has cases with different titles, a reason for its tolerance, and whole, unnegative or unknown work', () => {
    const titles = cases.map(({ title }) => title);
    expect(titles.length).toBeGreaterThan(0);
    expect(new Set(titles).size).toBe(titles.length);
    expect(kernel.tolerance.reason).not.toBe('');
    const shaping = { ...kernel.overrides, ...kernel.constants };
    for (const { params } of cases)
      for (const value of Object.values(workOf(kernel.name, params as Record<string, number>, shaping)))
        expect(value === null || (Number.isSafeInteger(value) && value >= 0)).toBe(true);
  });

  test.for(cases)('$title matches the oracle', async (testCase, { skip }) => {
    if (feature && !gpu.features.has(feature)) skip(`this device has no ${feature}`);
    const result = await runCase(gpu, kernel, testCase);
    expect(result.checked).toBeGreaterThan(0);
    expect(result.mismatchCount, describeFailure(result)).toBe(0);
  });

  test('a NaN in an input reaches what it reaches in float64, and nothing else', async ({ skip }) => {
    if (feature && !gpu.features.has(feature)) skip(`this device has no ${feature}`);
    const failures: string[] = [];
    for (const spoilt of nanCases(kernel, cases)) {
      const failure = await nanFailure(gpu, kernel, spoilt);
      if (failure) failures.push(failure);
    }
    expect(failures).toEqual([]);
  });
});
