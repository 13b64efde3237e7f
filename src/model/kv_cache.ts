import { BufferOwner, type BufferView } from '../gpu/buffers.ts';
import type { ModelConfig } from '../units.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';

/** Keys and values of one layer: [places, NKV·HS]. */
export interface LayerCache {
  readonly keyCache: BufferView;
  readonly valueCache: BufferView;
}

/** A pool of places, each for the keys and values of one token; `prefix_cache.ts` says whose. */
export interface KvCache {
  readonly layers: readonly LayerCache[];
  destroy(): void;
}

const CACHE_BYTES = 256 * 2 ** 20; // of all layers together

/** Most places: within the limit on bindings per layer and CACHE_BYTES in all; at least one context. */
export function placeLimit(
  limits: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize'>,
  config: ModelConfig,
  contextLength: number,
): number {
  const layerBytes = 4 * widthsOf(config).cache;
  const perBinding = Math.floor(limits.maxStorageBufferBindingSize / layerBytes);
  const perBudget = Math.floor(CACHE_BYTES / (2 * config.layers * layerBytes));
  return Math.max(contextLength, Math.min(perBinding, perBudget));
}

/** @throws OutOfMemoryError, BufferTooLargeError */
export async function createKvCache(model: DeviceModel, places: number): Promise<KvCache> {
  const owner = new BufferOwner(model.gpu, 'kv cache');
  const length = places * widthsOf(model.config).cache;
  const layers = Array.from({ length: model.config.layers }, (_, layer) => ({
    keyCache: owner.storage(`layer ${layer} keys`, length),
    valueCache: owner.storage(`layer ${layer} values`, length),
  }));
  await owner.ready();
  return { layers, destroy: () => owner.destroy() };
}
