/** The profile of one update on a device, from its beginning to its end, and what the device reaches at best. */
import { workOf } from '../../../shaders/work.ts';
import type { Gpu } from '../../gpu/device.ts';
import { Profiler } from '../../gpu/profiler.ts';
import type { DeviceCeilings, MemoryShare, UpdateProfile } from '../../protocol/protocol.ts';
import { kernels } from '../../../shaders/index.ts';
import { BufferOwner } from '../../gpu/buffers.ts';
import { Program } from '../../gpu/program.ts';
import { dispatch, type Sizes } from '../../gpu/steps.ts';

export interface UpdateProfiler {
  /**
   * Ends the profile. The first of a device measures the device's ceilings too, after the update's time was taken.
   * @param wallMs of the update, pauses left out
   * @throws DeviceLostError
   */
  finish(wallMs: number): Promise<UpdateProfile>;
  /** Ends it without a result. */
  cancel(): void;
}

/** Begins at once: whatever is encoded from now on is timed. */
export function startUpdateProfile(gpu: Gpu): UpdateProfiler {
  const profiler = new Profiler(gpu, workOf);
  return {
    async finish(wallMs) {
      const { method, rows, busyMs, untimed } = await profiler.stop();
      const memory = memoryShares(gpu);
      const ceilings = await deviceCeilings(gpu);
      return { method, wallMs, busyMs, rows, untimed, memory, ceilings };
    },
    cancel: () => profiler.cancel(),
  };
}

function memoryShares({ memory }: Gpu): MemoryShare[] {
  const buffers = new Map<string, number>();
  for (const { owner } of memory.entries()) buffers.set(owner, (buffers.get(owner) ?? 0) + 1);
  return Object.entries(memory.byOwner())
    .map(([owner, bytes]) => ({ owner, buffers: buffers.get(owner) ?? 0, bytes }))
    .toSorted((a, b) => b.bytes - a.bytes);
}

const LONG_ENOUGH_MS = 60; // beside a submission's own 2 ms on a software adapter
const TRIES = 3; // the best counts: what disturbs only slows down
const MOST_WORK = 2 ** 24; // times the least; ends the doubling on a device whose clock says nothing
const FMA_INVOCATIONS = 2 ** 16;
const COPY_BYTES = 32 * 2 ** 20; // beyond the caches of most devices

const measured = new WeakMap<GPUDevice, Promise<DeviceCeilings>>();

/** @throws DeviceLostError, OutOfMemoryError */
export function deviceCeilings(gpu: Gpu): Promise<DeviceCeilings> {
  const known = measured.get(gpu.device) ?? measure(gpu);
  measured.set(gpu.device, known);
  known.catch(() => measured.delete(gpu.device));
  return known;
}

async function measure(gpu: Gpu): Promise<DeviceCeilings> {
  const owner = new BufferOwner(gpu, 'ceilings');
  try {
    const { maxBufferSize, maxStorageBufferBindingSize } = gpu.limits;
    const length = Math.min(COPY_BYTES, maxBufferSize, maxStorageBufferBindingSize) / 4;
    const y = owner.storage('y', Math.max(length, FMA_INVOCATIONS));
    const x = owner.storage('x', length);
    await owner.ready();
    const fma = await Program.build(gpu, 'arithmetic ceiling', [
      dispatch(kernels.probe_fma, { y }, ({ rounds }: Sizes) => ({ ...FMA, rounds })),
    ]);
    const copy = await Program.build(gpu, 'bandwidth ceiling', [
      dispatch(kernels.probe_copy, { x, y }, () => ({ length })),
    ]);
    const flops = await bestRate(gpu, (times) => {
      fma.run({ rounds: times });
      return workOf('probe_fma', { ...FMA, rounds: times }, {}).flops ?? 0;
    });
    const bytes = await bestRate(gpu, (times) => {
      for (let n = 0; n < times; n++) copy.run({});
      return times * (workOf('probe_copy', { length }, {}).bytes ?? 0);
    });
    fma.destroy();
    copy.destroy();
    return { flopsPerSecond: flops, bytesPerSecond: bytes };
  } finally {
    owner.destroy();
  }
}

const FMA = { length: FMA_INVOCATIONS, scale: 0.5, shift: 0.25 };

/**
 * Most work per second.
 * @param run submits `times` times the least work and says how much that was
 */
async function bestRate(gpu: Gpu, run: (times: number) => number): Promise<number> {
  const timed = async (times: number): Promise<{ ms: number; rate: number }> => {
    await gpu.device.queue.onSubmittedWorkDone();
    const startMs = performance.now();
    const work = run(times);
    await gpu.device.queue.onSubmittedWorkDone();
    const ms = performance.now() - startMs;
    return { ms, rate: (1000 * work) / ms };
  };
  let times = 1;
  let { ms, rate } = await timed(times);
  while (ms < LONG_ENOUGH_MS && times < MOST_WORK) {
    times *= 2;
    ({ ms, rate } = await timed(times));
  }
  for (let n = 1; n < TRIES; n++) rate = Math.max(rate, (await timed(times)).rate);
  return rate;
}
