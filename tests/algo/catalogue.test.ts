import { expect, test } from 'vitest';
import { ADVANTAGE_RULE, EXPANSION_RULE, VALUE_RULE } from '../../src/algo/algorithm.ts';
import { algorithms } from '../../src/algo/index.ts';
import { backUpValues, normaliseLeaves, turnAdvantages } from '../../src/algo/credit.ts';
import { scoreLeaves } from '../../src/algo/reward.ts';
import { toyTrees, toyWorld } from './toy_world.ts';

const paths = (config: object): string[] =>
  ['rollout', 'credit', 'loss'].flatMap((part) =>
    Object.keys((config as Record<string, object>)[part]).map((name) => `${part}.${name}`),
  );

test('every algorithm is listed under its name and says where each setting comes from', () => {
  for (const [name, algorithm] of Object.entries(algorithms)) {
    expect(algorithm.name).toBe(name);
    expect(algorithm.config.name).toBe(name);
    expect(algorithm.sources.map(({ path }) => path).toSorted()).toEqual(paths(algorithm.config).toSorted());
  }
});

test('the paper’s tree keeps all its leaves', () => {
  const { initialBranches, iterations, picks, leavesPerTree } = algorithms.at2po.config.rollout;
  expect(leavesPerTree).toBe(initialBranches + iterations * picks);
  expect(leavesPerTree).toBe(22);
  expect(algorithms.at2po_random.config.rollout.expansion).toBe('random');
});

test('every listed rule runs', async () => {
  const [tree] = await toyTrees(1, 1);
  const rewards = scoreLeaves(tree, toyWorld).byNode;
  const leafValues = normaliseLeaves(tree, rewards, true).byNode;
  for (const { value: valueRule } of VALUE_RULE.options) {
    const values = backUpValues(tree, leafValues, valueRule).byNode;
    for (const { value: advantageRule } of ADVANTAGE_RULE.options) {
      expect(turnAdvantages(tree, values, rewards, advantageRule).byNode.every(Number.isFinite)).toBe(true);
    }
  }
  for (const { value: expansion } of EXPANSION_RULE.options) {
    expect((await toyTrees(1, 1, { expansion }))[0].leaves).toHaveLength(10);
  }
});
