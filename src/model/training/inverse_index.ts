import { upload, type BufferOwner, type BufferView } from '../../gpu/buffers.ts';
import type { Gpu } from '../../gpu/device.ts';

/** Index that marks an absent row in gather_rows. */
export const NONE = 0xffffffff;

/** For every target, which sources name it, in ascending order: sources[offsets[t] … offsets[t+1]]. */
export interface InverseIndex {
  readonly offsets: Uint32Array<ArrayBuffer>; // [targets + 1]
  readonly sources: Uint32Array<ArrayBuffer>; // [count of ids that are not NONE]
}

/**
 * Turns a gather around, so that its gradient is a sum per target in a fixed order, without atomics.
 * @param ids target of each source, or NONE
 */
export function invertIndex(ids: Uint32Array, targets: number): InverseIndex {
  const offsets = new Uint32Array(targets + 1);
  for (const id of ids) if (id !== NONE) offsets[id + 1]++;
  for (let target = 0; target < targets; target++) offsets[target + 1] += offsets[target];
  const next = offsets.slice(0, targets);
  const sources = new Uint32Array(offsets[targets]);
  ids.forEach((id, source) => {
    if (id !== NONE) sources[next[id]++] = source;
  });
  return { offsets, sources };
}

/** An inverse index on the device. */
export interface IndexViews {
  readonly offsets: BufferView; // [targets + 1] u32
  readonly sources: BufferView; // u32
}

export const createIndex = (
  owner: BufferOwner,
  label: string,
  targets: number,
  sources: number,
): IndexViews => ({
  offsets: owner.storage(`${label} offsets`, targets + 1),
  sources: owner.storage(`${label} sources`, sources),
});

export function uploadIndex(gpu: Gpu, views: IndexViews, { offsets, sources }: InverseIndex): void {
  upload(gpu, views.offsets, offsets);
  upload(gpu, views.sources, sources);
}
