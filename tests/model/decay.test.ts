import { beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { parameterMap } from '../../src/model/parameters.ts';
import { OPTIMISER, randomBatch, randomParameters, randomPolicy } from '../support/gpu_policies.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

test('weight decay leaves out the tensors it is told to, and only those', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL, { decayed: ({ name }) => !name.includes('norm') });
  const batch = randomBatch(SMALL_MODEL.vocabularySize, 4, 3);
  const zero = new Float32Array(batch.scored.length); // no gradient, so that decay alone moves parameters
  await policy.trainSupervised(batch, zero, { ...OPTIMISER, learningRate: 1, weightDecay: 0.5 });
  const after = await policy.parameters();
  policy.dispose();
  const before = randomParameters(SMALL_MODEL);
  for (const { name, offset, length } of parameterMap(SMALL_MODEL).parameters) {
    const left = name.includes('norm') ? 1 : 0.5;
    const want = before.slice(offset, offset + length).map((value) => left * value);
    expect([name, after.slice(offset, offset + length)]).toEqual([name, want]);
  }
});
