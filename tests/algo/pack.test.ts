import { expect, test } from 'vitest';
import {
  packRows,
  packTrees,
  scoredNodes,
  scoredPositions,
  scoredTurns,
} from '../../src/algo/batch/batch.ts';
import { packGroups } from '../../src/algo/batch/pack.ts';
import { TREE_CREDIT } from '../../src/algo/catalogue/defaults.ts';
import { scoreLeaves } from '../../src/algo/reward/reward.ts';
import type { TokenBatch } from '../../src/units.ts';
import { randomGroups } from '../support/row_groups.ts';
import { creditOf } from './credit_of.ts';
import { deepFreeze, SEEDS, toyTrees, toyWorld } from './toy_world.ts';

/** Indices of the tokens before and including `token`, along `previous`. */
function pathTo(batch: TokenBatch, token: number): number[] {
  const path: number[] = [];
  for (let at = token; at >= 0; at = batch.previous[at]) path.unshift(at);
  return path;
}

const textOf = (batch: TokenBatch, path: readonly number[]): string =>
  path.map((token) => batch.tokens[token]).join(' ');

test('every prefix of a group’s rows is stored once, and only those', () => {
  for (const seed of SEEDS) {
    const groups = randomGroups(5, 3, 9, seed);
    const batch = packGroups(groups);
    const wanted = groups.flatMap((rows, group) => {
      const prefixes = rows.flatMap(({ tokens }) => tokens.map((_, n) => tokens.slice(0, n + 1).join(' ')));
      return [...new Set(prefixes)].map((prefix) => `${group}: ${prefix}`);
    });
    const starts = [...new Set(batch.rows.map(({ tokenStart }) => tokenStart))];
    const got = Array.from(batch.tokens, (_, token) => {
      const path = pathTo(batch, token);
      return `${starts.indexOf(path[0])}: ${textOf(batch, path)}`;
    });
    expect(got.toSorted()).toEqual(wanted.toSorted());
  }
});

test('by the reading rule a token reads its own path and nothing else, at its depth', () => {
  const batch = packGroups(randomGroups(5, 2, 9, 3));
  batch.tokens.forEach((_, n) => {
    const read = [...batch.tokens.keys()].filter(
      (j) => j <= n && n < batch.visibleEnd[j] && j >= batch.visibleStart[n],
    );
    expect(read).toEqual(pathTo(batch, n));
    expect(batch.positions[n]).toBe(read.length - 1);
  });
});

test('a scored token of a row names the token at the end of the row’s path, each predicted token once', () => {
  const groups = randomGroups(5, 3, 9, 4);
  const batch = packGroups(groups);
  groups.flat().forEach(({ tokens, mask }, row) => {
    const { scoredStart, scoredEnd, tokenStart, tokenEnd } = batch.rows[row];
    const paths = Array.from(batch.scored.subarray(scoredStart, scoredEnd), (u) =>
      pathTo(batch, batch.predicted[u]),
    );
    const wanted = tokens.flatMap((_, n) => (mask[n] === 1 ? [tokens.slice(0, n + 1).join(' ')] : []));
    expect(paths.map((path) => textOf(batch, path))).toEqual(wanted);
    for (const token of paths.flat()) expect(token >= tokenStart && token < tokenEnd).toBe(true);
  });
  expect([...batch.predicted]).toEqual([...new Set(batch.predicted)].toSorted((a, b) => a - b));
  expect(new Set(batch.scored).size).toBe(batch.predicted.length);
});

test('the loss reads the same rows from packed trees as from rows one by one', async () => {
  for (const contextLength of [24, 13]) {
    const trees = deepFreeze(await toyTrees(2, 3));
    const advantages = trees.map(
      (tree) => creditOf(tree, scoreLeaves(tree, toyWorld).byNode, TREE_CREDIT).advantages,
    );
    const [packed, plain] = [packTrees, packRows].map((pack) => pack(trees, advantages, contextLength));
    expect(packed.tokens.length).toBeLessThan(plain.tokens.length / 1.5);
    for (const name of ['turnStart', 'turnRow', 'turnIndex', 'weight', 'advantage'] as const)
      expect(packed[name]).toEqual(plain[name]);
    plain.rows.forEach((row, index) => {
      for (const read of [scoredNodes, scoredPositions, scoredTurns])
        expect(read(packed, index)).toEqual(read(plain, index));
      const { tokenStart, tokenEnd, ...rest } = row;
      expect(packed.rows[index]).toMatchObject(rest);
      expect(tokenEnd - tokenStart).toBe(rest.length);
    });
  }
});
