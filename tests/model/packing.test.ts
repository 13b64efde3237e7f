/** On the device: a packed tree has the loss and the gradients of its rows, one by one, whole or divided. */
import { beforeAll, describe, expect, test } from 'vitest';
import { packGroups } from '../../src/algo/batch/pack.ts';
import { keyedRandom } from '../../src/algo/random.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { splitBatch } from '../../src/model/microbatches.ts';
import type { PolicyOptions } from '../../src/model/policy.ts';
import type { TokenBatch } from '../../src/units.ts';
import {
  LOSS,
  OPTIMISER,
  randomPolicy,
  relativeError,
  updateInputs,
  trainOn,
  type UpdateInputs,
} from '../support/gpu_policies.ts';
import { randomGroups, separately } from '../support/row_groups.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const groups = randomGroups(SMALL_MODEL.vocabularySize, 3, 10, 14);
const packed = packGroups(groups);
const plain = packGroups(separately(groups));

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

/** Scores of a batch, and what an update with these inputs makes of it. */
async function outcome(batch: TokenBatch, inputs: UpdateInputs, options: Partial<PolicyOptions> = {}) {
  const policy = await randomPolicy(gpu, SMALL_MODEL, options);
  const scores = await policy.score(batch, 1);
  const { loss, step } = await trainOn(policy, batch, inputs);
  const gradients = await policy.gradients();
  policy.dispose();
  return { scores, loss, step, gradients };
}

describe('packed rows', () => {
  const near = (): Float32Array<ArrayBuffer> => {
    const random = keyedRandom({ seed: 4, update: 0 }, 84);
    return Float32Array.from(plain.scored, () => -3.7 + 0.6 * random.uniform());
  };
  const inputs = { ...updateInputs(near()), loss: LOSS };

  const small = { tokens: 20, predicted: 20, scored: 1000 };

  test.each([
    ['whole', {}],
    ['divided between and within trees', { training: small }],
  ])('have the scores, the loss and the gradients of separate rows, %s', async (_, options) => {
    expect(splitBatch(packed, small).length).toBeGreaterThan(groups.length);
    expect(plain.tokens.length / packed.tokens.length).toBeGreaterThan(1.5);
    const want = await outcome(plain, inputs);
    const got = await outcome(packed, inputs, options);
    expect(got.scores).toEqual(want.scores); // bit for bit: a token reads the same keys in the same order
    expect(got.loss).toEqual(want.loss);
    expect(want.loss.dlogProb.filter((d) => d === 0).length).toBeGreaterThan(5); // clipped
    expect(got.step.gradientNorm / want.step.gradientNorm).toBeCloseTo(1, 5);
    expect(relativeError(got.gradients, want.gradients)).toBeLessThan(2e-6);
  });

  test('learn by heart under supervision as separate rows do', async () => {
    const weights = Float32Array.from(plain.scored, (_, s) => (1 + (s % 3)) / plain.scored.length);
    const [got, want] = await Promise.all(
      [packed, plain].map(async (batch) => {
        const policy = await randomPolicy(gpu, SMALL_MODEL);
        const result = await policy.trainSupervised(batch, weights, OPTIMISER);
        const gradients = await policy.gradients();
        policy.dispose();
        return { result, gradients };
      }),
    );
    expect(got.result.loss).toBeCloseTo(want.result.loss, 6);
    expect(relativeError(got.gradients, want.gradients)).toBeLessThan(2e-6);
  });
});
