import { beforeAll, expect, test } from 'vitest';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import { capacityOf, splitBatch } from '../../src/model/microbatches.ts';
import { tokenId, type GenerateRequest } from '../../src/units.ts';
import {
  CONTEXT,
  OPTIMISER,
  randomBatch,
  randomPolicy,
  updateInputs,
  trainOn,
} from '../support/gpu_policies.ts';
import { lentGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const LIMIT = { tokens: 200, predicted: 200, scored: 400 };

let gpu: Gpu;
beforeAll(async () => void (gpu = await openGpu({ gpu: lentGpu }))); // with a ledger of its own

test('however large a batch comes late, training creates no buffer after its first step', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL, { training: LIMIT });
  const [small, whole, divided] = [2, 15, 150].map((rows) =>
    randomBatch(SMALL_MODEL.vocabularySize, rows, rows),
  );
  expect(splitBatch(whole, LIMIT)).toHaveLength(1);
  expect(capacityOf(whole, LIMIT).tokens).toBeGreaterThan(3 * small.tokens.length);
  expect(splitBatch(divided, LIMIT).length).toBeGreaterThan(6);

  const created: number[] = [];
  const bytes: number[] = [];
  for (const batch of [small, whole, divided]) {
    const { logProb } = await policy.score(batch, 1);
    const { loss } = await trainOn(policy, batch, updateInputs(logProb));
    expect(loss.loss).not.toBeNaN();
    await policy.trainSupervised(batch, batch.weight, OPTIMISER);
    created.push(gpu.memory.createdCount);
    bytes.push(gpu.memory.totalBytes);
  }
  expect(created).toEqual([created[0], created[0], created[0]]);
  expect(bytes).toEqual([bytes[0], bytes[0], bytes[0]]);
  policy.dispose();
});

test('however many requests come late, and however long, sampling creates no buffer after its first', async () => {
  const sampling = { prefillRows: 100, sampledRows: 12, cachePlaces: 12 * CONTEXT };
  const policy = await randomPolicy(gpu, SMALL_MODEL, { sampling });
  const request =
    (length: number, maxTokens: number) =>
    (_: unknown, prompt: number): GenerateRequest => ({
      context: Array.from({ length }, (__, n) => tokenId((7 * n + prompt) % SMALL_MODEL.vocabularySize)),
      key: { prompt, node: 0, firstToken: 0 },
      maxTokens,
    });
  const created: number[] = [];
  for (const [count, length, maxTokens] of [
    [1, 2, 1],
    [12, CONTEXT - 20, 20],
    [40, CONTEXT - 2, 2], // more than are sampled together
  ]) {
    policy.beginRollout({ seed: 1, update: count }, { temperature: 1, stopTokens: [] });
    const generations = await policy.generate(Array.from({ length: count }, request(length, maxTokens)));
    expect(generations.map(({ tokens }) => tokens.length)).toEqual(Array(count).fill(maxTokens));
    created.push(gpu.memory.createdCount);
  }
  expect(created).toEqual([created[0], created[0], created[0]]);
  policy.dispose();
});
