import { beforeAll, describe, expect, test } from 'vitest';
import { policyLoss } from '../../src/algo/loss/loss.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { NoGradientError } from '../../src/model/errors.ts';
import { trainingLimit, type Policy } from '../../src/model/policy.ts';
import { NO_EXTRAS, type LossConfig } from '../../src/units.ts';
import {
  LOSS,
  OPTIMISER,
  randomBatch,
  randomParameters,
  randomPolicy,
  relativeError,
  updateInputs,
  trainOn,
} from '../support/gpu_policies.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { packRows, SMALL_MODEL } from '../support/token_batches.ts';

const batch = randomBatch(29, 9, 21);

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

async function stepped(policy: Policy, steps = 1) {
  const { logProb } = await policy.score(batch, 1);
  const inputs = updateInputs(logProb);
  const results = [];
  for (let step = 0; step < steps; step++) results.push(await trainOn(policy, batch, inputs));
  const state = {
    results,
    inputs,
    gradients: await policy.gradients(),
    parameters: await policy.parameters(),
  };
  policy.dispose();
  return state;
}

test('the loss and its gradient are those of the float64 loss on the same log-probabilities', async () => {
  const { results, inputs } = await stepped(await randomPolicy(gpu, SMALL_MODEL));
  const { loss } = results[0];
  const { oldLogProb } = inputs;
  const want = policyLoss({ ...batch, ...loss, oldLogProb, rowCount: batch.rows.length }, LOSS);
  expect(Math.abs(loss.loss - want.loss)).toBeLessThan(1e-6);
  expect(relativeError(loss.dlogProb, want.dlogProb)).toBeLessThan(2e-6);
  expect(relativeError(loss.turnLogRatio, want.turnLogRatio)).toBeLessThan(1e-5);
  expect([...loss.dlogProb].some((d) => d === 0)).toBe(true); // some turns are clipped
});

test('an update split into micro-batches gives the unsplit one’s numbers', async () => {
  const whole = await stepped(await randomPolicy(gpu, SMALL_MODEL), 2);
  const split = await stepped(await randomPolicy(gpu, SMALL_MODEL, { training: trainingLimit(17) }), 2);
  for (const step of [0, 1]) {
    expect(split.results[step].loss.loss).toBeCloseTo(whole.results[step].loss.loss, 6);
    expect(relativeError(split.results[step].loss.logProb, whole.results[step].loss.logProb)).toBeLessThan(
      1e-6,
    );
    expect(
      relativeError(split.results[step].loss.turnLogRatio, whole.results[step].loss.turnLogRatio),
    ).toBeLessThan(1e-5);
  }
  expect(relativeError(split.gradients, whole.gradients)).toBeLessThan(2e-6);
  expect(relativeError(split.parameters, whole.parameters)).toBeLessThan(2e-6);
});

test('the same update twice gives the same bits', async () => {
  const first = await stepped(await randomPolicy(gpu, SMALL_MODEL), 2);
  const second = await stepped(await randomPolicy(gpu, SMALL_MODEL), 2);
  expect(second).toEqual(first);
});

test('gradient norms by tensor add up to the whole norm and are those of the gradients', async () => {
  const { results, gradients } = await stepped(await randomPolicy(gpu, SMALL_MODEL));
  const { gradientNorm, gradientNorms, skipped } = results[0].step;
  expect(skipped).toBe(false);
  expect(Object.keys(gradientNorms)).toContain('layers.1.mlp.gate_up_proj.weight');
  expect(Math.hypot(...Object.values(gradientNorms)) / gradientNorm).toBeCloseTo(1, 5);
  expect(Math.hypot(...gradients) / gradientNorm).toBeCloseTo(1, 5);
});

describe('a gradient that is not finite', () => {
  test('skips the step: parameters, moments and the step count stay', async () => {
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    const { logProb } = await policy.score(batch, 1);
    const inputs = updateInputs(logProb);
    const broken = { ...batch, advantage: batch.advantage.map(() => Infinity) };
    const { step } = await trainOn(policy, broken, inputs);
    expect(step.skipped).toBe(true);
    expect(step.gradientNorm).toBeNaN(); // as it was, and not 0
    expect(await policy.parameters()).toEqual(randomParameters(SMALL_MODEL));
    await trainOn(policy, batch, inputs);
    const after = await policy.parameters();
    policy.dispose();
    const { parameters } = await stepped(await randomPolicy(gpu, SMALL_MODEL));
    expect(after).toEqual(parameters);
  });
});

