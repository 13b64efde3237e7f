import { expect, test } from 'vitest';
import { maskFormatTokens, packTrees, scoredPositions, scoredTurns } from '../../src/algo/batch/batch.ts';
import { packPairs, siblingPairs } from '../../src/algo/batch/pairs.ts';
import { TREE_CREDIT, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { policyLoss } from '../../src/algo/loss/loss.ts';
import { tokenMeanWeight } from '../../src/algo/loss/penalties.ts';
import { scoreLeaves } from '../../src/algo/reward/reward.ts';
import { pathTo } from '../../src/algo/tree/tree.ts';
import { NO_EXTRAS, nodeId, type NodeTable, type RolloutTree } from '../../src/units.ts';
import { creditOf } from './credit_of.ts';
import { deepFreeze, SEEDS, toyTrees, toyWorld } from './toy_world.ts';

const CONTEXT = toyWorld.contextLength;

async function valuedTrees(seed: number) {
  const trees = deepFreeze(await toyTrees(seed, 3));
  const credits = trees.map((tree) => creditOf(tree, scoreLeaves(tree, toyWorld).byNode, TREE_CREDIT));
  return { trees, credits, values: credits.map((credit) => credit.values.byNode) };
}

const pairCount = (trees: readonly RolloutTree[], values: readonly NodeTable<number>[]): number =>
  trees.reduce((sum, tree, index) => sum + siblingPairs(tree, values[index]).length, 0);

test('a pair is the best and the worst of one node’s children, at every node whose children differ', async () => {
  for (const seed of SEEDS) {
    const { trees, values } = await valuedTrees(seed);
    trees.forEach((tree, index) => {
      const value = values[index];
      const pairs = siblingPairs(tree, value);
      const parents = tree.nodes.filter(
        ({ children }) => new Set(children.map((child) => value[child])).size > 1,
      );
      expect(pairs.map(({ parent }) => parent).toSorted((a, b) => a - b)).toEqual(
        parents.map(({ id }) => id),
      );
      for (const { parent, better, worse } of pairs) {
        const children = tree.nodes[parent].children.map((child) => value[child]);
        expect([value[better], value[worse]]).toEqual([Math.max(...children), Math.min(...children)]);
        expect([tree.nodes[better].parent, tree.nodes[worse].parent]).toEqual([parent, parent]);
      }
    });
  }
});

test('both sides of a pair share their prefix and score their own turn alone', async () => {
  const { trees, values } = await valuedTrees(2);
  const { batch, partner } = packPairs(trees, values, CONTEXT)!;
  expect(batch.rows.length).toBe(2 * pairCount(trees, values));
  batch.rows.forEach(({ prompt, leaf, length, scoredStart, scoredEnd }, row) => {
    const tree = trees[prompt];
    const path = pathTo(tree, leaf);
    const before = path.slice(0, -1).reduce((sum, id) => sum + tree.nodes[id].tokens.length, 0);
    const first = tree.prompt.tokens.length + before;
    const { tokens, mask } = tree.nodes[leaf];
    expect(length).toBe(Math.min(first + tokens.length, CONTEXT));
    const places = mask.flatMap((bit, place) =>
      bit === 1 && first + place < CONTEXT ? [first + place] : [],
    );
    expect(scoredPositions(batch, row)).toEqual(places);
    const ids = Array.from(
      batch.scored.subarray(scoredStart, scoredEnd),
      (u) => batch.tokens[batch.predicted[u]],
    );
    expect(ids).toEqual(places.map((place) => tokens[place - first]));
    const other = row % 2 === 0 ? row + 1 : row - 1;
    expect(partner[row]).toBe(row % 2 === 0 ? other : -1 - other);
    expect(tree.nodes[batch.rows[other].leaf].parent).toBe(tree.nodes[leaf].parent);
    expect(Math.sign(batch.advantage[scoredStart])).toBe(row % 2 === 0 ? 1 : -1);
    expect(scoredTurns(batch, row)[0]).toBe(0);
  });
  const sides = batch.rows.reduce((sum, { length }) => sum + length, 0);
  expect(batch.tokens.length).toBeLessThan(sides); // prefixes are stored once
});

test('the loss of a batch of pairs starts at ln 2 and pushes better turns up and worse ones down', async () => {
  const { trees, values } = await valuedTrees(3);
  const { batch, partner } = packPairs(trees, values, CONTEXT)!;
  const logProb = batch.advantage.map((_, s) => -1 - 0.1 * (s % 5));
  const tokens = { ...batch, rowCount: batch.rows.length, logProb, oldLogProb: logProb, refLogProb: logProb };
  const config = { ...TURN_LOSS, surrogate: 'preference', beta: 0.1 } as const;
  const { loss, dlogProb } = policyLoss(tokens, config, { ...NO_EXTRAS, partner });
  expect(loss).toBeCloseTo(Math.LN2, 6); // weights are float32
  dlogProb.forEach((d, s) => expect(Math.sign(d)).toBe(-Math.sign(batch.advantage[s])));
});

test('trees without siblings that differ make no pairs, and a turn that was cut away leaves its pair out', async () => {
  const { trees, values } = await valuedTrees(4);
  const flat = values.map((table) => table.map(() => 0.5));
  expect(packPairs(trees, flat, CONTEXT)).toBeNull();
  const short = trees[0].prompt.tokens.length + 8;
  const { batch } = packPairs(trees, values, short)!;
  expect(batch.rows.length).toBeLessThan(2 * pairCount(trees, values));
  expect(batch.rows.every(({ scoredStart, scoredEnd }) => scoredEnd > scoredStart)).toBe(true);
  expect(batch.rows.every(({ leaf }) => leaf !== nodeId(0))).toBe(true);
});

test('a mini-batch’s weights follow the reduction', async () => {
  const { trees, credits } = await valuedTrees(5);
  const advantages = credits.map((credit) => credit.advantages);
  const weights = (
    ...reduction: readonly ['token-mean' | 'seq-mean-token-sum-norm' | 'seq-mean-token-mean'] | []
  ) => packTrees(trees, advantages, CONTEXT, [0, 2], ...reduction).weight;
  const sums = weights().reduce((sum, weight) => sum + weight, 0);
  expect(weights()).toEqual(weights('seq-mean-token-mean'));
  expect(sums).toBeCloseTo(1, 5); // every row has a scored token and weighs 1/B
  const count = weights().length;
  expect(new Set(weights('token-mean'))).toEqual(new Set([Math.fround(tokenMeanWeight(count))]));
  const length = CONTEXT - trees[0].prompt.tokens.length;
  expect(new Set(weights('seq-mean-token-sum-norm'))).toEqual(new Set([Math.fround(1 / length)]));
});

test('words of the grammar in failing rows lose their advantage, all else stays', async () => {
  const { trees, credits } = await valuedTrees(6);
  const batch = packTrees(
    trees,
    credits.map((credit) => credit.advantages),
    CONTEXT,
  );
  const masked = maskFormatTokens(batch, toyWorld.formatTokens);
  const ids = Array.from(batch.scored, (u) => batch.tokens[batch.predicted[u]]);
  let changed = 0;
  batch.advantage.forEach((A, s) => {
    const isFormat = toyWorld.formatTokens.some((token) => token === ids[s]);
    expect(masked.advantage[s]).toBe(isFormat && A < 0 ? 0 : A);
    if (masked.advantage[s] !== A) changed += 1;
  });
  expect(changed).toBeGreaterThan(0);
  expect(masked.weight).toBe(batch.weight);
  expect(maskFormatTokens(batch, []).advantage).toEqual(batch.advantage);
});
