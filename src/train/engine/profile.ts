/** The profile of one update on a device, from its beginning to its end. */
import { workOf } from '../../../shaders/work.ts';
import type { Gpu } from '../../gpu/device.ts';
import { Profiler } from '../../gpu/profiler.ts';
import { deviceCeilings } from './ceilings.ts';
import type { MemoryShare, UpdateProfile } from '../../protocol/protocol.ts';

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
