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
const LAUNCHES = 64; // in one submission, so that submitting weighs little
const FULL = 0.9; // of the best rate

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
      dispatch(kernels.probe_fma, { y }, ({ rounds, length: invocations }: Sizes) => ({ ...FMA, rounds, length: invocations })), // prettier-ignore
    ]);
    const launches = await Program.build(
      gpu,
      'launches',
      Array.from({ length: LAUNCHES }, () => dispatch(kernels.probe_copy, { x, y }, () => ({ length: 4 }))),
    );
    const arithmetic = (invocations: number) => (times: number) => {
      fma.run({ rounds: times, length: invocations });
      return workOf('probe_fma', { ...FMA, rounds: times, length: invocations }, {}).flops ?? 0;
    };
    const copy = await Program.build(gpu, 'bandwidth ceiling', [
      dispatch(kernels.probe_copy, { x, y }, () => ({ length })),
    ]);
    const flops = await bestRate(gpu, arithmetic(FMA_INVOCATIONS));
    const bytes = await bestRate(gpu, (times) => {
      for (let n = 0; n < times; n++) copy.run({});
      return times * (workOf('probe_copy', { length }, {}).bytes ?? 0);
    });
    const dispatches = await bestRate(gpu, (times) => {
      for (let n = 0; n < times; n++) launches.run({});
      return times * LAUNCHES;
    });
    const reaches = async (groups: number): Promise<boolean> =>
      (await bestRate(gpu, arithmetic(groups * GROUP))) >= FULL * flops;
    let [few, many] = [0, Math.log2(FMA_INVOCATIONS / GROUP)]; // powers of two, the second is enough
    while (few < many) {
      const middle = (few + many) >> 1;
      if (await reaches(2 ** middle)) many = middle;
      else few = middle + 1;
    }
    for (const program of [fma, copy, launches]) program.destroy();
    return {
      flopsPerSecond: flops,
      bytesPerSecond: bytes,
      launchMs: 1000 / dispatches,
      fillingGroups: 2 ** many,
    };
  } finally {
    owner.destroy();
  }
}

const FMA = { scale: 0.5, shift: 0.25 };
const GROUP = kernels.probe_fma.overrides.WORKGROUP; // invocations of a workgroup

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
