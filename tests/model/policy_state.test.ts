import { beforeAll, describe, expect, test } from 'vitest';
import { keyedRandom } from '../../src/algo/random.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { parameterMap, type StorageRule } from '../../src/model/parameters.ts';
import type { Policy } from '../../src/model/policy.ts';
import { tokenId, type NamedTensors, type PolicyState } from '../../src/units.ts';
import {
  randomBatch,
  randomParameters,
  randomPolicy,
  trainOn,
  updateInputs,
} from '../support/gpu_policies.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const batch = randomBatch(SMALL_MODEL.vocabularySize, 9, 31);
const { parameters: PARAMETERS } = parameterMap(SMALL_MODEL);

let gpu: Gpu;
beforeAll(async () => void (gpu = await sharedGpu()));

type Places = readonly { readonly name: string; readonly length: number }[];

/** Random bits: NaN payloads, infinities and subnormal numbers too. */
function randomState(places: Places, seed: number): PolicyState {
  const random = keyedRandom({ seed, update: 0 }, 79);
  const tensors = (): NamedTensors =>
    Object.fromEntries(
      places.map(({ name, length }) => {
        const words = Uint32Array.from({ length }, () => random.next());
        return [name, new Float32Array(words.buffer)];
      }),
    );
  return {
    parameters: tensors(),
    optimiser: { steps: 7, firstMoment: tensors(), secondMoment: tensors() },
  };
}

/** Numbers as their bits, so that NaN and −0 are told apart. */
const bits = (value: unknown): unknown => {
  if (value instanceof Float32Array) return new Uint32Array(value.slice().buffer);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, bits(part)]));
};

const update = async (policy: Policy) =>
  trainOn(policy, batch, updateInputs((await policy.score(batch, 1)).logProb));

describe('what is written is read', () => {
  test('bit for bit, whatever the bits, again and again into the same buffers', async () => {
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    const created: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      const state = randomState(PARAMETERS, time);
      await policy.writeState(state);
      expect(bits(await policy.readState())).toEqual(bits(state));
      created.push(gpu.memory.createdCount);
    }
    expect(created).toEqual(Array(3).fill(created[0]));
    policy.dispose();
  });

  test('of what is trained alone, where bfloat16 matrices are frozen', async () => {
    const storage: StorageRule = ({ shape, name }) =>
      shape.length > 1 && !name.startsWith('layers.1.')
        ? { type: 'bfloat16', trainable: false }
        : { type: 'float32', trainable: true };
    const trained = parameterMap(SMALL_MODEL, storage).parameters.filter(({ trainable }) => trainable);
    expect(trained.length).toBeGreaterThan(3);
    const policy = await randomPolicy(gpu, SMALL_MODEL, { storage });
    const before = await policy.score(batch, 1);
    const own = await policy.readState();
    expect(Object.keys(own.parameters)).toEqual(trained.map(({ name }) => name));
    const state = randomState(trained, 4);
    await policy.writeState(state);
    expect(bits(await policy.readState())).toEqual(bits(state));
    await policy.writeState(own);
    expect(await policy.score(batch, 1)).toEqual(before);
    policy.dispose();
  });

  test('as it was when asked for, though the next step comes before it is read', async () => {
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    await update(policy);
    const settled = await policy.readState();
    const { logProb } = await policy.score(batch, 1);
    await policy.backward(batch, updateInputs(logProb));
    const asked = policy.readState();
    await policy.step(updateInputs(logProb).optimiser);
    expect(bits(await asked)).toEqual(bits(settled));
    expect(bits(await policy.readState())).not.toEqual(bits(settled));
    policy.dispose();
  });
});

test('without a step there are no moments, and the first step from there is the original’s', async () => {
  const [one, other] = [
    await randomPolicy(gpu, SMALL_MODEL),
    await randomPolicy(gpu, SMALL_MODEL, { parameters: randomParameters(SMALL_MODEL, 5) }),
  ];
  await update(other); // leaves moments behind
  const state = await one.readState();
  expect(state.optimiser).toBeNull();
  await other.writeState(state);
  expect(bits(await update(other))).toEqual(bits(await update(one)));
  expect(bits(await other.readState())).toEqual(bits(await one.readState()));
  one.dispose();
  other.dispose();
});

test('a policy with the state of another goes on as that one does: turns, losses, steps', async () => {
  const one = await randomPolicy(gpu, SMALL_MODEL);
  for (let step = 0; step < 2; step += 1) await update(one);
  const state = await one.readState();
  expect(state.optimiser?.steps).toBe(2);
  const other = await randomPolicy(gpu, SMALL_MODEL, { parameters: randomParameters(SMALL_MODEL, 5) });
  const context = [1, 2, 3].map(tokenId);
  const turn = (policy: Policy) =>
    policy.generate([{ context, key: { prompt: 0, node: 1, firstToken: 0 }, maxTokens: 12 }]);
  for (const policy of [one, other])
    policy.beginRollout({ seed: 3, update: 9 }, { temperature: 1, stopTokens: [] });
  const before = await turn(other); // caches keys and values that the state makes stale
  await other.writeState(state);
  expect(await turn(other)).toEqual(await turn(one));
  expect(await turn(other)).not.toEqual(before);
  for (let step = 0; step < 3; step += 1) expect(bits(await update(other))).toEqual(bits(await update(one)));
  expect(bits(await other.readState())).toEqual(bits(await one.readState()));
  one.dispose();
  other.dispose();
});

test('a state of another model is refused by the name of its tensor, and changes nothing', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  await update(policy);
  const state = await policy.readState();
  const { 'final_norm.weight': norm, ...others } = state.parameters;
  const wrong: readonly (readonly [PolicyState, string, string])[] = [
    [{ ...state, parameters: others }, 'parameters of final_norm.weight', 'no tensor of that name'],
    [{ ...state, parameters: { ...others, 'final_norm.weight': norm.slice(1) } }, 'parameters of final_norm.weight', `${norm.length - 1} numbers`], // prettier-ignore
    [{ ...state, parameters: { ...state.parameters, 'output.bias': norm } }, 'parameters of output.bias', `${norm.length} numbers`], // prettier-ignore
    [{ ...state, optimiser: { ...state.optimiser!, secondMoment: others } }, 'second moment of final_norm.weight', 'no tensor of that name'], // prettier-ignore
  ];
  for (const [other, where, got] of wrong)
    await expect(policy.writeState(other)).rejects.toMatchObject({
      name: 'PolicyStateError',
      report: { where: `policy.writeState, ${where}`, got },
    });
  expect(bits(await policy.readState())).toEqual(bits(state));
  policy.dispose();
});
