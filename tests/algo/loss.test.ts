import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import type { KlKind, LossReduction } from '../../src/units.ts';
import { describe, expect, it } from 'vitest';
import losses from '../fixtures/losses.json';
import { LossInputError, objective, policyLoss } from '../../src/algo/loss/loss.ts';
import { clipTerm } from '../../src/algo/loss/loss_terms.ts';
import { lossMetrics } from '../../src/algo/loss/metrics.ts';
import { packPadded, unpackPadded, type Padded } from '../support/padded.ts';
import { klTerm, reductionWeights, tokenMeanWeight } from '../../src/algo/loss/penalties.ts';
import { randomTokens } from '../support/loss_tokens.ts';

const EXACT = 1e-12;
const PAPER = TURN_LOSS;

/** Largest |got − want| over max(1, |want|). */
const worst = (got: Padded, want: readonly (readonly (number | null)[])[]): number =>
  Math.max(
    ...want.flatMap((row, b) =>
      row.map((x, t) => Math.abs(got[b][t] - (x ?? 0)) / Math.max(1, Math.abs(x ?? 0))),
    ),
  );

describe('AT²PO’s loss against the released code', () => {
  for (const example of losses.families.atpo) {
    const rows = {
      responseMask: example.response_mask,
      logProb: example.log_prob,
      oldLogProb: example.old_log_prob,
      advantage: example.advantages,
    };
    const tokens = packPadded(rows);
    const config = {
      ...PAPER,
      clipLow: example.hyper.cliprange_low,
      clipHigh: example.hyper.cliprange_high,
    };
    const policy = policyLoss(tokens, config);

    it(`gives the loss and gradient of ${example.name}`, () => {
      const gradient = unpackPadded(tokens, policy.dlogProb);
      expect(worst(gradient, example.grad_log_prob)).toBeLessThan(EXACT);
      if (example.loss !== null) {
        expect(Math.abs(policy.loss - example.loss)).toBeLessThan(
          EXACT * Math.max(1, Math.abs(example.loss)),
        );
      }
    });

    it(`gives the metrics of ${example.name}`, () => {
      const metrics = lossMetrics(tokens, config);
      expect(Math.abs(metrics.clipFraction - example.metrics['actor/pg_clipfrac'])).toBeLessThan(EXACT);
      expect(metrics.clipFractionLower).toBe(example.metrics['actor/pg_clipfrac_lower']);
      expect(Math.abs(metrics.ppoKl - example.metrics['actor/ppo_kl'])).toBeLessThan(EXACT);
      expect(Math.abs(metrics.turnKlEntropy - example.metrics['actor/turn_kl_entropy'])).toBeLessThan(5e-8);
      expect(metrics.singleTurnCount).toBe(example.metrics['actor/single_turn_count']);
    });

    it(`finds the turns of ${example.name}`, () => {
      const starts = Array.from(tokens.turnStart);
      const runs = example.turns.map((_, b) =>
        Array.from(tokens.turnRow).flatMap((row, k) =>
          row === b ? [[tokens.position[starts[k]], tokens.position[starts[k + 1] - 1] + 1]] : [],
        ),
      );
      expect(runs).toEqual(example.turns);
    });
  }

  it('counts a row without trainable tokens in B and gives it nothing, where the released code gives NaN', () => {
    const example = losses.families.atpo.find(({ reference_nonfinite }) => reference_nonfinite)!;
    const rows = {
      responseMask: example.response_mask,
      logProb: example.log_prob,
      oldLogProb: example.old_log_prob,
      advantage: example.advantages,
    };
    const first = (padded: Padded): Padded => padded.slice(0, 1);
    const alone = {
      responseMask: first(rows.responseMask),
      logProb: first(rows.logProb),
      oldLogProb: first(rows.oldLogProb),
      advantage: first(rows.advantage),
    };
    const both = packPadded(rows);
    const policy = policyLoss(both, PAPER);
    expect(policy.loss).toBeCloseTo(policyLoss(packPadded(alone), PAPER).loss / 2, 14);
    expect(unpackPadded(both, policy.dlogProb)[1]).toEqual(new Array(example.response_length).fill(0));
  });
});

