import { beforeAll, expect, test } from 'vitest';
import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { LossConfig } from '../../src/units.ts';
import { randomBatch, randomPolicy, updateInputs, trainOn } from '../support/gpu_policies.ts';
import { inner } from '../support/central_difference.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const batch = randomBatch(29, 9, 21);
const LOSSES: readonly LossConfig[] = [
  TURN_LOSS,
  TOKEN_LOSS,
  { ...TOKEN_LOSS, surrogate: 'gate' },
  { ...TURN_LOSS, surrogate: 'none' }, // no gradient at all
];

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

test('cosines and norms are those of the gradients read back, and nothing is trained', async () => {
  const policy = await randomPolicy(gpu, SMALL_MODEL);
  const { logProb } = await policy.score(batch, 1);
  await trainOn(policy, batch, updateInputs(logProb));
  const before = { parameters: await policy.parameters(), gradients: await policy.gradients() };
  const opposite = { ...batch, advantage: batch.advantage.map((A) => -A) };
  const sources = [
    ...LOSSES.map((loss) => ({ batch, inputs: updateInputs(logProb, { loss }) })),
    { batch: opposite, inputs: updateInputs(logProb, { loss: { ...TURN_LOSS, clipLow: 9, clipHigh: 9 } }) },
  ];
  const { norms, cosines } = await policy.gradientCosines(sources);
  const gradients: Float32Array[] = [];
  for (const source of sources) gradients.push(await policy.gradientOf(source.batch, source.inputs));
  expect({ parameters: await policy.parameters(), gradients: await policy.gradients() }).toEqual(before);
  policy.dispose();

  const exact = gradients.map((gradient) => Math.sqrt(inner(gradient, gradient)));
  sources.forEach((_, i) => {
    expect(Math.abs(norms[i] - exact[i])).toBeLessThan(1e-6 * Math.max(1e-3, exact[i]));
    sources.forEach((__, j) => {
      const want = exact[i] * exact[j] > 0 ? inner(gradients[i], gradients[j]) / (exact[i] * exact[j]) : 0;
      expect(Math.abs(cosines[i][j] - want)).toBeLessThan(1e-6);
    });
  });
  expect(norms[3]).toBe(0);
  expect(cosines[0][1]).toBeGreaterThan(0);
  expect(cosines[1][4]).toBeLessThan(0);
});

test('an update after a comparison is the update without it', async () => {
  const [compared, plain] = await Promise.all([
    randomPolicy(gpu, SMALL_MODEL),
    randomPolicy(gpu, SMALL_MODEL),
  ]);
  const { logProb } = await plain.score(batch, 1);
  const inputs = updateInputs(logProb);
  await compared.gradientCosines([
    { batch, inputs },
    { batch, inputs: { ...inputs, loss: TOKEN_LOSS } },
  ]);
  const results = [await trainOn(compared, batch, inputs), await trainOn(plain, batch, inputs)];
  expect(results[0]).toEqual(results[1]);
  expect(await compared.parameters()).toEqual(await plain.parameters());
  compared.dispose();
  plain.dispose();
});
