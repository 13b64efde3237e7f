import { beforeAll, describe, expect, test } from 'vitest';
import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { objective } from '../../src/algo/loss/loss.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { trainingLimit } from '../../src/model/policy.ts';
import { KL_KINDS, NO_EXTRAS, RATIO_LEVELS, type LossConfig, type LossExtras } from '../../src/units.ts';
import {
  LOSS,
  randomBatch,
  randomPolicy,
  relativeError,
  updateInputs,
  trainOn,
  type UpdateInputs,
} from '../support/gpu_policies.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const ROWS = 9;
const batch = randomBatch(29, ROWS, 21);
const scored = batch.scored.length;

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

const WIDE: LossConfig = { ...LOSS, clipLow: 0.02, clipHigh: 0.03 };
const SOFT = { lowerEdge: 'soft', upperEdge: 'soft' } as const;

const SHAPED: LossExtras = {
  ...NO_EXTRAS,
  clipScale: Float32Array.from({ length: scored }, (_, s) => 0.7 + 0.2 * (s % 4)),
  ratioFactor: Float32Array.from({ length: ROWS }, (_, row) => 1 + 0.01 * row),
};
const TARGETS: LossExtras = {
  ...NO_EXTRAS,
  rowTarget: Float32Array.from({ length: ROWS }, (_, i) => i / 4 - 1),
};
/** Pairs whose rows lie far apart, so that a split batch has them in different parts; row 4 has none. */
const PAIRS: LossExtras = { ...NO_EXTRAS, partner: Int32Array.of(8, -8, 5, 6, 4, -3, -4, 1, -1) };

const VARIANTS: readonly (readonly [string, LossConfig, LossExtras])[] = [
  ...RATIO_LEVELS.map((ratioLevel) => [`${ratioLevel} ratios`, { ...WIDE, ratioLevel }, NO_EXTRAS] as const),
  ['soft edges on turns', { ...TURN_LOSS, ...SOFT }, NO_EXTRAS],
  ['soft edges on sequences', { ...TURN_LOSS, ...SOFT, ratioLevel: 'sequence', clipLow: 3e-4 }, NO_EXTRAS],
  ['PPO with dual clip', { ...TOKEN_LOSS, dualClip: 1.05, clipLow: 0.05, clipHigh: 0.05 }, NO_EXTRAS],
  ['half GPPO', { ...TOKEN_LOSS, upperEdge: 'soft', clipHigh: 0.05 }, NO_EXTRAS],
  ['SAPO', { ...TOKEN_LOSS, surrogate: 'gate' }, NO_EXTRAS],
  ['AEPO', { ...TOKEN_LOSS, upperEdge: 'soft', clipHigh: 0.05, entropyAdvantage: 0.2 }, NO_EXTRAS],
  ['A²TGPO’s bands and RAPO’s ratios', WIDE, SHAPED],
  ['regression', { ...TOKEN_LOSS, surrogate: 'regression', beta: 0.1 }, TARGETS],
  ['preference', { ...TOKEN_LOSS, surrogate: 'preference', beta: 0.1 }, PAIRS],
  ['no loss but a penalty', { ...WIDE, surrogate: 'none', klCoefficient: 0.2 }, NO_EXTRAS],
  ...KL_KINDS.map(
    (klKind) => [`${klKind} penalty`, { ...WIDE, klCoefficient: 0.2, klKind }, NO_EXTRAS] as const,
  ),
];

const inputsOf = (logProb: Float32Array, loss: LossConfig, extras: LossExtras): UpdateInputs => ({
  ...updateInputs(logProb, { loss, extras }),
  refLogProb: Float32Array.from(logProb, (x, s) => x + 0.4 * Math.sin(3 * s)),
});

/** One update of fresh parameters. */
async function updated(loss: LossConfig, extras: LossExtras, tokens?: number) {
  const policy = await randomPolicy(gpu, SMALL_MODEL, { training: trainingLimit(tokens) });
  const { logProb } = await policy.score(batch, 1);
  const inputs = inputsOf(logProb, loss, extras);
  const { loss: result } = await trainOn(policy, batch, inputs);
  const gradients = await policy.gradients();
  policy.dispose();
  return { inputs, result, gradients };
}

describe.each(VARIANTS)('%s', (_, loss, extras) => {
  test('gives the loss and gradient of the float64 objective, whole and in parts', async () => {
    const whole = await updated(loss, extras);
    const { inputs, result } = whole;
    const tokens = { ...batch, ...inputs, ...result, rowCount: ROWS };
    const want = objective({ ...tokens, refLogProb: inputs.refLogProb }, loss, extras);
    expect(Math.abs(result.loss - want.policy.loss)).toBeLessThan(2e-6);
    expect(relativeError(result.dlogProb, want.dlogProb)).toBeLessThan(5e-6);
    expect(want.dlogProb.some((d) => d !== 0)).toBe(true);
    const split = await updated(loss, extras, 17);
    expect(split.result.loss).toBeCloseTo(result.loss, 5);
    expect(relativeError(split.result.dlogProb, result.dlogProb)).toBeLessThan(1e-5);
    expect(relativeError(split.gradients, whole.gradients)).toBeLessThan(1e-5);
  });
});

describe('inputs that a loss needs and does not get are refused:', () => {
  const logProb = new Float32Array(scored);
  test.each<[string, Partial<UpdateInputs>, RegExp]>([
    ['targets', { loss: { ...WIDE, surrogate: 'regression' }, refLogProb: logProb }, /row targets.*none/],
    ['partners', { loss: { ...WIDE, surrogate: 'preference' }, refLogProb: logProb }, /partners.*none/],
    ['a reference', { loss: { ...WIDE, surrogate: 'preference' }, extras: PAIRS }, /reference.*none/],
    [
      'partners in the batch',
      {
        loss: { ...WIDE, surrogate: 'preference' },
        refLogProb: logProb,
        extras: { ...NO_EXTRAS, partner: new Int32Array(ROWS).fill(ROWS) },
      },
      /partner is not in the batch.*got 9, wanted below 9/,
    ],
    [
      'clip scales per token',
      { extras: { ...SHAPED, clipScale: new Float32Array(2) } },
      /clip scales.*2 numbers/,
    ],
  ])('%s', async (_, change, message) => {
    const policy = await randomPolicy(gpu, SMALL_MODEL);
    await expect(trainOn(policy, batch, updateInputs(logProb, change))).rejects.toThrow(message);
    policy.dispose();
  });
});
