import { beforeAll, describe, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { matmulCaseOf, SEVERAL_TILES, type Layout } from '../../shaders/matmul/matmul.kernel.ts';
import { autotune } from '../../src/gpu/autotune.ts';
import { BufferOwner } from '../../src/gpu/buffers.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Kernel, KernelCase } from '../../src/gpu/kernel.ts';
import { runOnce } from '../../src/gpu/kernel_check.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';
import { Program } from '../../src/gpu/program.ts';
import { dispatch, stepsOn, type CardStep } from '../../src/gpu/steps.ts';
import { onCard } from '../support/on_card.ts';
import { sharedGpu } from '../support/shared_gpu.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

/** Twins whose lanes share a sum: the oracle judges them, in cases of their own. */
const SUMS_IN_LANES = ['token_stats_forward', 'sample_token'];

const catalogue: readonly AnyKernel[] = Object.values(kernels);
const twins = catalogue.flatMap((kernel) =>
  (kernel.onCards ?? []).map((twin, index) => ({ name: `${kernel.name} ${index}`, kernel, twin })),
);

/** Cases that are done in a moment, odd sizes among them; products that add, whose pipelines kernels.test.ts compiled. */
const smallCases = (kernel: AnyKernel): readonly KernelCase[] =>
  kernel
    .cases()
    .filter(({ buffers }) => Object.values(buffers).every(({ length }) => length < 5000))
    .filter(({ constants }) => constants?.ACCUMULATE !== 0)
    .slice(-2);

const bits = (arrays: Awaited<ReturnType<typeof runOnce>>) =>
  Object.entries(arrays).map(([name, array]) => [
    name,
    new Uint32Array(array.buffer, array.byteOffset, array.length),
  ]);

test.for(twins.filter(({ kernel }) => !SUMS_IN_LANES.includes(kernel.name)))(
  'on a card, $name gives the same bits',
  async ({ kernel, twin }, { skip }) => {
    const runs = twin.kernel ?? kernel;
    if (runs.feature && !gpu.features.has(runs.feature)) skip(`this device has no ${runs.feature}`);
    const layout = /^matmul_(nt|nn|tn)$/.exec(kernel.name)?.[1] as Layout | undefined; // as the pattern says
    const cases = [...smallCases(kernel), ...(layout ? [matmulCaseOf(layout, SEVERAL_TILES)] : [])];
    expect(cases.length).toBeGreaterThan(0);
    for (const { overrides, constants, ...rest } of cases) {
      const plain = await runOnce(gpu, kernel, { ...rest, overrides, constants });
      const shaping = { overrides: twin.overrides, constants: { ...constants, ...twin.constants } };
      expect(bits(await runOnce(gpu, runs, { ...rest, ...shaping })), rest.title).toEqual(bits(plain));
    }
  },
);

describe('which kernel a dispatch runs', () => {
  const params = { m: 16, n: 64, k: 4, aStride: 4, bStride: 4, cStride: 64, scale: 1 };
  type Rows = Readonly<{ rows: number }>;
  const withProduct = <T>(of: Gpu, work: (step: ReturnType<typeof product>, owner: BufferOwner) => T): T => {
    const owner = new BufferOwner(of, 'card twins');
    const step = product(owner);
    return work(step, owner);
  };
  const product = (owner: BufferOwner) => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => owner.storage(name, 128 * 2048));
    return dispatch(kernels.matmul_nt, { a, b, c }, ({ rows }: Rows) => ({
      ...params,
      m: rows,
      n: 2048,
      cStride: 2048,
    }));
  };
  const nameOf = ({ step: { kernel, shaping } }: CardStep<Rows>): string =>
    `${kernel.name} ${shaping.constants?.SIDE ?? ''}`.trim();
  const namesOn = (of: Gpu, rows: number): string =>
    withProduct(of, (step, owner) => {
      owner.destroy();
      return nameOf(stepsOn(of, step).find(({ suits }) => !suits || suits(step.params({ rows })))!);
    });

  test('on a card the first twin that suits the sizes of the encoding, on the CPU none', () => {
    const card = onCard(gpu);
    expect(namesOn(card, 8)).toBe('matmul_nt_rows');
    expect(namesOn(card, 100)).toBe('matmul_nt_tiles 32');
    expect(namesOn(card, 1000)).toBe('matmul_nt_tiles 64');
    expect(namesOn(card, 4000)).toBe('matmul_nt_tiles 128');
    expect(namesOn({ ...card, declined: new Set(['matmul_nt']) }, 8)).toMatch(/^matmul_nt(_quads)?$/);
    expect(namesOn(gpu, 4000)).toMatch(/^matmul_nt(_quads)?$/);
  });

  test('none but those that some encoding runs: no larger tiles than the most rows fill, nothing after what always suits', () => {
    const owner = new BufferOwner(gpu, 'card twins');
    const card = onCard(gpu);
    const step = product(owner);
    const names = (rows?: number) =>
      stepsOn(card, step, rows === undefined ? undefined : { rows }).map(nameOf);
    const all = ['matmul_nt_tiles 128', 'matmul_nt_tiles 64', 'matmul_nt_tiles 32', 'matmul_nt_rows'];
    expect(names()).toEqual(all);
    expect(names(4000)).toEqual(all);
    expect(names(1000)).toEqual(all.slice(1));
    expect(names(100)).toEqual(all.slice(2));
    expect(names(8)).toEqual(all.slice(3));
    for (const most of [8, 100, 1000, 4000])
      for (const rows of [0, 1, 8, 96, 97, 1000, 4000].filter((each) => each <= most)) {
        const fits = ({ suits }: CardStep<Rows>): boolean => !suits || suits(step.params({ rows }));
        const chosen = stepsOn(card, step, { rows: most }).find(fits)!;
        expect(nameOf(chosen), `${rows} of at most ${most}`).toBe(nameOf(stepsOn(card, step).find(fits)!));
      }
    const [a, b, c] = ['a', 'b', 'c'].map((name) => owner.storage(name, 64));
    const weight = (width: number) =>
      dispatch(kernels.matmul_tn, { a, b, c }, ({ rows: k }: Rows) => ({ ...params, m: width, n: width, k }));
    expect(stepsOn(card, weight(64), { rows: 4096 }).map(nameOf)).toEqual(['matmul_tn_small_tiles']);
    expect(stepsOn(card, weight(1024), { rows: 4096 }).map(nameOf)).toEqual(['matmul_tn_tiles 64']);
    owner.destroy();
  });

  test('without subgroups no twin that needs them', () => {
    const owner = new BufferOwner(gpu, 'card twins');
    const { attention_forward: kernel } = kernels;
    const buffers = Object.fromEntries(kernel.bindings.map(({ name }) => [name, owner.storage(name, 64)]));
    const step = dispatch(kernel, buffers, () => ({ tokens: 1, heads: 1, kvHeads: 1, scale: 1 }));
    const names = (features: readonly string[]) =>
      stepsOn({ ...onCard(gpu), features: new Set(features) }, step).map((each) => each.step.kernel.name);
    expect(names([])).toEqual(['attention_forward']);
    expect(names(['subgroups'])).toEqual(['attention_forward_tiles']);
    owner.destroy();
  });

  test('a program changes its kernel with its sizes, and tells a profile of the one that runs', async () => {
    const owner = new BufferOwner(gpu, 'card twins');
    const [x, weight, y, inverseRms] = ['x', 'weight', 'y', 'inverseRms'].map((name) =>
      owner.storage(name, 256),
    );
    await owner.ready();
    const { rmsnorm_forward: norm } = kernels;
    const many: Kernel<typeof norm.params> = {
      ...norm,
      onCards: [{ kernel: kernels.rmsnorm_forward_lanes, suits: ({ rows }) => rows > 2 }],
    };
    const seen: string[] = [];
    const observer = {
      separatePasses: false,
      see: ({ kernel }: { kernel: string }) => void seen.push(kernel),
    };
    const step = dispatch(many, { x, weight, y, inverseRms }, ({ rows }: Rows) => ({
      rows,
      channels: 4,
      epsilon: 1,
    }));
    const program = await Program.build(onCard(gpu), 'card twins', [step]);
    const forTwo = await Program.build(onCard(gpu), 'card twins', [step], { rows: 2 });
    gpu.profiling.observer = observer;
    for (const rows of [5, 2, 3]) program.run({ rows });
    forTwo.run({ rows: 5 });
    gpu.profiling.observer = null;
    expect(seen.splice(0, 3)).toEqual(['rmsnorm_forward_lanes', 'rmsnorm_forward', 'rmsnorm_forward_lanes']);
    expect(seen, 'more rows than the program was built for').toEqual(['rmsnorm_forward']);
    [program, forTwo, owner].forEach((owned) => owned.destroy());
  });
});

test('a device whose own groups are faster declines the twins, and a known choice is taken', async () => {
  const { attention_forward: plain, attention_forward_quads: quads } = kernels;
  const decided = async (answer: string): Promise<readonly string[]> => {
    const card = onCard(gpu);
    const store = { get: () => Promise.resolve(answer), set: () => Promise.reject(new Error('timed again')) };
    await autotune(card, [plain, quads], store);
    return [...card.declined];
  };
  expect(await decided('0')).toEqual([]);
  expect(await decided('1')).toEqual(['attention_forward']);
});