/** Losses that read the old log-probabilities, and those that read the reference policy's. */
const NAN_LOSSES: Readonly<Record<string, Partial<LossConfig>>> = {
  'token ratios': { ratioLevel: 'token', logRatioCap: 20, dualClip: 3 },
  'turn ratios': {},
  'sequence ratios': { ratioLevel: 'sequence' },
  'soft edges': { ratioLevel: 'token', logRatioCap: 20, lowerEdge: 'soft', upperEdge: 'soft' },
  'a gate': { surrogate: 'gate', ratioLevel: 'token', logRatioCap: 20 },
};
const NAN_REFERENCE_LOSSES: Readonly<Record<string, Partial<LossConfig>>> = {
  'a KL penalty, k1': { klCoefficient: 0.1, klKind: 'k1' },
  'a KL penalty, abs': { klCoefficient: 0.1, klKind: 'abs' },
  'a KL penalty, k2': { klCoefficient: 0.1, klKind: 'k2' },
  'a KL penalty, k3': { klCoefficient: 0.1, klKind: 'k3' },
  regression: { surrogate: 'regression' },
  preference: { surrogate: 'preference' },
};

describe('one NaN among the log-probabilities', () => {
  const middle = batch.scored.length >> 1;
  const spoilt = (values: Float32Array) => Float32Array.from(values, (x, s) => (s === middle ? NaN : x));
  const extras = {
    ...NO_EXTRAS,
    rowTarget: Float32Array.from(batch.rows, (_, row) => row / 10),
    partner: Int32Array.from(batch.rows, (_, row) => (row === 8 ? 8 : row % 2 === 0 ? row + 1 : -row)), // 0–1, 2–3, …
  };
  const moved = { ...batch, advantage: batch.advantage.map(() => -0.23) };

  async function spoiltUpdate(change: Partial<LossConfig>, ofReference: boolean) {
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    const { logProb } = await policy.score(moved, 1);
    const clean = updateInputs(logProb, { refLogProb: logProb, extras, loss: { ...LOSS, ...change } });
    const bad = ofReference
      ? { ...clean, refLogProb: spoilt(logProb) }
      : { ...clean, oldLogProb: spoilt(clean.oldLogProb) };
    const result = await trainOn(policy, moved, bad);
    const still = await policy.parameters();
    const next = await trainOn(policy, moved, clean); // moments and the step count stayed too: the step is a first one
    const after = await policy.parameters();
    policy.dispose();
    const fresh = await randomPolicy(gpu, SMALL_MODEL);
    const want = await trainOn(fresh, moved, clean);
    const wanted = await fresh.parameters();
    fresh.dispose();
    expect(next.step).toEqual(want.step);
    return { ...result, still, after, wanted };
  }

  test.each(Object.entries(NAN_LOSSES))(
    'under %s: the loss is NaN and nothing is stepped',
    async (_, change) => {
      const { loss, step, still, after, wanted } = await spoiltUpdate(change, false);
      expect(loss.loss).toBeNaN();
      expect(step).toMatchObject({ skipped: true, gradientNorm: NaN });
      expect(still).toEqual(randomParameters(SMALL_MODEL));
      expect(after).toEqual(wanted);
    },
  );

  test.each(Object.entries(NAN_REFERENCE_LOSSES))(
    'of the reference under %s: nothing is stepped',
    async (_, change) => {
      const { loss, step, still, after, wanted } = await spoiltUpdate(change, true);
      if (change.surrogate) expect(loss.loss).toBeNaN(); // the KL term is not part of the policy's loss
      expect(step).toMatchObject({ skipped: true, gradientNorm: NaN });
      expect(still).toEqual(randomParameters(SMALL_MODEL));
      expect(after).toEqual(wanted);
    },
  );
});

test('a gradient past the largest float is told from one that is no number', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const { logProb } = await policy.score(batch, 1);
  const steep = { ...batch, advantage: batch.advantage.map((value) => 1e25 * value) };
  const { loss, step } = await trainOn(policy, steep, { ...updateInputs(logProb), oldLogProb: logProb });
  policy.dispose();
  expect(Number.isFinite(loss.loss)).toBe(true);
  expect(step).toMatchObject({ skipped: true, gradientNorm: Infinity });
});

