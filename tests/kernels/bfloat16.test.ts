import { beforeAll, describe, expect, test } from 'vitest';
import { packBfloat16, widenBfloat16 } from '../../shaders/bfloat16.ts';
import { kernels, type KernelName } from '../../shaders/index.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { runOnce } from '../../src/gpu/kernel_check.ts';
import type { KernelCase, TypedArray } from '../../src/gpu/kernel.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';
import { sharedGpu } from '../support/shared_gpu.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

const TWINS = (Object.keys(kernels) as KernelName[]).filter((name) => name.endsWith('_bf16'));
const bitsOf = ({ buffer, byteOffset, length }: TypedArray) =>
  new Uint32Array(buffer, byteOffset, length).slice();

describe.each(TWINS)('%s', (name) => {
  const twin: AnyKernel = kernels[name];
  const plain: AnyKernel = kernels[name.replace('_bf16', '') as KernelName];
  const weight = twin.bindings.find(({ type }, index) => type !== plain.bindings[index].type)!;

  test.for(twin.cases())('$title: the bits of float32 on the widened weights', async (testCase, { skip }) => {
    const { feature } = twin;
    if (feature && !gpu.features.has(feature)) skip(`this device has no ${feature}`);
    const words = testCase.buffers[weight.name] as Uint32Array;
    const wide: KernelCase = {
      ...testCase,
      buffers: { ...testCase.buffers, [weight.name]: widenBfloat16(words) },
    };
    const [got, want] = [await runOnce(gpu, twin, testCase), await runOnce(gpu, plain, wide)];
    for (const { name: written } of twin.bindings.filter(({ access }) => access === 'write')) {
      const { length } = testCase.buffers[written]; // past it lie guards, which differ
      expect(bitsOf(got[written]).subarray(0, length)).toEqual(bitsOf(want[written]).subarray(0, length));
    }
  });
});

test('a subnormal, a zero beside a number and signs are read as they are stored', async () => {
  const table = Float32Array.of(0, 3, -0, -1.5, 2 ** -130, 1e38, 2 ** -126, -1e-30);
  const words = packBfloat16(table);
  const testCase = {
    title: 'edges',
    params: { rows: 2, channels: 4 },
    buffers: { table: words, ids: Uint32Array.of(1, 0), y: new Float32Array(8) },
  };
  const { y } = await runOnce(gpu, kernels.gather_rows_forward_bf16, testCase);
  const wide = widenBfloat16(words);
  const want = [...wide.subarray(4), ...wide.subarray(0, 4)];
  // WGSL lets a device flush subnormals to zero, as it may for float32.
  [...y].slice(0, 8).forEach((got, n) => expect([want[n], Math.sign(want[n]) * 0]).toContainEqual(got));
  expect(y[5]).toBe(3);
});
