/** What a policy needs of the device's memory, before any of it is asked for: its own allocations, on paper. */
import type { MemoryEntry } from '../gpu/memory.ts';
import { paperGpu } from '../gpu/device.ts';
import type { ModelConfig } from '../units.ts';
import { createDecodeWorkspace } from './decode.ts';
import { createDeviceModel } from './device_model.ts';
import { createKvCache } from './kv_cache.ts';
import type { Capacity } from './microbatches.ts';
import { TRAINED, type StorageRule } from './parameters.ts';
import { createWorkspace } from './training/workspace.ts';

/** How much is computed at once. */
export interface PolicyCapacities {
  readonly contextLength: number; // tokens per row
  readonly training: Capacity;
  /** Null for a policy that only scores. */
  readonly sampling: {
    readonly rows: number; // new tokens of one prefill piece
    readonly sampledRows: number; // requests sampled together
    readonly places: number; // tokens in the KV cache
  } | null;
}

export interface Footprint {
  readonly bytes: number;
  readonly byOwner: Readonly<Record<string, number>>; // bytes
  readonly largest: MemoryEntry; // the buffer that a device's limits refuse first
}

/** Parameters, gradients and moments, activations, decode workspace and KV cache. Programs and staging are not counted. */
export async function footprint(
  config: ModelConfig,
  capacities: PolicyCapacities,
  storage: StorageRule = TRAINED,
): Promise<Footprint> {
  const gpu = paperGpu();
  const model = await createDeviceModel(gpu, config, capacities.contextLength, null, { storage });
  await createWorkspace(model, capacities.training);
  if (capacities.sampling) {
    const { rows, sampledRows, places } = capacities.sampling;
    await createDecodeWorkspace(model, rows, sampledRows);
    await createKvCache(model, places);
  }
  const entries = gpu.memory.entries();
  const largest = entries.reduce((most, entry) => (entry.bytes > most.bytes ? entry : most));
  return { bytes: gpu.memory.totalBytes, byOwner: gpu.memory.byOwner(), largest };
}
