import { expect, test } from 'vitest';
import {
  BatchError,
  minibatches,
  packRows,
  scoredNodes,
  scoredPositions,
  scoredRows,
  scoredTurns,
  turnsOfRow,
} from '../../src/algo/batch/batch.ts';
import { TREE_CREDIT } from '../../src/algo/catalogue/defaults.ts';
import { advantageInRow } from '../../src/algo/credit/credit.ts';
import { scoreLeaves } from '../../src/algo/reward/reward.ts';
import { maskRuns, pathTo, responseMask, responseTokens } from '../../src/algo/tree/tree.ts';
import type { RolloutTree } from '../../src/units.ts';
import { creditOf } from './credit_of.ts';
import { deepFreeze, SEEDS, toyTrees, toyWorld } from './toy_world.ts';

const PAPER = TREE_CREDIT;

const advantagesOf = (tree: RolloutTree, config = PAPER) =>
  creditOf(tree, scoreLeaves(tree, toyWorld).byNode, config).advantages;

async function packed(seed: number, contextLength = toyWorld.contextLength, config = PAPER) {
  const trees = deepFreeze(await toyTrees(seed, 3));
  const advantages = trees.map((tree) => advantagesOf(tree, config));
  return { trees, advantages, batch: packRows(trees, advantages, contextLength) };
}

test('a row is the prompt and the path, cut at the context length', async () => {
  for (const contextLength of [24, 14, 9]) {
    const { trees, batch } = await packed(2, contextLength);
    expect(batch.rows).toHaveLength(30);
    for (const { prompt, leaf, tokenStart, tokenEnd } of batch.rows) {
      const tree = trees[prompt];
      const whole = [...tree.prompt.tokens, ...responseTokens(tree, leaf)];
      expect(Array.from(batch.tokens.subarray(tokenStart, tokenEnd))).toEqual(whole.slice(0, contextLength));
      const length = tokenEnd - tokenStart;
      expect(length).toBeLessThanOrEqual(contextLength);
      const places = Array.from({ length }, (_, place) => place);
      expect(Array.from(batch.positions.subarray(tokenStart, tokenEnd))).toEqual(places);
      expect(Array.from(batch.previous.subarray(tokenStart, tokenEnd))).toEqual(
        places.map((place) => (place === 0 ? -1 : tokenStart + place - 1)),
      );
      expect(new Set(batch.visibleStart.subarray(tokenStart, tokenEnd))).toEqual(new Set([tokenStart]));
      expect(new Set(batch.visibleEnd.subarray(tokenStart, tokenEnd))).toEqual(new Set([tokenEnd]));
    }
  }
});

test('exactly the sampled tokens are scored, in turns that are maximal mask runs', async () => {
  const { trees, batch } = await packed(3);
  batch.rows.forEach(({ prompt, leaf, tokenStart, tokenEnd }, row) => {
    const tree = trees[prompt];
    const length = tree.prompt.tokens.length;
    const mask = responseMask(tree, leaf).slice(0, tokenEnd - tokenStart - length);
    const want = mask.flatMap((bit, place) => (bit === 1 ? [place + length] : []));
    expect(scoredPositions(batch, row)).toEqual(want);
    const { start, end } = turnsOfRow(batch, row);
    const runs = Array.from({ length: end - start }, (_, turn) => {
      const first = batch.predicted[batch.turnStart[start + turn]] - tokenStart - length;
      const last = batch.predicted[batch.turnStart[start + turn + 1] - 1] - tokenStart - length;
      return { start: first, end: last + 1 };
    });
    expect(runs).toEqual(maskRuns(mask));
    expect(scoredTurns(batch, row)).toEqual(
      runs.flatMap((run, turn) => new Array<number>(run.end - run.start).fill(turn)),
    );
  });
  const rows = scoredRows(batch);
  batch.rows.forEach(({ scoredStart, scoredEnd }, row) => {
    expect(rows.slice(scoredStart, scoredEnd)).toEqual(new Array(scoredEnd - scoredStart).fill(row));
  });
});

