import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import { footprint } from '../../src/model/footprint.ts';
import { checkFits, grantedBytes, runFootprint } from '../../src/train/fit.ts';
import { openGpuBackend } from '../../src/train/gpu_backend.ts';
import { Engine } from '../../src/train/engine.ts';
import { presets } from '../../src/train/presets.ts';
import type { RunEvent } from '../../src/train/protocol.ts';
import type { RunConfig } from '../../src/units.ts';

let gpu: Gpu;
beforeAll(async () => void (gpu = await openGpu()));
afterAll(() => gpu.close());

function instant(changes: Partial<RunConfig> = {}): RunConfig {
  const { config } = presets.get('instant') ?? {};
  if (!config) throw new Error('there is no instant preset');
  const evaluation = { every: 0, questions: 0, datasets: ['hotpot'] };
  return { ...config, weights: null, updates: 1, promptsPerUpdate: 4, evaluation, ...changes };
}

type Entry = ReturnType<Gpu['memory']['entries']>[number];

test('the footprint of a run is what the ledger says after an update, within 1 %', async () => {
  const config = instant();
  const buffers = new Map<GPUBuffer, { label: string; size: number }>();
  const spied = {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await navigator.gpu.requestAdapter(options);
      const request = adapter?.requestDevice.bind(adapter);
      if (adapter && request)
        adapter.requestDevice = async (descriptor) => {
          const device = await request(descriptor);
          spy(device, buffers);
          return device;
        };
      return adapter;
    },
  } as GPU;
  const events: RunEvent[] = [];
  const engine = new Engine({
    post: (event) => events.push(event),
    openBackend: () => openGpuBackend({ gpu: spied }),
    fetchWeights: () => Promise.reject(new Error('no weights are asked for')),
  });
  await engine.start();
  await engine.dispatch({ kind: 'open', config });
  await engine.dispatch({ kind: 'play' });
  await expect.poll(() => events.some(isOver), { timeout: 60_000 }).toBe(true);
  expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
  const living = [...buffers.values()];
  await engine.dispose();

  const elements = (label: string): number => {
    const found = living.find((buffer) => buffer.label === label);
    if (!found) throw new Error(`no buffer ${label}: ${living.map((buffer) => buffer.label).join(', ')}`);
    return found.size / 4;
  };
  const { kvHeads, headSize } = config.model;
  const contextLength = 96;
  const measured = await footprint(config.model, {
    contextLength,
    training: {
      tokens: elements('activations/tokens'),
      predicted: elements('activations/predecessors'),
      scored: elements('activations/loss scored'),
    },
    sampling: {
      rows: elements('decode activations/currentToken'),
      sampledRows: elements('decode activations/rowState') / 8,
      places: elements('kv cache/layer 0 keys') / (kvHeads * headSize),
    },
  });
  const actual = living.reduce((sum, { size }) => sum + size, 0);
  expect(Math.abs(measured.bytes - actual) / actual).toBeLessThan(0.01);
  const atMost = await runFootprint(config, gpu.limits);
  expect(atMost.bytes).toBeGreaterThanOrEqual(measured.bytes);
  console.log(`ledger ${actual}, footprint ${measured.bytes}, at most ${atMost.bytes} bytes`);
});

const isOver = (event: RunEvent): boolean =>
  event.kind === 'failed' || (event.kind === 'status' && event.status === 'finished');

/** Keeps the labels and sizes of the device's living buffers. */
function spy(device: GPUDevice, buffers: Map<GPUBuffer, { label: string; size: number }>): void {
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    buffers.set(buffer, { label: descriptor.label ?? '', size: descriptor.size });
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      buffers.delete(buffer);
      destroy();
      return undefined;
    };
    return buffer;
  };
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
