import { expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { autotune, browserStore, choose, type TuningStore } from '../../src/gpu/autotune.ts';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';
import { lentGpu } from '../support/shared_gpu.ts';

// That every candidate gives the same bits is tested in program.test.ts.
const tunable: readonly AnyKernel[] = [kernels.matmul_nt, kernels.matmul_nt_quads];

/** Nothing tuned or declined yet. The device of the page has subgroups where the adapter has. */
const open = (subgroups = true): Promise<Gpu> => openGpu(subgroups ? { gpu: lentGpu } : { subgroups });

/** A store that remembers what it was told; `answer` stands in for what it finds. */
function memory(answer: string | null = null): TuningStore & { readonly told: Map<string, string> } {
  const told = new Map<string, string>();
  return {
    told,
    get: (key) => Promise.resolve(told.get(key) ?? answer),
    set: (key, value) => Promise.resolve(void told.set(key, value)),
  };
}

const tunedOn = (gpu: Gpu): string[] =>
  tunable
    .filter(({ feature, faster }) =>
      gpu.features.has('subgroups') ? feature === 'subgroups' : !feature && faster,
    )
    .map(({ name }) => name);

test('only a clearly shorter time displaces the default', () => {
  expect(choose([10, 9.6, 9.9])).toBe(0);
  expect(choose([10, 9, 8, 8.5])).toBe(2);
  expect(choose([10])).toBe(0);
});

test('the kernels that the device runs are timed once, and then known', async () => {
  for (const subgroups of [true, false]) {
    const gpu = await open(subgroups);
    const store = memory();
    await autotune(gpu, tunable, store);
    const chosen = new Map(gpu.tuning);
    const names = tunedOn(gpu);
    expect([...store.told.keys()].map((key) => key.replace(/-[0-9a-f]+$/, ''))).toEqual(names);
    expect(names.length).toBeGreaterThan(0);
    const again = await open(subgroups);
    const timed = store.told.size;
    store.set = () => Promise.reject(new Error('timed again'));
    await autotune(again, tunable, store);
    expect(store.told.size).toBe(timed);
    expect(new Map(again.tuning)).toEqual(chosen);
    for (const each of [gpu, again]) each.close(); // the device of the page stays open
  }
});

test('a known choice is taken, one that makes no sense is replaced, and a store that fails is done without', async () => {
  const known = await open();
  await autotune(known, tunable, memory('1'));
  for (const name of tunedOn(known)) {
    const { tunable: shapes } = kernels[name as keyof typeof kernels] as AnyKernel;
    expect(known.tuning.get(name)).toEqual(shapes?.candidates[0]);
  }
  const odd = memory('99');
  await autotune(await open(), tunable, odd);
  for (const choice of odd.told.values()) expect(Number(choice)).toBeLessThan(99);
  const failing = () => Promise.reject(new Error('private window'));
  await expect(autotune(await open(), tunable, { get: failing, set: failing })).resolves.toBeUndefined();
});

test('the browser keeps what it is told', async () => {
  const store = browserStore();
  const key = `test-${Math.random()}`;
  expect(await store.get(key)).toBeNull();
  await store.set(key, '3');
  expect(await browserStore().get(key)).toBe('3');
});
