import { beforeAll, expect, test } from 'vitest';
import { paperGpu, type Gpu } from '../../src/gpu/device.ts';
import { checkBuffers, checkFits, runFootprint } from '../../src/train/config/fit.ts';
import { withSetting } from '../../src/train/config/config.ts';
import { presets } from '../../src/train/config/presets.ts';
import type { RunConfig } from '../../src/units.ts';
import { nameUsages } from '../support/gpu_names.ts';
import { scriptedEngine, smallConfig } from '../support/scripted_run.ts';

const LIMITS = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 };

beforeAll(nameUsages);

/** A device with this much memory, whatever its buffers may hold. */
function deviceOf(bytes: number): Gpu & { readonly heldBytes: () => number } {
  let held = 0;
  const device = {
    createBuffer: ({ size }: GPUBufferDescriptor) => {
      held += size;
      return { destroy: () => void (held -= size) };
    },
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(held > bytes ? new Error('no more') : null),
  } as unknown as GPUDevice; // what the trial of memory uses of one
  return { ...paperGpu(), device, limits: LIMITS as GPUSupportedLimits, heldBytes: () => held };
}

function research(): RunConfig {
  const preset = presets.get('research');
  if (!preset) throw new Error('there is no research preset');
  return preset.config;
}

const problemOf = (work: Promise<unknown>): Promise<Record<string, string>> =>
  work.then(
    () => ({}),
    (error: unknown) => (error as { report: Record<string, string> }).report,
  );

test('a device with too little memory is asked before a run takes any, and every setting named brings it down', async () => {
  const config = research();
  const { bytes } = await runFootprint(config, LIMITS);
  const enough = deviceOf(bytes + 2 ** 20);
  expect((await checkFits(enough, config)).bytes).toBe(bytes);
  const small = deviceOf(0.85 * bytes);
  const report = await problemOf(checkFits(small, config));
  expect([enough.heldBytes(), small.heldBytes()]).toEqual([0, 0]); // given back
  expect(report.where).toBe('device memory');
  expect(report.wanted).toContain('as the device grants');
  const named = [...report.next.matchAll(/([a-zA-Z.]+) to (\d+)/g)].map(([, path, value]) => [path, Number(value)] as const); // prettier-ignore
  expect(named.length).toBeGreaterThanOrEqual(2);
  for (const [path, value] of named) {
    const lowered = withSetting(config, path, value);
    await expect(checkFits(small, lowered)).resolves.toHaveProperty('bytes');
  }
});

test('a buffer above the limit names the limit', async () => {
  const limits = { ...LIMITS, maxStorageBufferBindingSize: 2 ** 22 };
  const report = await problemOf(checkBuffers(limits, research()));
  expect(report.wanted).toBe('at most 4 MB per buffer (maxStorageBufferBindingSize)');
});

test('what is named as the next step is a configuration that can be opened: weights keep the sizes that they were made with', async () => {
  const large = research();
  const { bytes } = await runFootprint(large, LIMITS);
  const nextOf = async (weights: string | null): Promise<string> =>
    (await problemOf(checkFits(deviceOf(0.85 * bytes), { ...large, weights }))).next;
  expect(await nextOf(null)).toMatch(/model\.\w+ to \d+/);
  expect(await nextOf('weights.safetensors')).not.toMatch(/model\./);
});

test('a run that does not fit fails before a policy is made, and an estimate says the same', async () => {
  const small = smallConfig();
  const config = { ...small, model: { ...small.model, hidden: 8192 } };
  const { engine, events, backend, send, ask } = scriptedEngine(config);
  const tried: boolean[] = [];
  backend.checkFits = async (asked, trial) => {
    tried.push(trial);
    return (await checkBuffers(LIMITS, asked)).bytes;
  };
  await engine.start();
  const estimate = await ask({ kind: 'estimate', config });
  await send({ kind: 'open', config });
  const [failed] = events.filter((event) => event.kind === 'failed');
  expect(failed.report.next).toMatch(/model\.hidden to \d+/);
  expect(estimate.problem).toEqual(failed.report);
  expect(tried).toEqual([false, true]);
  expect(backend.policies).toEqual([]);
});
