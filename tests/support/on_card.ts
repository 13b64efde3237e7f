import type { Gpu } from '../../src/gpu/device.ts';

/** The same device under the name of a graphics card: programs built on it run the kernels made for those. */
export const onCard = (gpu: Gpu): Gpu => ({
  ...gpu,
  adapter: { ...gpu.adapter, software: false },
  tuning: new Map(),
  declined: new Set(),
});
