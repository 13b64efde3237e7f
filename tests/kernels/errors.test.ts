import { afterEach, describe, expect, test, vi } from 'vitest';
import { matmulNt } from '../../shaders/matmul/matmul.kernel.ts';
import { gatherRowsForward } from '../../shaders/gather/gather.kernel.ts';
import { BufferOwner, subview } from '../../src/gpu/buffers.ts';
import { openGpu, type Gpu, type OpenGpuOptions } from '../../src/gpu/device.ts';
import {
  BufferTooLargeError,
  DeviceLostError,
  GpuValidationError,
  InvalidDispatchError,
  NoAdapterError,
  NoWebGpuError,
  OutOfMemoryError,
  ShaderCompileError,
} from '../../src/gpu/errors.ts';
import { compile, specialise } from '../../src/gpu/pipelines.ts';
import { Program } from '../../src/gpu/program.ts';
import { f32, Readback } from '../../src/gpu/readback.ts';
import { clear, copy, dispatch } from '../../src/gpu/steps.ts';

const opened: Gpu[] = [];
const open = async (options: OpenGpuOptions = {}): Promise<Gpu> => {
  const gpu = await openGpu(options);
  opened.push(gpu);
  return gpu;
};
afterEach(() => opened.splice(0).forEach((gpu) => gpu.close()));

/** A navigator.gpu that gives this adapter. */
const gpuWith = (requestAdapter: () => Promise<GPUAdapter | null>): GPU =>
  ({ requestAdapter }) as unknown as GPU;

const rejection = async (promise: Promise<unknown>): Promise<Error> => {
  const outcome: unknown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('nothing was thrown');
  return outcome;
};

const gatherStep = (owner: BufferOwner, params: { rows: number; channels: number }) =>
  dispatch(
    gatherRowsForward,
    { table: owner.storage('table', 64), ids: owner.storage('ids', 16), y: owner.storage('y', 64) },
    () => params,
  );

describe('opening a device', () => {
  test('without WebGPU says so and names browsers that have it', async () => {
    const error = await rejection(openGpu({ gpu: null }));
    expect(error).toBeInstanceOf(NoWebGpuError);
    expect(error.message).toMatch(/no navigator\.gpu.*Chrome/);
  });

  test('without an adapter says what to turn on', async () => {
    const error = await rejection(openGpu({ gpu: gpuWith(() => Promise.resolve(null)) }));
    expect(error).toBeInstanceOf(NoAdapterError);
    expect(error.message).toMatch(/hardware acceleration/);
  });

  test('keeps what the browser threw as the cause', async () => {
    const cause = new Error('blocked by policy');
    const error = await rejection(openGpu({ gpu: gpuWith(() => Promise.reject(cause)) }));
    expect(error).toBeInstanceOf(NoAdapterError);
    expect(error.cause).toBe(cause);
  });

  test('takes the larger buffers of the adapter, or the defaults when asked', async () => {
    const [raised, plain] = [await open(), await open({ raiseLimits: false })];
    expect(plain.limits.maxBufferSize).toBe(268435456);
    expect(plain.limits.maxStorageBufferBindingSize).toBe(134217728);
    expect(raised.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(134217728);
    expect(raised.limits.maxStorageBuffersPerShaderStage).toBe(plain.limits.maxStorageBuffersPerShaderStage);
  });
});

describe('WGSL that does not compile', () => {
  test('is reported with kernel, line, text and message', async () => {
    const line = '  let y: u32 = 1.5;';
    const source = gatherRowsForward.source.replace('  let width', `${line}\n  let width`);
    const number = source.split('\n').indexOf(line) + 1;
    const error = await rejection(compile(await open(), { ...gatherRowsForward, source }));
    expect(error).toBeInstanceOf(ShaderCompileError);
    const { kernel, messages } = error as ShaderCompileError;
    expect(kernel).toBe('gather_rows_forward');
    expect(messages[0]).toMatchObject({ line: number, text: line });
    expect(error.message).toContain(`gather_rows_forward.wgsl:${number}`);
    expect(error.message).toMatch(/cannot convert|cannot assign|type/);
  });

  test('a workgroup larger than the device allows is reported with the kernel', async () => {
    const shaping = { overrides: { GROUP_X: 64, GROUP_Y: 64 } };
    const error = await rejection(compile(await open(), matmulNt, shaping));
    expect(error).toBeInstanceOf(ShaderCompileError);
    expect(error.message).toMatch(/matmul_nt.*workgroup/i);
  });

  test('an override or constant that the kernel does not have is refused', async () => {
    const gpu = await open();
    expect(await rejection(compile(gpu, matmulNt, { overrides: { GROUP: 4 } }))).toBeInstanceOf(
      InvalidDispatchError,
    );
    expect(() => specialise(matmulNt, { HEAD_SIZE: 4 })).toThrow(InvalidDispatchError);
  });
});

describe('a lost device', () => {
  test('resolves lost and rejects a reading that waits', async () => {
    const gpu = await open();
    const owner = new BufferOwner(gpu, 'test');
    const view = owner.storage('x', 64);
    await owner.ready();
    const reading = rejection(new Readback(gpu).read({ x: f32(view) }));
    gpu.device.destroy();
    const lost = (await gpu.lost) as DeviceLostError;
    expect(lost).toBeInstanceOf(DeviceLostError);
    expect(lost.reason).toBe('destroyed');
    expect(await reading).toBeInstanceOf(DeviceLostError);
  });
});

describe('memory', () => {
  test('a buffer above the limit is refused with its name, size and limit', async () => {
    const owner = new BufferOwner(await open({ raiseLimits: false }), 'activations');
    const oversize = 134217728 / 4 + 4;
    expect(() => owner.storage('logits', oversize)).toThrow(BufferTooLargeError);
    expect(() => owner.storage('logits', oversize)).toThrow(
      /activations\/logits.*134217744.*134217728.*maxStorageBufferBindingSize/,
    );
  });

  test('a refusal by the device frees the owner and names the buffer', async () => {
    const gpu = await open();
    const owner = new BufferOwner(gpu, 'activations');
    const refusal = { message: 'no memory' } as GPUError;
    vi.spyOn(gpu.device, 'popErrorScope').mockResolvedValueOnce(null).mockResolvedValueOnce(refusal);
    owner.storage('x', 64);
    owner.storage('qkv', 1024);
    const error = await rejection(owner.ready());
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error.message).toMatch(/activations\/qkv.*4096 bytes/);
    expect(gpu.memory.totalBytes).toBe(0);
  });

  test('a view that does not start at the alignment, or runs past the end, is refused', async () => {
    const whole = new BufferOwner(await open(), 'test').storage('x', 256);
    expect(subview(whole, 64, 128)).toMatchObject({ offset: 256, size: 512 });
    expect(() => subview(whole, 4, 8)).toThrow(InvalidDispatchError);
    expect(() => subview(whole, 192, 65)).toThrow(InvalidDispatchError);
    expect(() => copy(subview(whole, 0, 4), subview(whole, 64, 4))).toThrow(/two different GPUBuffers/);
  });
});

