import { beforeAll, expect, test } from 'vitest';
import { keyedRandom } from '../../src/algo/random.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Policy } from '../../src/model/policy.ts';
import { tokenId, type GenerateRequest, type Generation, type TokenId } from '../../src/units.ts';
import { CONTEXT, randomPolicy } from '../support/gpu_policies.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

const begin = (policy: Policy): void =>
  policy.beginRollout({ seed: 123, update: 4 }, { temperature: 1, stopTokens: [tokenId(3)] });

const draw = (random: ReturnType<typeof keyedRandom>, count: number): TokenId[] =>
  Array.from({ length: count }, () => tokenId(random.integer(29)));

const request = (context: readonly TokenId[], node: number, maxTokens = 6): GenerateRequest => ({
  context,
  key: { prompt: 1, node, firstToken: 0 },
  maxTokens,
});

/** Distinct prefixes of what the cache should hold of these turns: all but their last tokens. */
const uniqueTokens = (turns: readonly (readonly [GenerateRequest, Generation])[]): number =>
  new Set(
    turns.flatMap(([{ context }, { tokens }]) => {
      const held = [...context, ...tokens].slice(0, -1);
      return held.map((_, n) => held.slice(0, n + 1).join());
    }),
  ).size;

/** Three rounds of requests that go on from earlier sequences, cut anywhere, several branches from each. */
async function growRandomTree(policy: Policy, seed: number) {
  const random = keyedRandom({ seed, update: 0 }, 81);
  let sequences: readonly (readonly TokenId[])[] = [draw(random, 9), draw(random, 1)];
  const turns: (readonly [GenerateRequest, Generation])[] = [];
  for (let round = 0; round < 4; round++) {
    const asked = Array.from({ length: 7 }, (_, n) => {
      const stem = sequences[random.integer(sequences.length)].slice(0, CONTEXT - 12);
      const context = [...stem.slice(0, 1 + random.integer(stem.length)), ...draw(random, random.integer(4))];
      return request(context, 10 * round + n);
    });
    const generations = await policy.generate(asked);
    turns.push(...asked.map((one, n) => [one, generations[n]] as const));
    sequences = turns.map(([{ context }, { tokens }]) => [...context, ...tokens]);
  }
  return turns;
}

test.each([
  ['all of them stay', {}],
  ['prefill is cut into pieces', { prefillRows: 3 }],
  ['the cache has room for two contexts and a bit', { cachePlaces: 2 * CONTEXT + 5 }],
])('random trees of requests give what each request gives alone, while %s', async (_, sampling) => {
  const policy = await randomPolicy(gpu, SMALL_MODEL, { sampling });
  const plain = await randomPolicy(gpu, SMALL_MODEL);
  for (const seed of [5, 6]) {
    begin(policy);
    const turns = await growRandomTree(policy, seed);
    for (const [asked, generation] of turns) {
      begin(plain);
      expect([generation]).toEqual(await plain.generate([asked]));
    }
    const { cachedTokens } = policy.sampledCounts;
    if ('cachePlaces' in sampling) expect(cachedTokens).toBeLessThanOrEqual(2 * CONTEXT + 5);
    else expect(cachedTokens).toBe(uniqueTokens(turns));
  }
  policy.dispose();
  plain.dispose();
});

test('a branch of a cached prefix computes and stores nothing of it', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  begin(policy);
  const context = draw(keyedRandom({ seed: 8, update: 0 }, 81), 20);
  await policy.generate([request(context, 0, 1)]);
  expect(policy.sampledCounts).toEqual({ prefilledTokens: 19, sampledTokens: 1, cachedTokens: 20 });
  const branches = [4, 5, 6].map((token) => request([...context, tokenId(token)], token, 1));
  await policy.generate(branches);
  expect(policy.sampledCounts).toEqual({ prefilledTokens: 19, sampledTokens: 4, cachedTokens: 23 });
  policy.dispose();
});

test('a call that fails leaves nothing cached, and the next one samples as ever', async () => {
  let refuses = false;
  const unreliable: Gpu = {
    ...gpu,
    get device() {
      if (refuses) throw new Error('refused for a while');
      return gpu.device;
    },
  };
  const policy = await randomPolicy(unreliable, SMALL_MODEL);
  const random = keyedRandom({ seed: 9, update: 0 }, 81);
  const few = [request(draw(random, 12), 0)];
  const many = Array.from({ length: 30 }, (_, n) => request(draw(random, 20), n));
  begin(policy);
  const before = await policy.generate(few);
  expect(policy.sampledCounts.cachedTokens).toBeGreaterThan(12);
  refuses = true;
  await expect(policy.generate(many)).rejects.toThrow('refused for a while');
  expect(policy.sampledCounts.cachedTokens).toBe(0);
  refuses = false;
  expect(await policy.generate(few)).toEqual(before);
  expect(await policy.generate(many)).toHaveLength(30);
  policy.dispose();
});
