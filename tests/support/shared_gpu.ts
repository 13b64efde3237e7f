/**
 * One device for all files of a page that leave it as it was: a software adapter takes most of its time to compile, and
 * a pipeline is compiled once a device. A test that loses a device, times it or counts its memory opens its own.
 */
import { openGpu, type Gpu } from '../../src/gpu/device.ts';

let device: Promise<GPUDevice> | undefined;
let opened: Promise<Gpu> | undefined;

/**
 * Stands in for navigator.gpu, for engines too: whoever asks for a device gets the one of the page, which closing leaves
 * open. At WebGPU's default limits: what passes there passes on every device.
 */
export const lentGpu = {
  wgslLanguageFeatures: globalThis.navigator?.gpu?.wgslLanguageFeatures,
  async requestAdapter(options?: GPURequestAdapterOptions) {
    const adapter = await navigator.gpu.requestAdapter(options);
    if (!adapter) return null; // no adapter fails every test that asks
    const request = adapter.requestDevice.bind(adapter);
    const timestamps = (['timestamp-query'] as const).filter((name) => adapter.features.has(name));
    adapter.requestDevice = ({ requiredFeatures = [] } = {}) =>
      (device ??= request({ requiredFeatures: [...new Set([...requiredFeatures, ...timestamps])] }).then(
        (lent) => Object.assign(lent, { destroy: () => undefined }),
      ));
    return adapter;
  },
} as GPU; // what openGpu uses of it

/** @throws NoAdapterError, for every test that asks, where there is no adapter; see openGpu */
export const sharedGpu = (): Promise<Gpu> => (opened ??= openGpu({ gpu: lentGpu }));
