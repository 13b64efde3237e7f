import { beforeAll, describe, expect, test } from 'vitest';
import { packBfloat16, widenBfloat16 } from '../../shaders/bfloat16.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { FrozenModelError } from '../../src/model/errors.ts';
import { frozen, parameterMap, TRAINED, type StorageRule } from '../../src/model/parameters.ts';
import {
  randomBatch,
  randomParameters,
  randomPolicy,
  updateInputs,
  trainOn,
} from '../support/gpu_policies.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const batch = randomBatch(SMALL_MODEL.vocabularySize, 9, 21);
const values = randomParameters(SMALL_MODEL);
const whole = parameterMap(SMALL_MODEL);

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

/** Trains the tensors whose name this matches. */
const only =
  (pattern: RegExp): StorageRule =>
  (tensor) => ({ type: 'float32', trainable: pattern.test(tensor.name) });

/** Gradients and new parameters by tensor of one update. */
async function update(storage: StorageRule, parameters = values) {
  const policy = await randomPolicy(gpu, SMALL_MODEL, { storage, parameters });
  const { logProb } = await policy.score(batch, 1);
  const { step, loss } = await trainOn(policy, batch, updateInputs(logProb));
  const [gradients, moved] = [await policy.gradients(), await policy.parameters()];
  policy.dispose();
  const { parameters: places } = parameterMap(SMALL_MODEL, storage);
  const byName = (flat: Float32Array) =>
    new Map(
      places
        .filter(({ trainable }) => trainable)
        .map(({ name, offset, length }) => [name, flat.slice(offset, offset + length)]),
    );
  return { step, loss, gradients: byName(gradients), parameters: byName(moved) };
}

describe.each([
  ['one matrix of the first layer', /^layers\.0\.mlp\.down_proj/],
  ['the upper layer and all norms', /^layers\.1\.|norm/],
  ['the output norm alone', /^final_norm/],
  ['the mixing of previous tokens', /^previous/],
  ['the embedding', /^embed/],
])('%s trained, all else frozen', (_, pattern) => {
  test('has the gradient, bit for bit, that it has where everything is trained', async () => {
    const all = await update(TRAINED);
    const some = await update(only(pattern));
    expect(some.gradients.size).toBeGreaterThan(0);
    for (const [name, gradient] of some.gradients) {
      expect([name, gradient]).toEqual([name, all.gradients.get(name)]);
      expect(gradient.some((entry) => entry !== 0)).toBe(true);
    }
    expect(some.loss).toEqual(all.loss);
  });

  test('is what the step and its clip norm are about', async () => {
    const { step, gradients, parameters } = await update(only(pattern));
    const squares = [...gradients.values()].map((gradient) => gradient.reduce((sum, g) => sum + g * g, 0));
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    expect(step.gradientNorm / norm).toBeCloseTo(1, 5);
    expect(Object.keys(step.gradientNorms ?? {}).every((name) => pattern.test(name))).toBe(true);
    for (const [name, moved] of parameters) {
      const { offset, length } = whole.parameters.find((parameter) => parameter.name === name)!;
      expect(moved).not.toEqual(values.slice(offset, offset + length));
    }
  });
});

test('frozen bfloat16 matrices let through the gradient of their float32 values, bit for bit', async () => {
  const rounded = widenBfloat16(packBfloat16(values)).subarray(0, values.length);
  const rule =
    (type: 'float32' | 'bfloat16'): StorageRule =>
    ({ shape }) =>
      shape.length > 1 ? { type, trainable: false } : { type: 'float32', trainable: true };
  const [half, full] = [await update(rule('bfloat16'), rounded), await update(rule('float32'), rounded)];
  expect(half.gradients.size).toBe(2 * 4 + 1);
  expect(half).toEqual(full);
});

test('a frozen model scores as a trained one does, and refuses to be trained, saved or given a file', async () => {
  const trained = await randomPolicy(gpu, SMALL_MODEL, { parameters: values });
  const still = await randomPolicy(gpu, SMALL_MODEL, { parameters: values, storage: frozen('float32') });
  const scores = await still.score(batch, 1);
  expect(scores).toEqual(await trained.score(batch, 1));
  await expect(trainOn(still, batch, updateInputs(scores.logProb))).rejects.toThrow(FrozenModelError);
  await expect(still.save()).rejects.toThrow(/policy\.save.*19 of 19 tensors frozen/s);
  await expect(still.load(await trained.save())).rejects.toThrow(/policy\.load/);
  expect((await still.score(batch, 1)).logProb).toEqual(scores.logProb);
  trained.dispose();
  still.dispose();
});
