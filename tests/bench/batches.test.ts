import { expect, test } from 'vitest';
import { madeUpTrees, perLeaf, rowTokens, totalFlops, updateFlops } from '../../bench/batches.ts';
import type { TokenBatch } from '../../src/units.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const SIZES = { trees: 2, leaves: 3, length: 10, shared: 4, vocabulary: 50 };
const batch = madeUpTrees(SIZES);

/** Token, position and what it may read, for every scored token. */
function contexts({ tokens, positions, previous, predicted, scored, visibleEnd }: TokenBatch) {
  return Array.from(scored, (index) => {
    const place = predicted[index];
    const read: number[] = [];
    for (let key = previous[place]; key >= 0; key = previous[key]) {
      if (visibleEnd[key] <= place) throw new Error(`token ${place} cannot read ${key}`);
      read.push(tokens[key]);
    }
    return [tokens[place], positions[place], ...read];
  });
}

test('made-up trees share their prefix and nothing else', () => {
  expect(batch.rows).toHaveLength(6);
  expect(rowTokens(batch)).toBe(60);
  expect(batch.tokens).toHaveLength(2 * (4 + 3 * 6));
  expect(batch.predicted).toHaveLength(batch.tokens.length - 2 * 2); // all but the prompts
});

test('one row per leaf predicts the same tokens from the same contexts with the same weights', () => {
  const apart = perLeaf(batch);
  expect(apart.tokens).toHaveLength(60);
  expect(contexts(apart)).toEqual(contexts(batch));
  expect(apart.weight).toEqual(batch.weight);
  expect(apart.predicted).toHaveLength(batch.scored.length);
  expect(apart.rows.map(({ tokenStart, tokenEnd }) => [tokenStart, tokenEnd]).slice(0, 2)).toEqual([
    [0, 10],
    [10, 20],
  ]);
});

test('one row per leaf reads no other row', () => {
  const { visibleStart, visibleEnd, rows } = perLeaf(batch);
  for (const { tokenStart, tokenEnd } of rows) {
    expect(visibleStart.slice(tokenStart, tokenEnd).every((start) => start === tokenStart)).toBe(true);
    expect(visibleEnd.slice(tokenStart, tokenEnd).every((end) => end === tokenEnd)).toBe(true);
  }
});

test('arithmetic counts a shared token once, and an unshared path like a causal sequence', () => {
  const { channels, layers, heads, headSize, kvHeads, hidden, vocabularySize } = SMALL_MODEL;
  const alone = madeUpTrees({ ...SIZES, trees: 1, leaves: 1 });
  const weights = layers * channels * ((2 * heads + 2 * kvHeads) * headSize + 3 * hidden);
  const previous = SMALL_MODEL.previousTokenMixing ? channels ** 2 : 0;
  const { products, attention } = updateFlops(SMALL_MODEL, alone);
  expect(products).toBe(6 * ((weights + previous) * 10 + channels * vocabularySize * 8));
  expect(attention).toBe(12 * layers * heads * headSize * 55);
  expect(totalFlops(updateFlops(SMALL_MODEL, batch))).toBeLessThan(
    totalFlops(updateFlops(SMALL_MODEL, perLeaf(batch))),
  );
});
