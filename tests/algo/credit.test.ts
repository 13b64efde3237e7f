import { expect, test } from 'vitest';
import { TREE_CREDIT } from '../../src/algo/catalogue/defaults.ts';
import {
  advantageInRow,
  backUpValues,
  MissingRewardError,
  normaliseLeaves,
  type CreditStep,
} from '../../src/algo/credit/credit.ts';
import { scoreLeaves } from '../../src/algo/reward/reward.ts';
import { growChains } from '../../src/algo/rollouts/turn_tree.ts';
import { breadthFirst, isLeaf, leavesBelow, pathTo } from '../../src/algo/tree/tree.ts';
import {
  ROOT,
  type AdvantageRule,
  type CreditConfig,
  type RolloutTree,
  type ValueRule,
} from '../../src/units.ts';
import { conformCredit, type CreditFile } from '../conform/credit.ts';
import credit from '../fixtures/credit.json';
import { creditOf } from './credit_of.ts';
import { deepFreeze, RandomPolicy, SEEDS, toyPrompts, toyTrees, toyWorld } from './toy_world.ts';

const VALUE_RULES: readonly ValueRule[] = ['child_softmax', 'child_mean', 'leaf_mean', 'child_entropy'];
const ADVANTAGE_RULES: readonly AdvantageRule[] = [
  ...(['node_value', 'diff_parent', 'diff_global', 'diff_localglobal', 'vanilla'] as const),
];
const CONFIGS: readonly CreditConfig[] = VALUE_RULES.flatMap((valueRule) =>
  ADVANTAGE_RULES.map((advantageRule) => ({ ...TREE_CREDIT, valueRule, advantageRule })),
);

const allTrees = async () => (await Promise.all(SEEDS.map((seed) => toyTrees(seed, 1)))).flat();
const rewardsOf = (tree: RolloutTree) => scoreLeaves(tree, toyWorld).byNode;

function closeTo(got: readonly (number | null)[], want: readonly (number | null)[]): void {
  expect(got).toHaveLength(want.length);
  got.forEach((value, index) => {
    if (value === null) expect(want[index]).toBeNull();
    else expect(Math.abs(value - (want[index] ?? NaN))).toBeLessThan(1e-9);
  });
}

test('values and advantages of every rule equal those of the released code', () => {
  const report = conformCredit(credit as unknown as CreditFile);
  expect(report.failures).toEqual([]);
  expect(report.cases).toBe(12);
});

test('on a chain every value is the reward', async () => {
  const key = { seed: 3, update: 0 };
  for (const tree of await growChains(new RandomPolicy(key), toyWorld, toyPrompts(8), key)) {
    const rewards = rewardsOf(tree);
    for (const rule of VALUE_RULES) {
      const { byNode } = backUpValues(tree, rewards, rule);
      expect(byNode).toEqual(tree.nodes.map(() => rewards[tree.leaves[0]]));
    }
  }
});

test('a constant added to all rewards changes no credit of normalised leaves', async () => {
  for (const tree of await allTrees()) {
    const rewards = rewardsOf(tree);
    const raised = rewards.map((reward) => (reward === null ? null : reward + 7.25));
    for (const config of CONFIGS) {
      closeTo(
        creditOf(tree, raised, config).advantages.byNode,
        creditOf(tree, rewards, config).advantages.byNode,
      );
    }
  }
});

test('the order of children is irrelevant to values and advantages', async () => {
  for (const tree of await allTrees()) {
    const nodes = tree.nodes.map((node) => ({ ...node, children: node.children.toReversed() }));
    const turned = { ...tree, nodes, leaves: leavesBelow({ nodes }) };
    for (const config of CONFIGS) {
      const [a, b] = [creditOf(tree, rewardsOf(tree), config), creditOf(turned, rewardsOf(tree), config)];
      closeTo(b.values.byNode, a.values.byNode);
      closeTo(b.advantages.byNode, a.advantages.byNode);
    }
  }
});

test('equal rewards leave no advantage anywhere', async () => {
  for (const tree of await allTrees()) {
    const equal = tree.nodes.map((node) => (isLeaf(node) ? 0.7 : null));
    for (const config of CONFIGS) {
      closeTo(
        creditOf(tree, equal, config).advantages.byNode,
        tree.nodes.map(() => 0),
      );
    }
  }
});

