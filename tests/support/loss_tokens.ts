/** Scored tokens drawn at random, for tests of the float64 loss. */
import { keyedRandom } from '../../src/algo/random.ts';

/** Three rows, five turns, 19 scored tokens; log-ratios wide of the kinks of a ±0.2 band, one turn over a dual clip of 3. */
export function randomTokens(seed: number) {
  const random = keyedRandom({ seed, update: 0 }, 99);
  const turnStart = [0, 4, 5, 11, 13, 19];
  const turnRow = [0, 0, 1, 1, 2];
  const turnIndex = Array.from({ length: 19 }, (_, s) => turnStart.findLastIndex((start) => start <= s));
  const draw = (scale: number) => turnIndex.map(() => scale * (random.uniform() - 0.5));
  const shift = [0.1, 0.5, -0.1, -0.5, 1.3];
  const oldLogProb = draw(4).map((x) => x - 3);
  const noise = draw(0.02);
  const distance = draw(1);
  return {
    turnStart,
    turnRow,
    turnIndex,
    rowCount: 3,
    oldLogProb,
    logProb: oldLogProb.map((x, s) => x + shift[turnIndex[s]] + noise[s]),
    refLogProb: oldLogProb.map((x, s) => x + distance[s]),
    entropy: draw(2).map((x) => x + 2),
    advantage: draw(4),
    weight: turnIndex.map((k) => 1 / (3 * [5, 8, 6][turnRow[k]])),
  };
}
