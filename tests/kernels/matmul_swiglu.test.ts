import { beforeAll, expect, test } from 'vitest';
import { wave } from '../../shaders/case_data.ts';
import { kernels } from '../../shaders/index.ts';
import { BufferOwner } from '../../src/gpu/buffers.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { Program } from '../../src/gpu/program.ts';
import { Readback, u32 } from '../../src/gpu/readback.ts';
import { dispatch, type Step } from '../../src/gpu/steps.ts';
import { sharedGpu } from '../support/shared_gpu.ts';

const [INPUTS, HIDDEN] = [64, 20];

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

type Rows = Readonly<{ rows: number }>;

/** Bits of h for the first `rows` rows of one input, by the fused kernel or by the two that it stands for. */
async function hiddenBits(rows: number, way: 'two kernels' | 'fused' | 'fused, no twin') {
  const owner = new BufferOwner(gpu, 'matmul_swiglu test');
  const x = owner.storage('x', wave(rows * INPUTS, 0.3));
  const weight = owner.storage('weight', wave(2 * HIDDEN * INPUTS, 0.7));
  const gateUp = owner.storage('gateUp', rows * 2 * HIDDEN);
  const h = owner.storage('h', rows * HIDDEN);
  await owner.ready();
  const strides = { aStride: INPUTS, bStride: INPUTS, cStride: 2 * HIDDEN };
  const product = { m: rows, n: 2 * HIDDEN, k: INPUTS, ...strides, scale: 1 };
  const steps: Step<Rows>[] =
    way === 'two kernels'
      ? [
          dispatch(kernels.matmul_nt, { a: x, b: weight, c: gateUp }, () => product),
          dispatch(kernels.swiglu_forward, { gateUp, h }, (sizes: Rows) => ({ ...sizes, hidden: HIDDEN })),
        ]
      : [
          dispatch(
            kernels.matmul_swiglu,
            { x, weight, h },
            (sizes: Rows) => ({ ...sizes, hidden: HIDDEN, inputs: INPUTS }),
            { faster: way === 'fused' },
          ),
        ];
  const program = await Program.build(gpu, 'matmul_swiglu test', steps);
  program.run({ rows });
  const readback = new Readback(gpu);
  const { bits } = await readback.read({ bits: u32(h) });
  [program, readback, owner].forEach((owned) => owned.destroy());
  return bits.slice(0, rows * HIDDEN);
}

test('matmul_swiglu gives the bits of matmul_nt and swiglu_forward, whatever the other rows', async () => {
  const all = await hiddenBits(37, 'two kernels');
  expect(await hiddenBits(37, 'fused')).toEqual(all);
  expect(await hiddenBits(37, 'fused, no twin')).toEqual(all);
  expect(await hiddenBits(3, 'fused')).toEqual(all.slice(0, 3 * HIDDEN));
});
