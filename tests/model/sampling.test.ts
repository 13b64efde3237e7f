import { beforeAll, describe, expect, test } from 'vitest';
import { keyedRandom, tokenGumbel } from '../../src/algo/random.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { BatchError } from '../../src/model/errors.ts';
import type { PolicyOptions } from '../../src/model/policy.ts';
import {
  tokenId,
  type GenerateRequest,
  type Generation,
  type RandomKey,
  type TokenId,
} from '../../src/units.ts';
import {
  namedParameters,
  randomBatch,
  randomParameters,
  randomPolicy,
  relativeError,
} from '../support/gpu_policies.ts';
import { oracleScores } from '../support/model.oracle.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { packRows, SMALL_MODEL } from '../support/token_batches.ts';

const KEY: RandomKey = { seed: 123, update: 4 };
const STOP = [tokenId(3), tokenId(17)];
const TOKENS = 20;

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

/** Seven requests; the first four share a prefix, two of them all of it. */
function requests(): GenerateRequest[] {
  const random = keyedRandom({ seed: 31, update: 0 }, 81);
  const draw = (count: number): TokenId[] => Array.from({ length: count }, () => tokenId(random.integer(29)));
  const shared = draw(9);
  const contexts = [shared, shared, [...shared, ...draw(3)], shared.slice(0, 5), draw(1), draw(14), draw(6)];
  return contexts.map((context, node) => ({
    context,
    key: { prompt: 2, node, firstToken: 0 },
    maxTokens: TOKENS,
  }));
}

async function sample(
  asked: readonly GenerateRequest[],
  options: Partial<PolicyOptions> = {},
  temperature = 1,
): Promise<readonly Generation[]> {
  const policy = await randomPolicy(gpu, SMALL_MODEL, options);
  policy.beginRollout(KEY, { temperature, stopTokens: STOP });
  const generations = await policy.generate(asked);
  policy.dispose();
  return generations;
}

const asRows = (asked: readonly GenerateRequest[], generations: readonly Generation[]) =>
  asked.map(({ context }, r) => ({
    tokens: [...context, ...generations[r].tokens],
    mask: [...context.map(() => 0), ...generations[r].tokens.map(() => 1)],
  }));

test('a turn ends at a stop token or at its limit', async () => {
  const generations = await sample(requests());
  for (const { tokens, finish, logProb, entropy } of generations) {
    const stopAt = tokens.findIndex((token) => STOP.includes(token));
    expect(finish).toBe(stopAt >= 0 ? 'stop' : 'length');
    expect(tokens).toHaveLength(stopAt >= 0 ? stopAt + 1 : TOKENS);
    expect([logProb.length, entropy.length]).toEqual([tokens.length, tokens.length]);
  }
  expect(new Set(generations.map(({ finish }) => finish))).toEqual(new Set(['stop', 'length']));
});

test('the log-probabilities and entropies recorded while sampling are those that scoring gives', async () => {
  const asked = requests();
  for (const temperature of [1, 0.6]) {
    const generations = await sample(asked, {}, temperature);
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    const scores = await policy.score(packRows(asRows(asked, generations)), temperature);
    policy.dispose();
    expect(
      relativeError(
        generations.flatMap(({ logProb }) => logProb),
        scores.logProb,
      ),
    ).toBeLessThan(2e-6);
    expect(
      relativeError(
        generations.flatMap(({ entropy }) => entropy),
        scores.entropy,
      ),
    ).toBeLessThan(2e-6);
  }
});

test('the tokens are the Gumbel-max choice over the oracle’s logits, keyed by prompt, node and token', async () => {
  const asked = requests();
  const generations = await sample(asked);
  const batch = packRows(asRows(asked, generations));
  const named = namedParameters(SMALL_MODEL, randomParameters(SMALL_MODEL));
  const { logits } = oracleScores(SMALL_MODEL, (name) => named.get(name)!, batch, 1);
  const want = asked.flatMap(({ key }, r) =>
    generations[r].tokens.map((_, place) => {
      const row = logits[batch.rows[r].scoredStart + place];
      const noisy = row.map((logit, v) => logit + tokenGumbel(KEY, key.prompt, key.node, place, v));
      return noisy.indexOf(Math.max(...noisy));
    }),
  );
  expect(generations.flatMap(({ tokens }) => tokens)).toEqual(want);
});

