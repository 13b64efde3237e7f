import { beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { checkFits, grantedBytes, runFootprint } from '../../src/train/config/fit.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import { Engine } from '../../src/train/engine/engine.ts';
import { presets } from '../../src/train/config/presets.ts';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import type { RunConfig } from '../../src/units.ts';
import { lentGpu, sharedGpu } from '../support/shared_gpu.ts';

let gpu: Gpu;
beforeAll(async () => void (gpu = await sharedGpu()));

function instant(changes: Partial<RunConfig> = {}): RunConfig {
  const { config } = presets.get('instant') ?? {};
  if (!config) throw new Error('there is no instant preset');
  const evaluation = { every: 0, questions: 0, datasets: ['hotpot'] };
  return { ...config, weights: null, updates: 1, promptsPerUpdate: 4, evaluation, ...changes };
}

type Entry = ReturnType<Gpu['memory']['entries']>[number];

test('a run takes what its footprint says with the first update, and creates no buffer after it', async () => {
  const evaluation = { every: 1, questions: 8, datasets: ['hotpot'] };
  const config = instant({ updates: 3, evaluation });
  const buffers = new Map<GPUBuffer, number>();
  let created = 0;
  let stopSpying: () => void = () => undefined;
  const spied = {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await lentGpu.requestAdapter(options);
      const request = adapter?.requestDevice.bind(adapter);
      if (adapter && request)
        adapter.requestDevice = async (descriptor) => {
          const device = await request(descriptor);
          stopSpying = spy(device, buffers, () => (created += 1));
          return device;
        };
      return adapter;
    },
  } as GPU;
  const events: EngineEvent[] = [];
  const createdBy: number[] = []; // at the end of each update
  const engine = new Engine({
    post: (event) => {
      events.push(event);
      if (event.kind === 'metrics') createdBy.push(created);
    },
    openBackend: () => openGpuBackend({ gpu: spied }),
    fetchWeights: () => Promise.reject(new Error('no weights are asked for')),
  });
  await engine.start();
  await engine.dispatch({ kind: 'open', config });
  await engine.dispatch({ kind: 'play' });
  await expect.poll(() => events.some(isOver), { timeout: 60_000 }).toBe(true);
  expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
  const actual = [...buffers.values()].reduce((sum, size) => sum + size, 0);
  expect([...createdBy, created]).toEqual(Array(4).fill(createdBy[0]));
  await engine.dispose();
  stopSpying(); // the device is that of the page

  const { bytes } = await runFootprint(config, gpu.limits);
  expect(Math.abs(bytes - actual) / actual).toBeLessThan(0.01);
  console.log(`ledger ${actual}, footprint ${bytes} bytes`);
});

const isOver = (event: EngineEvent): boolean =>
  event.kind === 'failed' || (event.kind === 'status' && event.status === 'finished');

/**
 * Keeps the sizes of the device's living buffers, and tells of each that is created.
 * @returns ends it
 */
function spy(device: GPUDevice, buffers: Map<GPUBuffer, number>, onCreate: () => void): () => void {
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    buffers.set(buffer, descriptor.size);
    onCreate();
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      buffers.delete(buffer);
      destroy();
      return undefined;
    };
    return buffer;
  };
  return () => void (device.createBuffer = create);
}

test('a run that cannot fit says what it needs, what there is and which value fits, and allocates nothing', async () => {
  const config = instant({ model: { ...instant().model, hidden: 400_000 } });
  const limits = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 } as GPUSupportedLimits;
  const small: Gpu = { ...gpu, limits };
  const before: readonly Entry[] = gpu.memory.entries();
  const error = await checkFits(small, config).then(
    () => null,
    (refused: unknown) => refused as { name: string; report: Record<string, string> },
  );
  expect(error?.name).toBe('DoesNotFitError');
  expect(error?.report.what).toMatch(/needs [\d,]+ MB$/);
  expect(error?.report.where).toContain('gateUp');
  expect(error?.report.wanted).toBe('at most 128 MB per buffer (maxStorageBufferBindingSize)');
  const value = Number(/model\.hidden to (\d+)/.exec(error?.report.next ?? '')?.[1]);
  const with_ = (hidden: number) => instant({ model: { ...config.model, hidden } });
  await checkFits(small, with_(value));
  await expect(checkFits(small, with_(value + 4))).rejects.toThrow('does not fit');
  expect(gpu.memory.entries()).toEqual(before);
});

test('the device is asked for large amounts and gets them back', async () => {
  expect(await grantedBytes(gpu, 100_000_000)).toBe(100_000_000);
  const refusing = {
    ...gpu,
    device: {
      createBuffer: () => ({ destroy: () => undefined }),
      pushErrorScope: () => undefined,
      popErrorScope: () => Promise.resolve(++asked > 2 ? new Error('no') : null),
    } as unknown as GPUDevice,
  };
  let asked = 0;
  expect(await grantedBytes(refusing, 2 ** 30)).toBe(2 ** 28);
});
