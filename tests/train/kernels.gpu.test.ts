import { afterAll, beforeAll, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import { runCase } from '../../src/gpu/kernel_check.ts';
import { checkKernel } from '../../src/train/kernels.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.close());

test('a check runs every case of a kernel and says how far each is from its oracle', async () => {
  const { cases, missing, kernel } = await checkKernel(gpu, 'policy_loss');
  expect([kernel, missing]).toEqual(['policy_loss', null]);
  expect(cases.map(({ title }) => title)).toEqual(kernels.policy_loss.cases().map(({ title }) => title));
  for (const { checked, mismatchCount, worst } of cases) {
    expect(checked).toBeGreaterThan(0);
    expect(mismatchCount).toBe(0);
    expect(worst!.error).toBeLessThanOrEqual(worst!.allowed);
  }
});

test('a kernel with a fault in it is found out', async () => {
  const kernel = {
    ...kernels.policy_loss,
    source: kernels.policy_loss.source.replace('max(-A * ratio', 'min(-A * ratio'),
  };
  expect(kernel.source).not.toBe(kernels.policy_loss.source);
  const { mismatchCount } = await runCase(gpu, kernel, kernel.cases()[0]);
  expect(mismatchCount).toBeGreaterThan(0);
});

test('a kernel that this device cannot run is not said to be right', async () => {
  const without = { ...gpu, features: new Set<string>() } as unknown as Gpu; // only the features differ
  expect(await checkKernel(without, 'matmul_nt_quads')).toMatchObject({ cases: [], missing: 'subgroups' });
});