test('a call is sampled with the parameters of its place in the order, not of a session that it might join', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const [request] = requests();
  const rollout = (seed: number): void =>
    policy.beginRollout({ ...KEY, seed }, { temperature: 1, stopTokens: STOP });
  rollout(1);
  const one = policy.generate([request]);
  rollout(2);
  const two = policy.generate([request]);
  rollout(1);
  const again = policy.generate([request]);
  expect(await again).toEqual(await one);
  expect(await two).not.toEqual(await one);
  policy.dispose();
});

test('a request that does not fit is refused, and the others of its time are sampled', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  policy.beginRollout(KEY, { temperature: 1, stopTokens: STOP });
  const good = policy.generate(requests().slice(0, 2));
  const bad = policy.generate([{ ...requests()[0], maxTokens: 1000 }]);
  await expect(bad).rejects.toThrow(BatchError);
  expect(await good).toHaveLength(2);
  policy.dispose();
});

test('temperature 0 takes the highest logit and records log-probabilities at temperature 1', async () => {
  const asked = requests();
  const generations = await sample(asked, {}, 0);
  const batch = packRows(asRows(asked, generations));
  const named = namedParameters(SMALL_MODEL, randomParameters(SMALL_MODEL));
  const { logits, logProb } = oracleScores(SMALL_MODEL, (name) => named.get(name)!, batch, 1);
  expect(generations.flatMap(({ tokens }) => tokens)).toEqual(
    logits.map((row) => row.indexOf(Math.max(...row))),
  );
  expect(
    relativeError(
      generations.flatMap((generation) => generation.logProb),
      logProb,
    ),
  ).toBeLessThan(2e-6);
});