test('frozen trees and rewards are only read', async () => {
  for (const tree of await allTrees()) {
    const rewards = deepFreeze(rewardsOf(deepFreeze(tree)));
    for (const config of CONFIGS) expect(() => creditOf(tree, rewards, config)).not.toThrow();
  }
});

const replayed = ({ terms, statistics }: CreditStep): number => {
  const sum = terms.reduce((total, { weight, value }) => total + weight * value, 0);
  return statistics ? (sum - statistics.mean) / (statistics.deviation + statistics.epsilon) : sum;
};

test('each step of a trace gives its result, and the results are the stage’s values', async () => {
  for (const tree of await allTrees()) {
    const rewards = scoreLeaves(tree, toyWorld);
    for (const config of CONFIGS) {
      const { normalised, values, advantages } = creditOf(tree, rewards.byNode, config);
      const leafwise = advantages.byLeaf ?? advantages.byNode;
      for (const [trace, table] of [
        [rewards.trace, rewards.byNode],
        [normalised.trace, normalised.byNode],
        [values.trace, values.byNode],
        [advantages.trace, leafwise],
      ] as const) {
        expect(trace.length).toBeGreaterThan(0);
        for (const step of trace) {
          expect(step.result).toBeCloseTo(replayed(step), 12);
          expect(step.result).toBe(table[step.node]);
          expect(step.parent).toBe(tree.nodes[step.node].parent);
        }
      }
    }
  }
});

test('a value’s terms are known before it, and their weights sum to one', async () => {
  for (const tree of await allTrees()) {
    for (const rule of VALUE_RULES) {
      const { byNode, trace } = backUpValues(tree, rewardsOf(tree), rule);
      const known = new Set(tree.leaves);
      for (const { node, terms, kind } of trace) {
        expect(kind).toBe(rule);
        for (const term of terms) {
          expect(known.has(term.node)).toBe(true);
          expect(term.value).toBe(byNode[term.node]);
        }
        expect(terms.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
        known.add(node);
      }
      expect(known.size).toBe(breadthFirst(tree).length);
    }
  }
});

test('children of zero entropy count alike under the paper’s weights, which are undefined there', async () => {
  const [tree] = await toyTrees(1, 1);
  const flat = { ...tree, nodes: tree.nodes.map((node) => ({ ...node, turnSurprisal: 0 })) };
  closeTo(
    backUpValues(flat, rewardsOf(tree), 'child_entropy').byNode,
    backUpValues(flat, rewardsOf(tree), 'child_mean').byNode,
  );
});

test('vanilla gives a row one advantage, with the sample deviation of the rewards', async () => {
  for (const tree of await allTrees()) {
    const rewards = rewardsOf(tree);
    const rows = tree.leaves.map((leaf) => rewards[leaf] ?? NaN);
    const mean = rows.reduce((sum, reward) => sum + reward, 0) / rows.length;
    const variance = rows.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / (rows.length - 1);
    const { advantages } = creditOf(tree, rewards, { ...TREE_CREDIT, advantageRule: 'vanilla' });
    tree.leaves.forEach((leaf, row) => {
      for (const node of pathTo(tree, leaf)) {
        const want = (rows[row] - mean) / (Math.sqrt(variance) + 1e-6);
        expect(advantageInRow(advantages, node, leaf, 0)).toBeCloseTo(want, 12);
      }
    });
    expect(advantages.byNode[ROOT]).toBeCloseTo(0, 12);
  }
});

test('a leaf without a reward is named', async () => {
  const [tree] = await toyTrees(1, 1);
  const leaf = tree.leaves[3];
  const rewards = rewardsOf(tree).map((reward, id) => (id === leaf ? null : reward));
  expect(() => normaliseLeaves(tree, rewards, true)).toThrow(MissingRewardError);
  expect(() => normaliseLeaves(tree, rewards, true)).toThrow(`prompt 0, node ${leaf}`);
  expect(() => backUpValues(tree, rewards, 'child_mean')).toThrow(MissingRewardError);
});