describe('KL penalties and reductions against the released code', () => {
  for (const example of losses.kl) {
    it(`gives ${example.name}`, () => {
      const kind = example.kl_type as KlKind;
      const term = (b: number, t: number) => klTerm(kind, example.log_prob[b][t], example.ref_log_prob[b][t]);
      const kl = example.log_prob.map((row, b) => row.map((_, t) => term(b, t).kl));
      expect(worst(kl, example.kld)).toBeLessThan(EXACT);
      const zero = example.log_prob.map((row) => row.map(() => 0));
      const tokens = packPadded(
        { responseMask: example.response_mask, logProb: example.log_prob, oldLogProb: zero, advantage: zero },
        example.loss_agg_mode as LossReduction,
      );
      const terms = Array.from(tokens.rowIndex, (b, s) => term(b, tokens.position[s]));
      const loss = terms.reduce((sum, { kl: value }, s) => sum + tokens.weight[s] * value, 0);
      expect(Math.abs(loss - example.loss)).toBeLessThan(EXACT);
      const gradient = unpackPadded(
        tokens,
        terms.map(({ dlogProb }, s) => tokens.weight[s] * dlogProb),
      );
      expect(worst(gradient, example.grad_log_prob)).toBeLessThan(EXACT);
    });
  }

  it('cuts k3 at ten nats, value and gradient together', () => {
    expect(klTerm('k3', -5, 0)).toEqual({ kl: 10, dlogProb: 0 });
    expect(klTerm('k3', 0, -9).kl).toBeCloseTo(Math.exp(-9) + 8, 12);
    expect(klTerm('k3', 0, -30)).toEqual({ kl: 10, dlogProb: 0 });
    expect(klTerm('k3', 0, 800)).toEqual({ kl: 10, dlogProb: 0 });
  });

  it('sums over tokens, per row or over the padded length', () => {
    const weights = (reduction: LossReduction) => Array.from(reductionWeights(reduction, [0, 0, 2], 4, 8));
    expect(weights('token-mean')).toEqual(new Array(3).fill(tokenMeanWeight(3)));
    expect(weights('seq-mean-token-mean')).toEqual([1 / 8, 1 / 8, 1 / 4]);
    expect(weights('seq-mean-token-sum')).toEqual([1 / 4, 1 / 4, 1 / 4]);
    expect(weights('seq-mean-token-sum-norm')).toEqual([1 / 8, 1 / 8, 1 / 8]);
  });
});

describe('the zero-gradient rules', () => {
  const above = Math.log(1.02);
  const below = Math.log(0.98);
  it.each([
    ['A > 0 above the band', above, 2, 1, 0, -2 * 1.004],
    ['A < 0 below the band', below, -2, 2, 0, 2 * 0.997],
    ['A > 0 below the band', below, 2, 0, -2 * 0.98, -2 * 0.98],
    ['A < 0 above the band', above, -2, 0, 2 * 1.02, 2 * 1.02],
    ['A = 0 anywhere', above, 0, 0, 0, 0],
    ['A < 0 at exactly the cap', 10, -2, 0, 2 * Math.exp(10), 2 * Math.exp(10)],
    ['A < 0 over the cap', 10.001, -2, 3, 0, 2 * Math.exp(10)],
    ['A > 0 over the cap', 10.001, 2, 1, 0, -2 * 1.004],
  ])('hold for %s', (_, logRatio, advantage, state, gradient, loss) => {
    const term = clipTerm(logRatio, { advantage, clipScale: 1, ratioFactor: 1 }, PAPER);
    expect(term.clipState).toBe(state);
    expect(term.dlogProb).toBeCloseTo(gradient, 9);
    expect(term.tokenLoss).toBeCloseTo(loss, 9);
  });
});

