import { expect, test } from 'vitest';
import expansion from '../fixtures/expansion.json';
import { conformExpansion } from '../conform/expansion.ts';
import { chooseExpansions, cyclicPicks, scoreCandidates } from '../../src/algo/rollouts/expand.ts';
import { isLeaf } from '../../src/algo/tree/tree.ts';
import { ROOT } from '../../src/units.ts';
import { SEEDS, TOY_ROLLOUT, deepFreeze, toyTrees } from './toy_world.ts';

const KEY = { seed: 5, update: 2 };
const RANDOM = { ...TOY_ROLLOUT, expansion: 'random' } as const;

test('expansion picks, rolls back and attaches every branch as the released code does', () => {
  const report = conformExpansion(expansion);
  expect(report.failures).toEqual([]);
  expect(report.cases).toBe(12);
});

test('a candidate’s score is its H minus α per other child of its parent, and leaves are no candidates', async () => {
  const [tree] = await toyTrees(1, 1);
  const candidates = scoreCandidates(deepFreeze(tree), 0.05);
  expect(candidates.map(({ node }) => node)).toContain(ROOT);
  for (const { node, score, siblingCount, penalty } of candidates) {
    const { parent, turnSurprisal } = tree.nodes[node];
    expect(isLeaf(tree.nodes[node])).toBe(false);
    expect(siblingCount).toBe(tree.nodes[parent ?? ROOT].children.length - 1);
    expect(penalty).toBe(0.05 * siblingCount);
    expect(score).toBe(turnSurprisal - penalty);
  }
});

test('the paper’s penalty ranks the non-root nodes like the code’s and only moves the root', async () => {
  for (const seed of SEEDS) {
    const [tree] = await toyTrees(seed, 1);
    const ranking = (rule: 'code' | 'paper') =>
      scoreCandidates(tree, 0.05, rule)
        .toSorted((a, b) => a.rank - b.rank)
        .map(({ node }) => node)
        .filter((node) => node !== ROOT);
    expect(ranking('paper')).toEqual(ranking('code'));
    expect(scoreCandidates(tree, 0.05, 'paper')[0].siblingCount).toBe(tree.nodes[ROOT].children.length);
  }
});

test('ties keep breadth-first order and a short ranking is repeated from its start', async () => {
  const [tree] = await toyTrees(1, 1);
  const level = { nodes: tree.nodes.map((node) => ({ ...node, turnSurprisal: 0.5 })) };
  const candidates = scoreCandidates(level, 0);
  expect(candidates.map(({ rank }) => rank)).toEqual(candidates.map((_, index) => index));
  const few = candidates.slice(0, 2);
  const [first, second] = few.map(({ node }) => node);
  expect(cyclicPicks(few, 5)).toEqual([first, second, first, second, first]);
  expect(cyclicPicks([], 5)).toEqual([]);
});

test('the record counts how often each candidate was picked', async () => {
  const [tree] = await toyTrees(1, 1);
  const record = chooseExpansions(tree, { ...TOY_ROLLOUT, picks: 40 }, 0, KEY, 0);
  expect(record.candidates.reduce((sum, { pickCount }) => sum + pickCount, 0)).toBe(40);
  for (const { node, pickCount } of record.candidates) {
    expect(pickCount).toBe(record.picks.filter((picked) => picked === node).length);
  }
});

test('random expansion draws without replacement while it can, by key, prompt and iteration', async () => {
  const [tree] = await toyTrees(1, 1);
  const count = scoreCandidates(tree, 0).length;
  const picks = (amount: number, iteration = 0, prompt = 0) =>
    chooseExpansions(tree, { ...RANDOM, picks: amount }, iteration, KEY, prompt).picks;
  expect(new Set(picks(count)).size).toBe(count);
  expect(picks(count + 3)).toHaveLength(count + 3);
  expect(picks(count)).toEqual(picks(count));
  const orders = [picks(count), picks(count, 1), picks(count, 0, 1)].map((order) => order.join());
  expect(new Set(orders).size).toBe(3);
});

test('random expansion picks every candidate about equally often', async () => {
  const [tree] = await toyTrees(1, 1);
  const count = scoreCandidates(tree, 0).length;
  const tally = new Map<number, number>();
  for (let iteration = 0; iteration < 2000; iteration += 1) {
    const [picked] = chooseExpansions(tree, { ...RANDOM, picks: 1 }, iteration, KEY, 0).picks;
    tally.set(picked, (tally.get(picked) ?? 0) + 1);
  }
  const expected = 2000 / count;
  expect(tally.size).toBe(count);
  for (const times of tally.values())
    expect(Math.abs(times - expected)).toBeLessThan(5 * Math.sqrt(expected));
});
