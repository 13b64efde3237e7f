import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Courtesy } from '../../src/gpu/courtesy.ts';
import { Readback, f32 } from '../../src/gpu/readback.ts';
import { paperGpu } from '../../src/gpu/device.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Ms from now until `work` ends; it is asked again every `againMs`, if given. */
async function waits(courtesy: Courtesy, againMs = Infinity): Promise<number> {
  const start = performance.now();
  let end = NaN;
  void courtesy.pass().then(() => (end = performance.now()));
  for (let ms = 1; ms < 1000 && Number.isNaN(end); ms += 1) {
    await vi.advanceTimersByTimeAsync(1);
    if (ms % againMs === 0) courtesy.ask();
  }
  return end - start;
}

test('nobody is waited for who has not asked, or not lately', async () => {
  const courtesy = new Courtesy({ holdMs: 100 });
  expect(courtesy.asked).toBe(false);
  courtesy.ask();
  expect(courtesy.asked).toBe(true);
  await vi.advanceTimersByTimeAsync(100);
  expect(courtesy.asked).toBe(false);
});

test('a result is held until a person has done nothing for a while', async () => {
  const courtesy = new Courtesy({ holdMs: 100, longestMs: 400 });
  courtesy.ask();
  await vi.advanceTimersByTimeAsync(30);
  expect(await waits(courtesy)).toBe(70);
});

test('a drag that goes on holds each result for a limited time', async () => {
  const courtesy = new Courtesy({ holdMs: 100, longestMs: 400 });
  courtesy.ask();
  expect(await waits(courtesy, 50)).toBe(400);
});

test('a readback arrives late, and unchanged', async () => {
  vi.stubGlobal('GPUBufferUsage', { MAP_READ: 1, COPY_DST: 8 }); // node has none
  vi.stubGlobal('GPUMapMode', { READ: 1 });
  const courtesy = new Courtesy({ holdMs: 100, longestMs: 400 });
  const paper = paperGpu();
  const values = Float32Array.of(1, -2, 3.5, 0);
  const mapped = {
    mapAsync: () => Promise.resolve(),
    getMappedRange: () => values.buffer,
    unmap: () => undefined,
  };
  const device = {
    ...paper.device,
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(null),
    createBuffer: ({ size }: GPUBufferDescriptor) => ({ ...mapped, size, destroy: () => undefined }),
  } as unknown as GPUDevice; // what a readback uses of one
  const encoder = { copyBufferToBuffer: () => undefined } as unknown as GPUCommandEncoder;
  const readback = new Readback({ ...paper, device, courtesy });
  const view = { buffer: {} as GPUBuffer, offset: 0, size: values.byteLength };
  const fetch = readback.copy(encoder, { x: f32(view) });
  courtesy.ask();
  const start = performance.now();
  let read: Awaited<ReturnType<typeof fetch>> | null = null;
  void fetch().then((arrays) => (read = arrays));
  await vi.advanceTimersByTimeAsync(99);
  expect(read).toBe(null);
  await vi.advanceTimersByTimeAsync(1);
  expect(performance.now() - start).toBe(100);
  expect(read).toEqual({ x: values });
});
