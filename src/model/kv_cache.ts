import { BufferOwner, type BufferView } from '../gpu/buffers.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';

/** Keys and values of one layer: [places, NKV·HS]. */
export interface LayerCache {
  readonly keyCache: BufferView;
  readonly valueCache: BufferView;
}

/** A pool of places, each for the keys and values of one token; `prefix_cache.ts` says whose. */
export interface KvCache {
  readonly places: number;
  readonly layers: readonly LayerCache[];
  destroy(): void;
}

const CACHE_BYTES = 512 * 2 ** 20; // of all layers together

/** Most places: within the limit on bindings per layer and CACHE_BYTES in all; at least one context. */
export function placeLimit({ gpu, config, contextLength }: DeviceModel): number {
  const layerBytes = 4 * widthsOf(config).cache;
  const perBinding = Math.floor(gpu.limits.maxStorageBufferBindingSize / layerBytes);
  const perBudget = Math.floor(CACHE_BYTES / (2 * config.layers * layerBytes));
  return Math.max(contextLength, Math.min(perBinding, perBudget));
}

/**
 * A cache of `places` places that starts with the contents of `old`, which is freed.
 * @throws OutOfMemoryError, BufferTooLargeError
 */
export async function growKvCache(model: DeviceModel, places: number, old: KvCache | null): Promise<KvCache> {
  const { gpu, config } = model;
  const owner = new BufferOwner(gpu, 'kv cache');
  const length = places * widthsOf(config).cache;
  const layers = Array.from({ length: config.layers }, (_, layer) => ({
    keyCache: owner.storage(`layer ${layer} keys`, length),
    valueCache: owner.storage(`layer ${layer} values`, length),
  }));
  await owner.ready();
  if (old) {
    const encoder = gpu.device.createCommandEncoder({ label: 'grow kv cache' });
    const move = (from: BufferView, to: BufferView): void =>
      encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, from.size);
    old.layers.forEach(({ keyCache, valueCache }, layer) => {
      move(keyCache, layers[layer].keyCache);
      move(valueCache, layers[layer].valueCache);
    });
    gpu.device.queue.submit([encoder.finish()]);
    old.destroy();
  }
  return { places, layers, destroy: () => owner.destroy() };
}
