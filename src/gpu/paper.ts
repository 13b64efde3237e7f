/**
 * A device on paper: it keeps the ledger of what would be allocated and allocates nothing. Whatever creates its buffers
 * through BufferOwner can be asked what it needs before a device is asked for it, by the same code.
 */
import { AnswerWatch } from './answer_watch.ts';
import type { Gpu } from './device.ts';
import { MemoryLedger } from './memory.ts';

const NOTHING = (): undefined => undefined;

/** A Gpu for BufferOwner alone: programs cannot be built on it. Buffers of any size are granted. */
export function paperGpu(): Gpu {
  const device = {
    createBuffer: ({ label, size }: GPUBufferDescriptor) => ({ label, size, destroy: NOTHING }),
    pushErrorScope: NOTHING,
    popErrorScope: () => Promise.resolve(null),
    queue: { writeBuffer: NOTHING },
  };
  return {
    device: device as unknown as GPUDevice, // what BufferOwner and upload() use of one
    adapter: { vendor: '', architecture: '', description: 'paper', software: true },
    limits: { maxBufferSize: Infinity, maxStorageBufferBindingSize: Infinity } as GPUSupportedLimits,
    features: new Set() as unknown as GPUSupportedFeatures,
    memory: new MemoryLedger(),
    profiling: { observer: null },
    tuning: new Map(),
    declined: new Set(),
    lost: new Promise(NOTHING),
    answers: new AnswerWatch(),
    giveUp: NOTHING,
    close: NOTHING,
  };
}
