import { beforeAll, expect, test } from 'vitest';
import { needsReference } from '../../src/algo/credit/signals.ts';
import { parameterCount } from '../../src/model/config.ts';
import { footprint, type PolicyCapacities } from '../../src/model/footprint.ts';
import { frozen, parameterMap, TRAINED, type StorageRule } from '../../src/model/parameters.ts';
import { runFootprint } from '../../src/train/config/fit.ts';
import { presets } from '../../src/train/config/presets.ts';
import { nameUsages } from '../support/gpu_names.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

beforeAll(nameUsages);

const MODEL = { ...SMALL_MODEL, layers: 2, kvHeads: 2, headSize: 8 };
const CAPACITIES: PolicyCapacities = {
  contextLength: 96,
  training: { tokens: 256, predicted: 128, scored: 512 },
  sampling: { rows: 128, sampledRows: 64, places: 768 },
};

test('parameters count four times, and the cache keys and values of every place and layer', async () => {
  const { byOwner } = await footprint(MODEL, CAPACITIES);
  expect(byOwner['kv cache']).toBe(2 * 2 * 768 * (2 * 8) * 4);
  expect(byOwner.parameters).toBeGreaterThanOrEqual(4 * 4 * parameterCount(MODEL));
  expect(Object.keys(byOwner)).toEqual(['parameters', 'activations', 'decode activations', 'kv cache']);
});

test('a policy that only scores has no cache, and activations grow with the tokens', async () => {
  const scoring = await footprint(MODEL, { ...CAPACITIES, sampling: null });
  expect(Object.keys(scoring.byOwner)).toEqual(['parameters', 'activations']);
  const training = { ...CAPACITIES.training, tokens: 512 };
  const larger = await footprint(MODEL, { ...CAPACITIES, sampling: null, training });
  expect(larger.byOwner.activations).toBeGreaterThan(1.5 * scoring.byOwner.activations);
  expect(larger.byOwner.parameters).toBe(scoring.byOwner.parameters);
});

test('a frozen matrix has neither gradient nor moments, and takes half of the bytes in bfloat16', async () => {
  const bytes = async (rule: StorageRule) =>
    (await footprint(MODEL, { ...CAPACITIES, sampling: null }, rule)).byOwner.parameters;
  const [all, still, half] = [
    await bytes(TRAINED),
    await bytes(frozen('float32')),
    await bytes(frozen('bfloat16')),
  ];
  const { length } = parameterMap(MODEL);
  const norms = parameterMap(MODEL).stored.filter(({ length: size }) => size <= MODEL.channels).length;
  const decays = 16 * Math.ceil(length / 64 / 16); // bytes: a float for each block of 256, whole vectors
  expect(all - still).toBe(4 * 3 * length + decays - 5 * 16); // no buffer is smaller than 16 bytes
  expect(still - half).toBe(2 * (length - 256 * norms));
});

test('every preset fits the default limits of WebGPU, and a reference policy adds its own', async () => {
  const limits = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 };
  for (const [name, { config }] of presets) {
    const { bytes, largest } = await runFootprint(config, limits);
    expect([name, largest.bytes <= 2 ** 27]).toEqual([name, true]);
    const { algorithm } = config;
    const loss = { ...algorithm.loss, klCoefficient: 0.1 };
    const withReference = await runFootprint({ ...config, algorithm: { ...algorithm, loss } }, limits);
    if (!needsReference(algorithm)) expect(withReference.bytes).toBeGreaterThan(bytes);
  }
});
