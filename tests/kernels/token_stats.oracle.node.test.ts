import { expect, it } from 'vitest';
import { tokenStatsBackward, tokenStatsForward } from '../../shaders/token_stats/token_stats.oracle.ts';

const input = {
  rows: 3,
  vocab: 7,
  stride: 8,
  inverseTemperature: 1.25,
  logits: Float64Array.from({ length: 24 }, (_, index) => 2 * Math.sin(1.9 * index)),
  chosen: [6, 0, 3],
};
const dlogProb = [0.7, -1.3, 0.2];
const dentropy = [-0.4, 0.9, 0];

/** Σ_s dlogProb·logProb + dentropy·entropy, of which tokenStatsBackward is the gradient. */
function value(logits: Float64Array): number {
  const { logProb, entropy } = tokenStatsForward({ ...input, logits });
  return dlogProb.reduce((sum, d, s) => sum + d * logProb[s] + dentropy[s] * entropy[s], 0);
}

it('token_stats oracle: the backward agrees with central differences of the forward', () => {
  const dlogits = tokenStatsBackward(input, dlogProb, dentropy);
  const largest = Math.max(...dlogits.map(Math.abs));
  const step = 1e-5;
  input.logits.forEach((_, index) => {
    const nudged = (by: number): number => value(input.logits.map((x, at) => (at === index ? x + by : x)));
    const slope = (nudged(step) - nudged(-step)) / (2 * step);
    expect(Math.abs(slope - dlogits[index]) / largest).toBeLessThan(1e-6);
  });
  expect(largest).toBeGreaterThan(0.1);
});

it('token_stats oracle: a uniform row has entropy ln V and log-probability −ln V', () => {
  const stats = tokenStatsForward({ ...input, logits: new Float64Array(24).fill(3) });
  for (const s of [0, 1, 2]) {
    expect(stats.entropy[s]).toBeCloseTo(Math.log(7), 14);
    expect(stats.logProb[s]).toBeCloseTo(-Math.log(7), 14);
    expect(stats.lse[s]).toBeCloseTo(3.75 + Math.log(7), 14);
  }
});
