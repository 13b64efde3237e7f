import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import { checkStep } from '../../src/train/step_check.ts';
import { LOSS, OPTIMISER, randomBatch, randomPolicy, updateInputs } from '../support/gpu_policies.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const batch = randomBatch(29, 9, 21);

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.close());

test('a small AdamW step of the model changes the loss as its gradient says, and checking changes nothing', async () => {
  const [checked, plain] = [await randomPolicy(gpu, SMALL_MODEL), await randomPolicy(gpu, SMALL_MODEL)];
  const { logProb } = await plain.score(batch, 1);
  const loss = { ...LOSS, clipLow: 9, clipHigh: 9 };
  const inputs = { ...updateInputs(logProb, { loss }), optimiser: { ...OPTIMISER, learningRate: 1e-4 } };
  const before = await checked.parameters();
  const result = await checked.update(batch, inputs);
  const step = await checkStep(checked, { minibatch: 0, batch, inputs, before, result });
  const actual = step.lossAfter - step.lossBefore;
  expect(step.predicted).toBeLessThan(0);
  expect(Math.abs(step.predicted / actual - 1)).toBeLessThan(0.03);
  expect(Math.abs(step.predicted / step.throughTokens - 1)).toBeLessThan(0.03);
  expect(step.correlation).toBeGreaterThan(0);

  expect(await plain.update(batch, inputs)).toEqual(result);
  expect(await plain.update(batch, inputs)).toEqual(await checked.update(batch, inputs));
  expect(await plain.parameters()).toEqual(await checked.parameters());
  checked.dispose();
  plain.dispose();
});
