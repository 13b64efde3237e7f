import { describe, expect, it } from 'vitest';
import {
  chooseToken,
  drawToken,
  sampleToken,
  type SampleInput,
} from '../../shaders/sample_token/sample_token.oracle.ts';
import { sampleToken as kernel } from '../../shaders/sample_token/sample_token.kernel.ts';

const input: SampleInput = {
  rows: 1,
  vocab: 6,
  stride: 8,
  inverseTemperature: 1.25,
  greedy: false,
  key: { seed: 42, update: 1 },
  maxNew: 4,
  logits: [0.4, -1.2, 1.5, 0, 2, -0.3, 99, 99],
  stopMask: [0, 0, 0, 0, 1, 0],
};
const state = (node: number, counter: number, remaining = 9): number[] => [
  3,
  node,
  counter,
  remaining,
  0,
  0,
  0,
  0,
];

const softmax = (z: readonly number[]): number[] => {
  const total = z.reduce((sum, x) => sum + Math.exp(x), 0);
  return z.map((x) => Math.exp(x) / total);
};

/** Σ (count − expected)² / expected over the vocabulary. */
function chiSquare(of: SampleInput, draws: number): number {
  const counts = new Array<number>(of.vocab).fill(0);
  for (let draw = 0; draw < draws; draw++) counts[drawToken(of, state(draw >> 5, draw & 31), 0).token] += 1;
  const z = counts.map((_, v) => of.inverseTemperature * of.logits[v]);
  return softmax(z).reduce((sum, p, v) => sum + (counts[v] - draws * p) ** 2 / (draws * p), 0);
}

describe('sample_token oracle', () => {
  it('draws tokens as often as softmax says, at its temperature', () => {
    expect(chiSquare(input, 20_000)).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
    expect(
      chiSquare({ ...input, inverseTemperature: 0.5, key: { seed: 7, update: 9 } }, 20_000),
    ).toBeLessThan(20.5);
  });

  it('would notice a wrong temperature', () => {
    const drawn = { ...input, inverseTemperature: 1 };
    const counts = new Array<number>(6).fill(0);
    for (let draw = 0; draw < 20_000; draw++)
      counts[drawToken(drawn, state(draw >> 5, draw & 31), 0).token] += 1;
    const expected = softmax(counts.map((_, v) => 1.25 * input.logits[v]));
    const statistic = expected.reduce((sum, p, v) => sum + (counts[v] - 20_000 * p) ** 2 / (20_000 * p), 0);
    expect(statistic).toBeGreaterThan(100);
  });

  it('draws consecutive tokens independently', () => {
    const pairs = new Array<number>(36).fill(0);
    const draws = 20_000;
    for (let node = 0; node < draws; node++) {
      const first = drawToken(input, state(node, 0), 0).token;
      pairs[6 * first + drawToken(input, state(node, 1), 0).token] += 1;
    }
    const p = softmax(Array.from({ length: 6 }, (_, v) => 1.25 * input.logits[v]));
    const expected = p.flatMap((a) => p.map((b) => draws * a * b));
    const statistic = pairs.reduce((sum, count, at) => sum + (count - expected[at]) ** 2 / expected[at], 0);
    expect(statistic).toBeLessThan(66.6); // 35 degrees of freedom, p = 0.001
  });

  it('gives ties to the lowest token and reports the stats of softmax', () => {
    const choice = chooseToken([1, 3, 3, 0], () => 0);
    const p = softmax([1, 3, 3, 0]);
    expect(choice.token).toBe(1);
    expect(choice.margin).toBe(0);
    expect(choice.logProb).toBeCloseTo(Math.log(p[1]), 14);
    expect(choice.entropy).toBeCloseTo(-p.reduce((sum, q) => sum + q * Math.log(q), 0), 14);
  });

  it('moves a row on until it stops or has no room, then leaves it alone', () => {
    const greedy = { ...input, greedy: true, stopMask: [0, 0, 0, 0, 0, 0] };
    const start = {
      rowState: state(2, 7, 2),
      currentToken: [5],
      previousToken: [1],
      positions: [10],
      sampled: [0, 0, 0, 0],
      stats: new Array<number>(8).fill(0),
    };
    const once = sampleToken(greedy, start);
    expect(Array.from(once.rowState)).toEqual([3, 2, 8, 1, 0, 1, 0, 0]);
    expect([once.currentToken[0], once.previousToken[0], once.positions[0], once.sampled[0]]).toEqual([
      4, 5, 11, 4,
    ]);
    const twice = sampleToken(greedy, once);
    expect(Array.from(twice.rowState)).toEqual([3, 2, 9, 0, 1, 2, 0, 0]);
    expect([twice.currentToken[0], twice.previousToken[0], twice.positions[0], twice.sampled[1]]).toEqual([
      4, 5, 11, 4,
    ]);
    expect(sampleToken(greedy, twice)).toEqual(twice);
    const stopped = sampleToken({ ...greedy, stopMask: [0, 0, 0, 0, 1, 0] }, start);
    expect(Array.from(stopped.rowState)).toEqual([3, 2, 8, 1, 1, 1, 0, 0]);
    expect(stopped.currentToken[0]).toBe(5);
  });

  it('has kernel cases in which every way out of a draw occurs', () => {
    const rows = kernel.cases().flatMap((testCase) => {
      const before = testCase.buffers.rowState;
      const after = testCase.expected().rowState;
      return Array.from({ length: testCase.params.rows }, (_, r) => {
        const [done, doneAfter, remaining] = [before[8 * r + 4], after[8 * r + 4], after[8 * r + 3]];
        if (done) return 'was done';
        if (!doneAfter) return 'goes on';
        return remaining === 0 ? 'no room' : 'stop token';
      });
    });
    expect(new Set(rows)).toEqual(new Set(['was done', 'goes on', 'no room', 'stop token']));
  });
});
