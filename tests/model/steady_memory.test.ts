import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import { capacityOf, splitBatch } from '../../src/model/microbatches.ts';
import { OPTIMISER, randomBatch, randomPolicy, updateInputs } from '../support/gpu_policies.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const LIMIT = { tokens: 200, predicted: 200, scored: 400 };

let gpu: Gpu;
beforeAll(async () => void (gpu = await openGpu()));
afterAll(() => gpu.close());

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
    const { loss } = await policy.update(batch, updateInputs(logProb));
    expect(loss.loss).not.toBeNaN();
    await policy.trainSupervised(batch, batch.weight, OPTIMISER);
    created.push(gpu.memory.createdCount);
    bytes.push(gpu.memory.totalBytes);
  }
  expect(created).toEqual([created[0], created[0], created[0]]);
  expect(bytes).toEqual([bytes[0], bytes[0], bytes[0]]);
  policy.dispose();
});
