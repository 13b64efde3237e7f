import { beforeAll, expect, test, vi } from 'vitest';
import { gatherRowsForward } from '../../shaders/gather/gather.kernel.ts';
import {
  matmulNn,
  matmulNnQuads,
  matmulNt,
  matmulNtQuads,
  matmulTn,
  matmulTnQuads,
} from '../../shaders/matmul/matmul.kernel.ts';
import { BufferOwner, subview, upload, VIEW_ALIGNMENT, type BufferView } from '../../src/gpu/buffers.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Shaping } from '../../src/gpu/kernel.ts';
import { compile, specialise } from '../../src/gpu/pipelines.ts';
import { Program } from '../../src/gpu/program.ts';
import { f32, Readback, u32 } from '../../src/gpu/readback.ts';
import { clear, copy, dispatch, stepOn, type DispatchOptions } from '../../src/gpu/steps.ts';
import { describeFailure, runCase } from '../../src/gpu/kernel_check.ts';
import { sharedGpu } from '../support/shared_gpu.ts';

let gpu: Gpu;
let owner: BufferOwner;
let readback: Readback;
beforeAll(async () => {
  gpu = await sharedGpu();
  owner = new BufferOwner(gpu, 'test');
  readback = new Readback(gpu);
});

const table = Float32Array.from({ length: 16 }, (_, index) => index);

async function gather(): Promise<{ program: Program<{ rows: number }>; y: BufferView }> {
  const y = owner.storage('y', 16);
  const ids = owner.storage('ids', Uint32Array.of(3, 0, 1, 2));
  const buffers = { table: owner.storage('table', table), ids, y };
  const step = dispatch(gatherRowsForward, buffers, ({ rows }: { rows: number }) => ({ rows, channels: 4 }));
  return { program: await Program.build(gpu, 'gather', [step]), y };
}

test('a program follows the sizes it is given, and zero rows do nothing', async () => {
  const { program, y } = await gather();
  program.run({ rows: 1 });
  expect([...(await readback.read({ y: f32(y) })).y]).toEqual([
    12,
    13,
    14,
    15,
    ...new Array<number>(12).fill(0),
  ]);
  program.run({ rows: 3 });
  const { y: three } = await readback.read({ y: f32(y) });
  expect([...three]).toEqual([12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0]);
  upload(gpu, y, Float32Array.of(-1));
  program.run({ rows: 0 });
  expect((await readback.read({ y: f32(y) })).y[0]).toBe(-1);
});

test('params are written only when the sizes change', async () => {
  const { program } = await gather();
  const write = vi.spyOn(gpu.device.queue, 'writeBuffer');
  program.run({ rows: 2 });
  program.run({ rows: 2 });
  expect(write).toHaveBeenCalledTimes(1);
  program.run({ rows: 4 });
  expect(write).toHaveBeenCalledTimes(2);
  write.mockRestore();
});

test('clears and copies keep their place between dispatches, views their offsets', async () => {
  const whole = owner.storage('whole', 3 * VIEW_ALIGNMENT);
  const [first, second] = [subview(whole, 0, 4), subview(whole, VIEW_ALIGNMENT, 4)];
  const out = owner.storage('out', 4);
  const ids = owner.storage('ids', Uint32Array.of(1));
  const step = dispatch(gatherRowsForward, { table: owner.storage('table', table), ids, y: second }, () => ({
    rows: 1,
    channels: 4,
  }));
  const program = await Program.build(gpu, 'mixed', [
    step,
    copy(second, out),
    clear(second),
    copy(out, first),
  ]);
  program.run({});
  const read = await readback.read({ whole: f32(whole), out: f32(out), bits: u32(out) });
  expect([...read.out]).toEqual([4, 5, 6, 7]);
  expect([...read.whole.slice(0, 4)]).toEqual([4, 5, 6, 7]);
  expect([...read.whole.slice(VIEW_ALIGNMENT)].every((value) => value === 0)).toBe(true);
  expect(read.bits[0]).toBe(0x40800000);
});

test('dispatches fit into a pass of the caller', async () => {
  const { program, y } = await gather();
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  program.encode(pass, { rows: 1 });
  pass.end();
  const fetch = readback.copy(encoder, { y: f32(y) });
  gpu.device.queue.submit([encoder.finish()]);
  expect((await fetch()).y[3]).toBe(15);
});

test('the ledger counts living bytes by owner', () => {
  const before = gpu.memory.totalBytes;
  const other = new BufferOwner(gpu, 'other');
  other.storage('three', 3);
  other.storage('five', 5);
  expect(gpu.memory.byOwner().other).toBe(48);
  expect(gpu.memory.entries()).toContainEqual({ owner: 'other', label: 'five', bytes: 32 });
  other.destroy();
  expect(gpu.memory.totalBytes).toBe(before);
});

test('one pipeline serves equal shapings, another one different shapings', async () => {
  const [one, two, three] = await Promise.all([
    compile(gpu, matmulNt),
    compile(gpu, matmulNt, { overrides: { GROUP_X: 8 } }),
    compile(gpu, matmulNt, { overrides: { GROUP_X: 4 } }),
  ]);
  expect(two).toBe(one);
  expect(three).not.toBe(one);
  expect(three.shaping).toMatchObject({ GROUP_X: 4, GROUP_Y: 2 });
});

