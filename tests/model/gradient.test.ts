import { beforeAll, describe, expect, test } from 'vitest';
import { keyedRandom } from '../../src/algo/random.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { ModelConfig, TokenBatch } from '../../src/units.ts';
import {
  namedParameters,
  OPTIMISER,
  randomBatch,
  randomParameters,
  randomPolicy,
  relativeError,
} from '../support/gpu_policies.ts';
import { oracleScores } from '../support/model.oracle.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { packTree, SMALL_MODEL } from '../support/token_batches.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

const VARIANTS: readonly (readonly [string, ModelConfig])[] = [
  ['with mixing, norms on queries and keys, tied output', SMALL_MODEL],
  ['without mixing', { ...SMALL_MODEL, previousTokenMixing: false }],
  ['without norms on queries and keys', { ...SMALL_MODEL, queryKeyNorm: false }],
  ['with an untied output', { ...SMALL_MODEL, tiedOutput: false, logitScale: 1 }],
  [
    'with heads wider than the residual stream, one key head and an odd vocabulary',
    { ...SMALL_MODEL, heads: 3, kvHeads: 1, headSize: 16, vocabularySize: 31, layers: 1 },
  ],
];

const weightsOf = (batch: TokenBatch): Float32Array<ArrayBuffer> => {
  const random = keyedRandom({ seed: 2, update: 0 }, 79);
  return Float32Array.from(batch.scored, () => random.uniform() - 0.3);
};

describe.each(VARIANTS)('a decoder %s', (_, config) => {
  test('scores tokens as the float64 oracle does, at a temperature', async () => {
    const batch = randomBatch(config.vocabularySize, 4, 11);
    const policy = await randomPolicy(gpu, config);
    const got = await policy.score(batch, 0.7);
    const named = namedParameters(config, randomParameters(config));
    const want = oracleScores(config, (name) => named.get(name)!, batch, 0.7);
    policy.dispose();
    expect(relativeError(got.logProb, want.logProb)).toBeLessThan(2e-6);
    expect(relativeError(got.entropy, want.entropy)).toBeLessThan(2e-6);
  });

  // Central difference of the float64 oracle at h = 1e-5: good to 1e-9. The rest is the device's float32.
  test('has the gradient that the float64 oracle has along a random direction', async () => {
    const batch = randomBatch(config.vocabularySize, 4, 12);
    const weights = weightsOf(batch);
    const policy = await randomPolicy(gpu, config);
    await policy.trainSupervised(batch, weights, OPTIMISER);
    const gradient = namedParameters(config, await policy.gradients());
    policy.dispose();

    const random = keyedRandom({ seed: 9, update: 0 }, 80);
    const named = namedParameters(config, randomParameters(config));
    const direction = new Map(
      [...named].map(([name, values]) => [name, values.map(() => random.uniform() - 0.5)]),
    );
    const lossAt = (h: number): number => {
      const moved = new Map(
        [...named].map(([name, values]) => [
          name,
          values.map((value, n) => value + h * direction.get(name)![n]),
        ]),
      );
      const { logProb } = oracleScores(config, (name) => moved.get(name)!, batch, 1);
      return logProb.reduce((sum, value, s) => sum - weights[s] * value, 0);
    };
    const want = (lossAt(1e-5) - lossAt(-1e-5)) / 2e-5;
    let got = 0;
    let size = 0;
    for (const [name, values] of gradient) {
      values.forEach((value, n) => {
        got += value * direction.get(name)![n];
        size += Math.abs(value * direction.get(name)![n]);
      });
    }
    expect(Math.abs(got - want) / size).toBeLessThan(1e-6);
    expect(Math.abs(got - want) / Math.abs(want)).toBeLessThan(1e-4);
  });
});

test('a packed tree scores every token as the rows of its leaves do', async () => {
  const nodes = [
    { parent: -1, tokens: [3, 5, 7] },
    { parent: 0, tokens: [2, 4] },
    { parent: 1, tokens: [6, 1, 8] },
    { parent: 1, tokens: [9] },
    { parent: 0, tokens: [10, 11] },
  ];
  const tree = packTree(nodes);
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const packed = await policy.score(tree, 1);
  const named = namedParameters(SMALL_MODEL, randomParameters(SMALL_MODEL));
  const want = oracleScores(SMALL_MODEL, (name) => named.get(name)!, tree, 1);
  expect(relativeError(packed.logProb, want.logProb)).toBeLessThan(2e-6);

  const path = randomBatch(SMALL_MODEL.vocabularySize, 1, 1);
  const leaf = { ...path, tokens: Uint32Array.of(3, 5, 7, 2, 4, 9) }; // nodes 0, 1, 3
  const row = {
    ...leaf,
    rows: [{ ...path.rows[0], tokenEnd: 6, scoredEnd: 5 }],
    positions: Uint32Array.of(0, 1, 2, 3, 4, 5),
    previous: Int32Array.of(-1, 0, 1, 2, 3, 4),
    visibleStart: new Uint32Array(6),
    visibleEnd: new Uint32Array(6).fill(6),
    predicted: Uint32Array.of(1, 2, 3, 4, 5),
    scored: Uint32Array.of(0, 1, 2, 3, 4),
    turnStart: Uint32Array.of(0, 5),
    turnRow: Uint32Array.of(0),
    turnIndex: new Uint32Array(5),
  };
  const alone = await policy.score(row, 1);
  policy.dispose();
  expect([...packed.logProb.subarray(0, 4), packed.logProb[7]]).toEqual([...alone.logProb]);
});
