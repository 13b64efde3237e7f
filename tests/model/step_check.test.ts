import { beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { checkStep, forecastTokens } from '../../src/train/inspect/step_check.ts';
import {
  LOSS,
  namedParameters,
  OPTIMISER,
  randomBatch,
  randomPolicy,
  relativeError,
  updateInputs,
  trainOn,
} from '../support/gpu_policies.ts';
import { oracleScores } from '../support/model.oracle.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const batch = randomBatch(29, 9, 21);

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

test('a small AdamW step of the model changes the loss as its gradient says, and checking changes nothing', async () => {
  const [checked, plain] = [await randomPolicy(gpu, SMALL_MODEL), await randomPolicy(gpu, SMALL_MODEL)];
  const { logProb } = await plain.score(batch, 1);
  const loss = { ...LOSS, clipLow: 9, clipHigh: 9 };
  const inputs = { ...updateInputs(logProb, { loss }), optimiser: { ...OPTIMISER, learningRate: 1e-4 } };
  const before = await checked.parameters();
  const result = await trainOn(checked, batch, inputs);
  const step = await checkStep(checked, {
    minibatch: 0,
    batch,
    inputs,
    learningRate: 1e-4,
    before,
    loss: result.loss,
  });
  const actual = step.lossAfter - step.lossBefore;
  expect(step.predicted).toBeLessThan(0);
  expect(Math.abs(step.predicted / actual - 1)).toBeLessThan(0.03);
  expect(Math.abs(step.predicted / step.throughTokens - 1)).toBeLessThan(0.03);
  expect(step.correlation).toBeGreaterThan(0);
  expect(step.forecastCorrelation).toBeGreaterThan(0.999);
  expect(Math.abs(step.predictedThroughTokens / step.predicted - 1)).toBeLessThan(2e-3);

  expect(await trainOn(plain, batch, inputs)).toEqual(result);
  expect(await trainOn(plain, batch, inputs)).toEqual(await trainOn(checked, batch, inputs));
  expect(await plain.parameters()).toEqual(await checked.parameters());
  checked.dispose();
  plain.dispose();
});

// The oracle's central difference at a thousandth of the step is good to 1e-9 of the change; the rest is the device's.
test('what a step promises each token is the float64 model’s derivative along it', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const { logProb } = await policy.score(batch, 0.8);
  const before = await policy.parameters();
  await trainOn(policy, batch, { ...updateInputs(logProb), temperature: 0.8 });
  const after = await policy.parameters();
  const change = after.map((value, index) => value - before[index]);
  const got = await forecastTokens(policy, batch, 0.8, before, change);
  const oracleAt = (share: number) => {
    const moved = Float64Array.from(before, (value, index) => value + share * change[index]);
    const named = namedParameters(SMALL_MODEL, moved);
    return oracleScores(SMALL_MODEL, (name) => named.get(name)!, batch, 0.8);
  };
  const [ahead, behind] = [oracleAt(1e-3), oracleAt(-1e-3)];
  const slope = (name: 'logProb' | 'entropy') =>
    ahead[name].map((value, s) => (value - behind[name][s]) / 2e-3);
  console.log(`forecast off by ${relativeError(got.logProb, slope('logProb'))} of the largest change`);
  expect(relativeError(got.logProb, slope('logProb'))).toBeLessThan(1e-3);
  expect(relativeError(got.entropy, slope('entropy'))).toBeLessThan(1e-3);
  expect(await policy.parameters()).toEqual(after);
  policy.dispose();
});

test('scoring at other parameters gives their scores, and the policy’s own are back afterwards', async () => {
  const [asked, other] = [await randomPolicy(gpu, SMALL_MODEL), await randomPolicy(gpu, SMALL_MODEL)];
  const inputs = updateInputs((await other.score(batch, 1)).logProb);
  await trainOn(other, batch, inputs);
  const own = await asked.parameters();
  expect(await asked.scoreAt(await other.parameters(), batch, 1)).toEqual(await other.score(batch, 1));
  expect(await asked.parameters()).toEqual(own);
  await expect(() => asked.scoreAt(own.slice(1), batch, 1)).rejects.toThrow('do not fit');
  expect(await asked.parameters()).toEqual(own);
  asked.dispose();
  other.dispose();
});
