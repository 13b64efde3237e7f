import { describe, expect, it } from 'vitest';
import { gumbel, keyedRandom, philox4x32, STREAMS, tokenGumbel, uniform } from '../../src/algo/random.ts';

const hex = (words: readonly number[]): string =>
  words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
const ONES = 0xffffffff;

describe('philox4x32', () => {
  it('reproduces the known answers of Random123', () => {
    expect(hex(philox4x32([0, 0, 0, 0], [0, 0]))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
    expect(hex(philox4x32([ONES, ONES, ONES, ONES], [ONES, ONES]))).toBe(
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    );
    expect(hex(philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]))).toBe(
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    );
  });
});

describe('uniform and gumbel', () => {
  it('stay strictly inside (0, 1) at both ends, exactly in float32', () => {
    for (const word of [0, 1, 511, 512, 0x80000000, 0xfffffe00, ONES]) {
      const u = uniform(word);
      expect(u).toBeGreaterThan(0);
      expect(u).toBeLessThan(1);
      expect(Math.fround(u)).toBe(u);
      expect(Number.isFinite(gumbel(word))).toBe(true);
    }
    expect(uniform(0)).toBe(2 ** -24);
    expect(uniform(ONES)).toBe(1 - 2 ** -24);
  });

  it('have the mean and variance of the Gumbel distribution', () => {
    const count = 40_000;
    const noise = Array.from({ length: count }, (_, v) => tokenGumbel({ seed: 3, update: 1 }, 0, 0, 0, v));
    const mean = noise.reduce((sum, g) => sum + g, 0) / count;
    const variance = noise.reduce((sum, g) => sum + (g - mean) ** 2, 0) / count;
    expect(mean).toBeCloseTo(0.5772, 1);
    expect(Math.abs(mean - 0.5772)).toBeLessThan(4 * Math.sqrt(Math.PI ** 2 / 6 / count));
    expect(Math.abs(variance - Math.PI ** 2 / 6)).toBeLessThan(0.06);
  });

  it('take the noise of vocabulary entry v from word v mod 4 of block v div 4', () => {
    const words = philox4x32([5, 9, 2, 1], [11, 4]);
    expect(tokenGumbel({ seed: 11, update: 4 }, 5, 9, 2, 6)).toBe(gumbel(words[2]));
  });
});

describe('keyedRandom', () => {
  const key = { seed: 7, update: 3 };
  const draw = (...args: Parameters<typeof keyedRandom>): number[] => {
    const random = keyedRandom(...args);
    return Array.from({ length: 9 }, () => random.next());
  };

  it('gives the same numbers for the same name and others for any other name', () => {
    const first = draw(key, STREAMS.expansion, 2, 0);
    expect(draw(key, STREAMS.expansion, 2, 0)).toEqual(first);
    const others = [
      draw(key, STREAMS.leaves, 2, 0),
      draw(key, STREAMS.expansion, 0, 2),
      draw(key, STREAMS.expansion, 2),
      draw({ ...key, update: 4 }, STREAMS.expansion, 2, 0),
      draw({ ...key, seed: 8 }, STREAMS.expansion, 2, 0),
    ];
    for (const other of others) expect(other.filter((word) => first.includes(word))).toEqual([]);
  });

  it('draws integers evenly and inside their range', () => {
    const random = keyedRandom(key, STREAMS.questions);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let draws = 0; draws < 6000; draws += 1) counts[random.integer(6)] += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
    expect(random.integer(1)).toBe(0);
  });

  it('shuffles into a permutation and leaves its input alone', () => {
    const items = Object.freeze([0, 1, 2, 3, 4, 5, 6, 7]);
    const shuffled = keyedRandom(key, STREAMS.minibatches).shuffle(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
    expect(shuffled).not.toEqual(items);
    expect(keyedRandom(key, STREAMS.minibatches).shuffle(items)).toEqual(shuffled);
  });

  it('reaches every order of three items about equally often', () => {
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 3000; draw += 1) {
      const order = keyedRandom(key, STREAMS.leaves, draw).shuffle([0, 1, 2]).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(90);
  });
});
