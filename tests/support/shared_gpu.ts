/**
 * One device for all files of a page that leave it as it was: a software adapter takes most of its time to compile, and
 * a pipeline is compiled once a device. A test that loses a device, times it or counts its memory opens its own.
 */
import { openGpu, type Gpu } from '../../src/gpu/device.ts';

let opened: Promise<Gpu> | undefined;

/**
 * At WebGPU's default limits: what passes there passes on every device.
 * @throws NoAdapterError, for every test that asks, where there is no adapter; see openGpu
 */
export const sharedGpu = (): Promise<Gpu> => (opened ??= openGpu({ raiseLimits: false }));
