import { beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import type { TokenId } from '../../src/units.ts';
import { CONTEXT, randomBatch, randomPolicy, updateInputs, trainOn } from '../support/gpu_policies.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const batch = randomBatch(29, 5, 3);
const vocabulary = SMALL_MODEL.vocabularySize;

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

test('the logits after a path are those of the whole batch at its last token', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const all = await policy.logits(batch);
  for (const { tokenStart, length } of batch.rows) {
    const path = Array.from(batch.tokens.subarray(tokenStart, tokenStart + length)) as TokenId[];
    for (const count of [1, length - 2, length]) {
      const own = await policy.nextLogits(path.slice(0, count));
      const at = (tokenStart + count - 1) * vocabulary;
      expect(own).toHaveLength(vocabulary);
      own.forEach((logit, k) => expect(Math.abs(logit - all[at + k])).toBeLessThan(1e-6));
    }
  }
  policy.dispose();
});

test('asking for logits leaves an update as it was, bit for bit', async () => {
  const [asked, plain] = [await randomPolicy(gpu, SMALL_MODEL), await randomPolicy(gpu, SMALL_MODEL)];
  const { logProb } = await plain.score(batch, 1);
  await asked.nextLogits([3, 5, 7] as TokenId[]);
  const inputs = updateInputs(logProb);
  expect(await trainOn(asked, batch, inputs)).toEqual(await trainOn(plain, batch, inputs));
  expect(await asked.parameters()).toEqual(await plain.parameters());
  asked.dispose();
  plain.dispose();
});

test('no tokens, and more than the context holds, are refused in words', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  await expect(() => policy.nextLogits([])).rejects.toThrow('A path has no tokens');
  const long = new Array<TokenId>(CONTEXT + 1).fill(1 as TokenId);
  await expect(() => policy.nextLogits(long)).rejects.toThrow('A path is too long');
  policy.dispose();
});