describe('the same key gives the same tokens and the same bits', () => {
  test('alone and in a batch of seven', async () => {
    const together = await sample(requests());
    for (const [r, request] of requests().entries()) expect(await sample([request])).toEqual([together[r]]);
  });

  test('whatever the pieces of prefill, the steps between readbacks and the requests at once', async () => {
    const together = await sample(requests());
    for (const sampling of [
      { prefillRows: 3, sampledRows: 2 },
      { chunkSteps: 1 },
      { chunkSteps: 16 },
      { sampledRows: 1 },
    ]) {
      expect(await sample(requests(), { sampling })).toEqual(together);
    }
  });

  test('with and without cached prefixes, turn after turn', async () => {
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    policy.beginRollout(KEY, { temperature: 1, stopTokens: STOP });
    const first = requests().map((request) => ({ ...request, maxTokens: 6 }));
    const turns = await policy.generate(first);
    const second = first.flatMap(({ context, key, maxTokens }, r) =>
      [0, 1].map((branch) => ({
        context: [...context, ...turns[r].tokens, tokenId(5), tokenId(6)],
        key: { ...key, node: 10 + 2 * r + branch },
        maxTokens,
      })),
    );
    const others = first.map((request) => ({ ...request, key: { ...request.key, prompt: 3 } }));
    const branches: GenerateRequest[] = [...second, ...others];
    const cached = await policy.generate(branches);
    const { prefilledTokens } = policy.sampledCounts;
    policy.beginRollout(KEY, { temperature: 1, stopTokens: STOP });
    const again = await policy.generate(branches);
    policy.dispose();
    for (const [r, request] of branches.entries()) expect(await sample([request])).toEqual([cached[r]]);
    expect(again).toEqual(cached);
    const contextTokens = [...first, ...branches].reduce((sum, { context }) => sum + context.length - 1, 0);
    expect(prefilledTokens).toBeLessThan(contextTokens / 4);
  });

  test('alone and in calls that join while others are sampled', async () => {
    const together = await sample(requests());
    const policy = await randomPolicy(gpu, SMALL_MODEL, { sampling: { chunkSteps: 2, sampledRows: 3 } });
    policy.beginRollout(KEY, { temperature: 1, stopTokens: STOP });
    const asked = requests();
    // Later calls join as earlier ones end; the last waits for two rows to leave.
    const early = [policy.generate(asked.slice(0, 1)), policy.generate(asked.slice(1, 3))];
    const late = early[0].then(() => policy.generate(asked.slice(3, 6)));
    const last = policy.generate(asked.slice(6));
    const joined = (await Promise.all([...early, late, last])).flat();
    policy.dispose();
    expect(joined).toEqual(together);
  });

  test('and another update, prompt, node or first token gives others', async () => {
    const [request] = requests();
    const [plain] = await sample([request]);
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    policy.beginRollout({ ...KEY, update: 5 }, { temperature: 1, stopTokens: [] });
    const [otherUpdate] = await policy.generate([request]);
    policy.dispose();
    expect(otherUpdate.tokens).not.toEqual(plain.tokens);
    for (const change of [{ prompt: 3 }, { node: 9 }, { firstToken: 1 }]) {
      const [other] = await sample([{ ...request, key: { ...request.key, ...change } }]);
      expect(other.tokens).not.toEqual(plain.tokens);
    }
  });

  test('when a turn is sampled in two calls', async () => {
    const [request] = requests();
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    policy.beginRollout(KEY, { temperature: 1, stopTokens: [] });
    const [whole] = await policy.generate([request]);
    const [head] = await policy.generate([{ ...request, maxTokens: 7 }]);
    const context = [...request.context, ...head.tokens];
    const key = { ...request.key, firstToken: 7 };
    const [tail] = await policy.generate([{ context, key, maxTokens: TOKENS - 7 }]);
    policy.dispose();
    expect([...head.tokens, ...tail.tokens]).toEqual(whole.tokens);
    expect([...head.logProb, ...tail.logProb]).toEqual(whole.logProb);
  });
});

test('cached prefixes are forgotten when the parameters change', async () => {
  const asked = requests();
  const batch = randomBatch(29, 3, 5);
  const learn = {
    learningRate: 0.05,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    gradientClip: 1,
  };
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  policy.beginRollout(KEY, { temperature: 1, stopTokens: STOP });
  await policy.generate(asked);
  await policy.trainSupervised(batch, batch.weight, learn);
  const generations = await policy.generate(asked);
  const scores = await policy.score(packRows(asRows(asked, generations)), 1);
  policy.dispose();
  expect(
    relativeError(
      generations.flatMap(({ logProb }) => logProb),
      scores.logProb,
    ),
  ).toBeLessThan(2e-6);
});

test('the cache grows past its first size and keeps what it held', async () => {
  const base = requests();
  const many = Array.from({ length: 20 }, (_, copy) =>
    base.map((request) => ({ ...request, maxTokens: 4, key: { ...request.key, prompt: copy } })),
  ).flat();
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  policy.beginRollout(KEY, { temperature: 1, stopTokens: STOP });
  await policy.generate(many.slice(0, 30));
  const grown = await policy.generate(many);
  policy.dispose();
  expect(grown).toHaveLength(140);
  expect(grown).toEqual(await sample(many));
});

test('a request that does not fit is refused by its number', async () => {
  const [request] = requests();
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  await expect(policy.generate([request, { ...request, maxTokens: 33 }])).rejects.toThrow(
    /request 1.*wanted 1 to 8 context/,
  );
  await expect(policy.generate([{ ...request, context: [] }])).rejects.toThrow(/request 0/);
  await expect(policy.generate([{ ...request, context: [tokenId(29)] }])).rejects.toThrow(/ids below 29/);
  policy.dispose();
});