test('a batch without scored tokens changes parameters by weight decay alone', async () => {
  const silent = packRows([{ tokens: [1, 2, 3], mask: [0, 0, 0] }]);
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const { loss, step } = await trainOn(policy, silent, updateInputs(new Float32Array(0)));
  const parameters = await policy.parameters();
  policy.dispose();
  expect(loss.loss).toBe(0);
  expect(step.gradientNorm).toBe(0);
  const decay = 1 - OPTIMISER.learningRate * OPTIMISER.weightDecay;
  expect(
    relativeError(
      parameters,
      randomParameters(SMALL_MODEL).map((value) => value * decay),
    ),
  ).toBeLessThan(1e-6);
});

test('supervised steps learn a small batch by heart', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const weights = new Float32Array(batch.scored.length).fill(1 / batch.scored.length);
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) {
    losses.push((await policy.trainSupervised(batch, weights, { ...OPTIMISER, learningRate: 1e-2 })).loss);
  }
  policy.dispose();
  expect(losses[0]).toBeGreaterThan(3);
  expect(losses[59]).toBeLessThan(0.3);
});

test('an update raises the log-probability of turns with a positive advantage', async () => {
  const positive = {
    ...batch,
    advantage: batch.advantage.map((_, s) => (batch.turnRow[batch.turnIndex[s]] % 2 ? 1 : -1)),
  };
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const before = await policy.score(positive, 1);
  const loss = { ...LOSS, entropyCoefficient: 0 };
  await trainOn(policy, positive, { ...updateInputs(before.logProb), oldLogProb: before.logProb, loss });
  const after = await policy.score(positive, 1);
  policy.dispose();
  const gain = after.logProb.reduce(
    (sum, value, s) => sum + positive.advantage[s] * (value - before.logProb[s]),
    0,
  );
  expect(gain).toBeGreaterThan(0);
});

describe('weights', () => {
  test('come back from a saved file bit for bit, and the optimiser starts anew', async () => {
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    const file = await policy.save({ seed: '1' });
    const { logProb } = await policy.score(batch, 1);
    await trainOn(policy, batch, updateInputs(logProb));
    expect(await policy.parameters()).not.toEqual(randomParameters(SMALL_MODEL));
    await policy.load(file);
    expect(await policy.parameters()).toEqual(randomParameters(SMALL_MODEL));
    await trainOn(policy, batch, updateInputs(logProb));
    const after = await policy.parameters();
    policy.dispose();
    expect(after).toEqual((await stepped(await randomPolicy(gpu, SMALL_MODEL))).parameters);
  });

  test('of another model are refused and change nothing', async () => {
    const other = await randomPolicy(gpu, { ...SMALL_MODEL, vocabularySize: 30 });
    const file = await other.save();
    other.dispose();
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    await expect(policy.load(file)).rejects.toThrow(/embed\.weight.*\[30, 24\].*\[29, 24\]/);
    expect(await policy.parameters()).toEqual(randomParameters(SMALL_MODEL));
    policy.dispose();
  });
});

describe('inputs that do not fit are refused:', () => {
  test.each([
    [
      'too few old log-probabilities',
      { oldLogProb: new Float32Array(3) },
      /old log-probabilities.*3 numbers/,
    ],
    [
      'a KL term without a reference',
      { loss: { ...LOSS, klCoefficient: 0.1 } },
      /reference log-probabilities.*none/,
    ],
  ])('%s', async (_, change, message) => {
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    const inputs = { ...updateInputs(new Float32Array(batch.scored.length)), ...change };
    await expect(trainOn(policy, batch, inputs)).rejects.toThrow(message);
    policy.dispose();
  });

  test('a row above the capacity', async () => {
    const policy = await randomPolicy(gpu, SMALL_MODEL, { training: trainingLimit(4) });
    await expect(policy.score(batch, 1)).rejects.toThrow(/larger than the activation workspace/);
    policy.dispose();
  });
});

test('a gradient is stepped along once, and a step without one is refused', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const inputs = updateInputs((await policy.score(batch, 1)).logProb);
  await expect(policy.step(OPTIMISER)).rejects.toThrow(NoGradientError);
  const before = await policy.parameters();
  await policy.backward(batch, inputs);
  expect(await policy.parameters()).toEqual(before);
  await policy.step(OPTIMISER);
  const after = await policy.parameters();
  expect(after).not.toEqual(before);
  await expect(policy.step(OPTIMISER)).rejects.toThrow(NoGradientError);
  expect(await policy.parameters()).toEqual(after);
  policy.dispose();
});