test('each row weighs 1/B, spread evenly over its scored tokens', async () => {
  for (const seed of SEEDS) {
    const { batch } = await packed(seed);
    for (const { scoredStart, scoredEnd } of batch.rows) {
      const weights = Array.from(batch.weight.subarray(scoredStart, scoredEnd));
      expect(new Set(weights)).toEqual(new Set([Math.fround(1 / (30 * weights.length))]));
    }
    expect(batch.weight.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
  }
});

test('a token carries the advantage of the node that owns it, per row or place where the rule says so', async () => {
  for (const advantageRule of ['node_value', 'diff_parent', 'vanilla', 'gtpo', 'reinforce_pp'] as const) {
    const { trees, advantages, batch } = await packed(4, 20, { ...PAPER, advantageRule, discount: 0.9 });
    batch.rows.forEach(({ prompt, leaf, scoredStart }, row) => {
      const nodes = scoredNodes(batch, row);
      const path = pathTo(trees[prompt], leaf);
      const positions = scoredPositions(batch, row);
      nodes.forEach((node, index) => {
        expect(path).toContain(node);
        const place = positions[index] - trees[prompt].prompt.tokens.length;
        const want = advantageInRow(advantages[prompt], node, leaf, place);
        expect(batch.advantage[scoredStart + index]).toBe(Math.fround(want));
      });
    });
  }
});

test('spans name the owner of every response token left after the cut', async () => {
  const { trees, batch } = await packed(5, 13);
  for (const { prompt, leaf, spans, tokenStart, tokenEnd } of batch.rows) {
    const tree = trees[prompt];
    let place = tree.prompt.tokens.length;
    for (const { node, start, end } of spans) {
      expect(start).toBe(place);
      expect(end).toBeGreaterThan(start);
      const own = tree.nodes[node].tokens.slice(0, end - start);
      expect(Array.from(batch.tokens.subarray(tokenStart + start, tokenStart + end))).toEqual(own);
      place = end;
    }
    expect(place).toBe(tokenEnd - tokenStart);
    expect(pathTo(tree, leaf)).toEqual(expect.arrayContaining(spans.map(({ node }) => node)));
  }
});

test('a row without a scored token counts in B and holds nothing', async () => {
  const [tree] = await toyTrees(1, 1);
  const advantages = advantagesOf(tree);
  const leaf = tree.leaves[0];
  const silent = pathTo(tree, leaf);
  const muted = {
    ...tree,
    nodes: tree.nodes.map((node) =>
      silent.includes(node.id) ? { ...node, mask: node.mask.map(() => 0) } : node,
    ),
  };
  const batch = packRows([muted], [advantages], toyWorld.contextLength);
  const row = batch.rows[0];
  expect(row.scoredEnd).toBe(row.scoredStart);
  expect(turnsOfRow(batch, 0)).toEqual({ start: 0, end: 0 });
  const other = batch.rows.findIndex(({ scoredStart, scoredEnd }) => scoredEnd > scoredStart);
  const count = batch.rows[other].scoredEnd - batch.rows[other].scoredStart;
  expect(batch.weight[batch.rows[other].scoredStart]).toBe(Math.fround(1 / (10 * count)));
});

test('a selection packs those trees only, and B is theirs', async () => {
  const { trees, advantages, batch } = await packed(7);
  const some = packRows(trees, advantages, toyWorld.contextLength, [2, 0]);
  expect(some.rows.map(({ prompt }) => prompt)).toEqual([
    ...new Array<number>(10).fill(2),
    ...new Array<number>(10).fill(0),
  ]);
  expect(some.weight[some.rows[10].scoredStart]).toBeCloseTo(batch.weight[0] * 1.5, 6);
});

test('mini-batches are a keyed partition of the prompts', () => {
  const items = Array.from({ length: 10 }, (_, index) => index);
  const split = minibatches(items, 4, { seed: 1, update: 1 });
  expect(split.map((part) => part.length)).toEqual([4, 4, 2]);
  expect(split.flat().toSorted((a, b) => a - b)).toEqual(items);
  expect(split).toEqual(minibatches(items, 4, { seed: 1, update: 1 }));
  expect(split).not.toEqual(minibatches(items, 4, { seed: 1, update: 2 }));
});

test('an empty batch and unpaired advantages are refused', async () => {
  const trees = await toyTrees(1, 1);
  expect(() => packRows(trees, [], 24)).toThrow(BatchError);
  expect(() => packRows(trees, [advantagesOf(trees[0])], 24, [])).toThrow('got no leaf');
});
