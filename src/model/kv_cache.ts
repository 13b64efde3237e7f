import { BufferOwner, type BufferView } from '../gpu/buffers.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';

/** Keys and values of one layer, by place: [slots·contextLength, NKV·HS]. */
export interface LayerCache {
  readonly keyCache: BufferView;
  readonly valueCache: BufferView;
}

/** Keys and values of the sequences being sampled, one slot each. */
export interface KvCache {
  readonly slots: number;
  readonly layers: readonly LayerCache[];
  readonly places: BufferView; // [slots, contextLength] u32: where the keys and values of a slot's positions lie
  destroy(): void;
}

const CACHE_BYTES = 512 * 2 ** 20; // of all layers together

/** Most slots: within the limit on bindings per layer and CACHE_BYTES in all; at least 2. */
export function slotLimit({ gpu, config, contextLength }: DeviceModel): number {
  const layerBytes = 4 * contextLength * widthsOf(config).cache;
  const perBinding = Math.floor(gpu.limits.maxStorageBufferBindingSize / layerBytes);
  const perBudget = Math.floor(CACHE_BYTES / (2 * config.layers * layerBytes));
  return Math.max(2, Math.min(perBinding, perBudget));
}

/**
 * A cache of `slots` slots that starts with the contents of `old`, which is freed.
 * @throws OutOfMemoryError, BufferTooLargeError
 */
export async function growKvCache(model: DeviceModel, slots: number, old: KvCache | null): Promise<KvCache> {
  const { gpu, config, contextLength } = model;
  const owner = new BufferOwner(gpu, 'kv cache');
  const length = slots * contextLength * widthsOf(config).cache;
  const layers = Array.from({ length: config.layers }, (_, layer) => ({
    keyCache: owner.storage(`layer ${layer} keys`, length),
    valueCache: owner.storage(`layer ${layer} values`, length),
  }));
  const places = owner.storage(
    'places',
    Uint32Array.from({ length: slots * contextLength }, (_, place) => place),
  );
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
  return { slots, layers, places, destroy: () => owner.destroy() };
}
