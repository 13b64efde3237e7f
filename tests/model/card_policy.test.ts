import { beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { tokenId } from '../../src/units.ts';
import { OPTIMISER, randomBatch, randomPolicy } from '../support/gpu_policies.ts';
import { onCard } from '../support/on_card.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

/** Of every product's column counts: those that are no multiple of 4 are the kernels' own tests'. */
const MODEL = { ...SMALL_MODEL, vocabularySize: 28 };

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

/** Parameters after a supervised step, and turns sampled with them in chunks that end in the middle. */
async function workOf(on: Gpu) {
  const policy = await randomPolicy(on, MODEL);
  const batch = randomBatch(MODEL.vocabularySize, 6, 3);
  const { loss } = await policy.trainSupervised(batch, batch.weight, OPTIMISER);
  policy.beginRollout({ seed: 3, update: 1 }, { temperature: 1, stopTokens: [tokenId(1)] });
  const turns = await policy.generate(
    [2, 5, 9].map((length, prompt) => ({
      context: Array.from({ length }, (_, n) => tokenId((3 * n + prompt) % MODEL.vocabularySize)),
      key: { prompt, node: 0, firstToken: 0 },
      maxTokens: 17 + prompt,
    })),
  );
  const parameters = await policy.parameters();
  policy.dispose();
  return { loss, parameters, turns };
}

test('the kernels for graphics cards train and sample as those for the CPU do', async () => {
  const [card, cpu] = [await workOf(onCard(gpu)), await workOf(gpu)];
  expect(card.turns.map(({ tokens }) => tokens)).toEqual(cpu.turns.map(({ tokens }) => tokens));
  expect(card.turns.some(({ tokens }) => tokens.length > 16)).toBe(true); // more than one read-back
  // Sums over the vocabulary go by lanes on a card: the last bits differ, nothing else.
  expect(card.loss).toBeCloseTo(cpu.loss, 6);
  const worst = card.parameters.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - cpu.parameters[at])),
    0,
  );
  expect(worst).toBeLessThan(1e-2 * OPTIMISER.learningRate);
}, 300_000); // a software adapter compiles every one of them