describe('properties of the loss', () => {
  const wide = { ...TURN_LOSS, clipLow: 0.2, clipHigh: 0.2, entropyCoefficient: 0.03, klCoefficient: 0.2 };

  it('adds the entropy bonus and the KL penalty as token means', () => {
    const tokens = randomTokens(5);
    const result = objective(tokens, wide);
    const policyOnly = objective(tokens, { ...wide, entropyCoefficient: 0, klCoefficient: 0 });
    const entropy = Array.from(tokens.entropy).reduce((sum, h) => sum + h, 0) / (19 + 1e-8);
    expect(result.entropy).toBeCloseTo(entropy, 12);
    expect(result.total - policyOnly.total).toBeCloseTo(-0.03 * entropy + 0.2 * result.kl, 12);
    expect(result.kl).toBeGreaterThan(0);
    expect(result.dentropy).toBeCloseTo(-0.03 / 19, 9);
    expect(policyOnly.dlogProb).toEqual(policyOnly.policy.dlogProb);
    expect(policyOnly.total).toBe(policyOnly.policy.loss);
  });

  it('gives observation tokens no loss and no gradient, whatever stands there', () => {
    const responseMask = [[0, 1, 1, 0, 0, 1, 0]];
    const quiet = {
      responseMask,
      logProb: [[0, -1, -2, 0, 0, -1, 0]],
      oldLogProb: [[0, -1.1, -2, 0, 0, -1, 0]],
    };
    const loud = {
      responseMask,
      logProb: [[9e9, -1, -2, NaN, -9e9, -1, 5]],
      oldLogProb: [[1, -1.1, -2, 7, NaN, -1, 6]],
    };
    const run = (rows: typeof quiet, garbage: number) => {
      const tokens = packPadded({ ...rows, advantage: [[garbage, 1, 1, garbage, garbage, -1, garbage]] });
      const policy = policyLoss(tokens, PAPER);
      return {
        loss: policy.loss,
        gradient: unpackPadded(tokens, policy.dlogProb),
        metrics: lossMetrics(tokens, PAPER),
      };
    };
    expect(run(loud, Infinity)).toEqual(run(quiet, 0));
    const [gradient] = run(loud, Infinity).gradient;
    expect([0, 3, 4, 6].map((t) => gradient[t])).toEqual([0, 0, 0, 0]);
    expect(gradient[5]).not.toBe(0);
  });

  it('on policy has ratio 1, nothing clipped and gradient −A·weight', () => {
    const tokens = randomTokens(6);
    const onPolicy = { ...tokens, logProb: tokens.oldLogProb };
    const policy = policyLoss(onPolicy, PAPER);
    expect(Array.from(policy.ratio)).toEqual(new Array(19).fill(1));
    expect(policy.clipState).toEqual(new Array(19).fill(0));
    policy.dlogProb.forEach((d, s) => expect(d).toBe(tokens.weight[s] * -tokens.advantage[s]));
    const { clipFraction, ppoKl, turnKlEntropy, singleTurnCount } = lossMetrics(onPolicy, PAPER);
    expect([clipFraction, Math.abs(ppoKl), turnKlEntropy, singleTurnCount]).toEqual([0, 0, 0, 1]);
  });

  it('switches the tokens of a turn on or off together when the advantage is constant in it', () => {
    const tokens = randomTokens(7);
    const advantage = Array.from(tokens.turnIndex, (k) => (k % 2 ? -1 : 1));
    const { clipState } = policyLoss({ ...tokens, advantage }, PAPER);
    for (let s = 1; s < 19; s += 1) {
      if (tokens.turnIndex[s] === tokens.turnIndex[s - 1]) expect(clipState[s]).toBe(clipState[s - 1]);
    }
    expect(new Set(clipState).size).toBeGreaterThan(1);
  });

  it('refuses arrays that do not belong together and a KL term without a reference', () => {
    const tokens = randomTokens(8);
    expect(() => policyLoss({ ...tokens, advantage: [1] }, PAPER)).toThrow(LossInputError);
    expect(() => objective({ ...tokens, refLogProb: null }, wide)).toThrow(
      /refLogProb.*got none, wanted 19 values/,
    );
  });
});