test('a constant is rewritten on its line and nowhere else', () => {
  const source = '// const SIZE: u32 = 4;\nconst SIZE: u32 = 4;\nconst SIZES: u32 = 4;\nconst E: f32 = 1.5;';
  const kernel = { ...gatherRowsForward, source };
  expect(specialise(kernel, { SIZE: 16, E: 2 })).toBe(
    '// const SIZE: u32 = 4;\nconst SIZE: u32 = 16u;\nconst SIZES: u32 = 4;\nconst E: f32 = f32(2);',
  );
});

test('the suite sees a wrong number, a NaN and a write past the end', async () => {
  const [testCase] = gatherRowsForward.cases();
  const right = Array.from(testCase.expected().y);
  const wrong = {
    ...testCase,
    expected: () => ({ y: right.map((value, index) => value + (index === 2 ? 0.5 : 0)) }),
  };
  const offByHalf = await runCase(gpu, gatherRowsForward, wrong);
  expect(offByHalf.mismatches).toHaveLength(1);
  expect(offByHalf.worst).toMatchObject({ tensor: 'y', index: 2, error: 0.5, allowed: 0 });
  expect(describeFailure(offByHalf)).toContain('1 of 4 elements differ');
  const poisoned = { ...testCase, buffers: { ...testCase.buffers, table: new Float32Array(20).fill(NaN) } };
  expect((await runCase(gpu, gatherRowsForward, poisoned)).mismatchCount).toBe(4);
  const longer = { ...testCase, params: { rows: 2, channels: 4 }, overrides: { WORKGROUP: 1 } };
  const overrun = await runCase(gpu, gatherRowsForward, longer);
  expect(describeFailure(overrun)).toContain('past its end');
});

const K = 70;
async function product(
  kernel: typeof matmulNt,
  aByRow: boolean,
  rows: number,
  overrides: Shaping,
): Promise<Float32Array> {
  // a holds 24 rows (or, for tn, 24 columns) of which the first `rows` are used.
  const values = (length: number, phase: number) =>
    Float32Array.from({ length }, (_, index) => Math.sin(12.9898 * index + phase));
  const scratch = new BufferOwner(gpu, 'product');
  const a = scratch.storage('a', values(24 * 72, 0.1));
  const b = scratch.storage('b', values(72 * 72, 0.2));
  const c = scratch.storage('c', rows * 20);
  const strides = { aStride: aByRow ? 72 : 24, bStride: 72, cStride: 20 };
  const params = { m: rows, n: 20, k: K, ...strides, scale: 1 };
  const program = await Program.build(gpu, 'product', [
    dispatch(kernel, { a, b, c }, () => params, { overrides, faster: false }),
  ]);
  program.run({});
  const result = await readback.read({ c: f32(c) });
  program.destroy();
  scratch.destroy();
  return result.c;
}

test.each([
  ['matmul_nt', matmulNt, matmulNtQuads, true],
  ['matmul_nn', matmulNn, matmulNnQuads, true],
  ['matmul_tn', matmulTn, matmulTnQuads, false],
] as const)(
  '%s gives a row the same bits whatever the other rows, the group, and whether quads share loads',
  async (_, kernel, quads, aByRow) => {
    const all = await product(kernel, aByRow, 24, {});
    expect(all[0]).not.toBe(0);
    const variants: [typeof kernel, number, Shaping][] = [
      [kernel, 1, {}],
      [kernel, 5, {}],
      [kernel, 16, {}],
      [kernel, 24, { GROUP_X: 1, GROUP_Y: 4 }],
    ];
    if (gpu.features.has('subgroups')) {
      variants.push([quads, 24, {}], [quads, 5, {}], [quads, 17, { QUADS_X: 1, QUADS_Y: 3 }]);
      for (const overrides of quads.tunable?.candidates ?? []) variants.push([quads, 24, overrides]);
    }
    for (const overrides of kernel.tunable?.candidates ?? []) variants.push([kernel, 24, overrides]);
    for (const [variant, rows, overrides] of variants) {
      const some = await product(variant, aByRow, rows, overrides);
      expect(new Uint32Array(some.buffer)).toEqual(new Uint32Array(all.buffer, 0, rows * 20));
    }
  },
);

test('a step with a faster twin runs it where the device has its feature, and itself elsewhere', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => owner.storage(name, 64));
  const params = { m: 1, n: 4, k: 4, aStride: 4, bStride: 4, cStride: 4, scale: 1 };
  const tuning = new Map<string, Shaping>([['matmul_nt_quads', { QUADS_X: 8, QUADS_Y: 2 }]]);
  const on = (features: readonly string[], options: DispatchOptions = {}, software = false) => {
    const declined = new Set<string>();
    const device = { features: new Set(features), tuning, declined, adapter: { software } };
    const { kernel, shaping } = stepOn(
      device,
      dispatch(matmulNt, { a, b, c }, () => params, options),
    );
    return [kernel.name, shaping.overrides];
  };
  expect(on(['subgroups'])).toEqual(['matmul_nt_quads', { QUADS_X: 8, QUADS_Y: 2 }]);
  expect(on([])).toEqual(['matmul_nt', undefined]);
  expect(on(['subgroups'], { faster: false })).toEqual(['matmul_nt', undefined]);
  expect(on(['subgroups'], { overrides: { GROUP_X: 1 } })).toEqual(['matmul_nt', { GROUP_X: 1 }]); // of one kernel
  expect(on(['subgroups'], {}, true)).toEqual(['matmul_nt_quads', { QUADS_X: 8, QUADS_Y: 2 }]);
  tuning.clear();
  expect(on(['subgroups'], {}, true)).toEqual(['matmul_nt_quads', matmulNt.faster?.onCpu]);
  expect(on(['subgroups'])).toEqual(['matmul_nt_quads', undefined]);
});
