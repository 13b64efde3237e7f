import { afterEach, expect, test } from 'vitest';
import { probeCopy, probeFma } from '../../shaders/probe/probe.kernel.ts';
import { workOf } from '../../shaders/work.ts';
import { BufferOwner } from '../../src/gpu/buffers.ts';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import { Profiler, type DeviceProfile } from '../../src/gpu/profiler.ts';
import { Program } from '../../src/gpu/program.ts';
import { f32, Readback } from '../../src/gpu/readback.ts';
import { clear, dispatch, type Sizes } from '../../src/gpu/steps.ts';
import { deviceCeilings } from '../../src/train/engine/profile.ts';

let gpu: Gpu;
afterEach(() => gpu.close());

const LENGTH = 1 << 16;

/** A long multiply-add, a clear and a short copy; run three times, profiled or not. */
async function workload(profile: boolean): Promise<{ result: Float32Array; profile: DeviceProfile | null }> {
  const owner = new BufferOwner(gpu, 'test');
  const [y, z] = [owner.storage('y', LENGTH), owner.storage('z', LENGTH)];
  const program = await Program.build(gpu, 'workload', [
    dispatch(probeFma, { y }, ({ rounds }: Sizes) => ({ length: LENGTH, rounds, scale: 0.5, shift: 1 }), {
      label: 'long',
      overrides: { WORKGROUP: 1 }, // a grid of two dimensions
    }),
    clear(z),
    dispatch(probeCopy, { x: y, y: z }, () => ({ length: LENGTH }), { label: 'short' }),
    dispatch(probeCopy, { x: z, y }, () => ({ length: 0 }), { label: 'empty' }),
  ]);
  const profiler = profile ? new Profiler(gpu, workOf) : null;
  for (const rounds of [40, 41, 42]) program.run({ rounds });
  const measured = (await profiler?.stop()) ?? null;
  const { z: result } = await new Readback(gpu).read({ z: f32(z) });
  program.destroy();
  owner.destroy();
  return { result, profile: measured };
}

const FLOPS = 128 * LENGTH * (40 + 41 + 42);
const COPIED = 3 * 8 * LENGTH; // bytes

test('with timestamps every step has its dispatches, time and work, and the result is the same', async () => {
  gpu = await openGpu({ timestamps: true });
  expect(gpu.features.has('timestamp-query')).toBe(true); // Chromium's software adapter has it
  const plain = await workload(false);
  const bytesBefore = gpu.memory.totalBytes;
  const { result, profile } = await workload(true);
  expect(result).toEqual(plain.result);
  expect(profile?.method).toBe('timestamps');
  const rows = profile?.rows ?? [];
  expect(rows.map(({ label, dispatches }) => [label, dispatches])).toEqual([
    ['long', 3],
    ['short', 3],
  ]);
  expect(rows[0]).toMatchObject({
    program: 'workload',
    kernel: 'probe_fma',
    flops: FLOPS,
    bytes: 12 * LENGTH,
    groups: 3 * LENGTH,
  });
  expect(rows[1]).toMatchObject({ kernel: 'probe_copy', flops: 0, bytes: COPIED });
  expect(rows[0].ms).toBeGreaterThan(2 * rows[1].ms);
  expect(profile?.busyMs).toBeGreaterThan(0);
  expect(profile?.busyMs).toBeLessThanOrEqual(rows[0].ms + rows[1].ms + 1e-6);
  expect(gpu.profiling.observer).toBeNull();
  expect(gpu.memory.byOwner().profiler).toBeUndefined();
  expect(gpu.memory.totalBytes).toBeLessThanOrEqual(bytesBefore + 4 * LENGTH + 1024); // the readback's staging
});

test('without timestamps each submission is timed, and the queue is its own again', async () => {
  gpu = await openGpu({ timestamps: false });
  const { result: plain } = await workload(false);
  const { result, profile } = await workload(true);
  expect(result).toEqual(plain);
  expect(profile?.method).toBe('submissions');
  expect(profile?.rows).toHaveLength(1);
  expect(profile?.rows[0]).toMatchObject({ program: 'workload', kernel: '', dispatches: 6, flops: FLOPS });
  expect(profile?.rows[0].ms).toBeCloseTo(profile?.busyMs ?? 0, 6);
  expect(Object.hasOwn(gpu.device.queue, 'submit')).toBe(false);
});

test('a profile that is cancelled leaves nothing behind', async () => {
  gpu = await openGpu({ timestamps: true });
  const profiler = new Profiler(gpu, workOf);
  profiler.cancel();
  expect(gpu.profiling.observer).toBeNull();
  expect(gpu.memory.totalBytes).toBe(0);
});

test('the ceilings are measured once per device and lie above what a dispatch reaches', async () => {
  gpu = await openGpu({ timestamps: true });
  const ceilings = await deviceCeilings(gpu);
  expect(await deviceCeilings(gpu)).toBe(ceilings);
  expect(ceilings.flopsPerSecond).toBeGreaterThan(1e8);
  expect(ceilings.bytesPerSecond).toBeGreaterThan(1e7);
  expect(ceilings.launchMs).toBeGreaterThan(0);
  expect(ceilings.launchMs).toBeLessThan(50); // far below what a dispatch of an update takes
  expect(Math.log2(ceilings.fillingGroups) % 1).toBe(0);
  expect(ceilings.fillingGroups).toBeLessThanOrEqual(1024);
  console.log(
    `ceilings: ${(ceilings.flopsPerSecond / 1e9).toFixed(2)} GFLOP/s, ${(ceilings.bytesPerSecond / 1e9).toFixed(2)} GB/s, ${(1000 * ceilings.launchMs).toFixed(1)} µs a dispatch, filled by ${ceilings.fillingGroups} workgroups`,
  );
  expect(gpu.memory.totalBytes).toBe(0);
});