describe('a dispatch', () => {
  test('without a buffer, with an unknown one, or with one buffer read and written is refused', async () => {
    const owner = new BufferOwner(await open(), 'test');
    const [table, ids, y] = ['table', 'ids', 'y'].map((label) => owner.storage(label, 64));
    const params = () => ({ rows: 1, channels: 4 });
    expect(() => dispatch(gatherRowsForward, { table, ids }, params)).toThrow(/no buffer for y/);
    expect(() => dispatch(gatherRowsForward, { table, ids, y, z: y }, params)).toThrow(/a buffer for z/);
    expect(() => dispatch(gatherRowsForward, { table, ids, y: table }, params)).toThrow(
      /read as table and written as y/,
    );
  });

  test('with params that are no such number, or a grid that is too large, is refused', async () => {
    const gpu = await open();
    const owner = new BufferOwner(gpu, 'test');
    const negative = await Program.build(gpu, 'negative', [gatherStep(owner, { rows: -1, channels: 4 })]);
    expect(() => negative.run({})).toThrow(/rows = -1/);
    const huge = { ...gatherRowsForward, grid: () => [65536, 1, 1] as const };
    const buffers = gatherStep(owner, { rows: 1, channels: 4 }).buffers;
    const program = await Program.build(gpu, 'huge', [
      dispatch(huge, buffers, () => ({ rows: 1, channels: 4 })),
    ]);
    expect(() => program.run({})).toThrow(/65536 × 1 × 1.*65535/);
  });

  test('with two sizes in one encoder, or a clear inside a pass, is refused', async () => {
    const gpu = await open();
    const owner = new BufferOwner(gpu, 'test');
    const step = gatherStep(owner, { rows: 1, channels: 4 });
    const program = await Program.build(gpu, 'twice', [step, clear(step.buffers.y)]);
    const encoder = gpu.device.createCommandEncoder();
    program.encode(encoder, { rows: 1 });
    program.encode(encoder, { rows: 1 });
    expect(() => program.encode(encoder, { rows: 2 })).toThrow(/two sizes in one command encoder/);
    expect(() => program.encode(encoder.beginComputePass(), { rows: 2 })).toThrow(
      /a clear inside a compute pass/,
    );
  });

  test('that WebGPU refuses outside every scope reaches onError', async () => {
    const onError = vi.fn();
    const gpu = await open({ onError });
    gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    await gpu.device.queue.onSubmittedWorkDone();
    await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
    expect(onError.mock.calls[0][0]).toBeInstanceOf(GpuValidationError);
  });
});
