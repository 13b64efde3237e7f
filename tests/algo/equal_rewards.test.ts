/** Equal rewards teach nothing: exactly 0 under every rule that centres or divides by a spread, whatever sums round to. */
import { describe, expect, test } from 'vitest';
import { rowsOf } from '../../src/algo/advantage/rows.ts';
import { TREE_CREDIT } from '../../src/algo/catalogue/defaults.ts';
import {
  advantageInRow,
  assignCredit,
  normaliseLeaves,
  type CreditTree,
} from '../../src/algo/credit/credit.ts';
import {
  groupStatistics,
  sharedValue,
  smoothedStatistics,
  statisticsOf,
  whiteningStatistics,
} from '../../src/algo/credit/normalise.ts';
import { standardise } from '../../src/algo/credit/trace.ts';
import {
  ADVANTAGE_RULES,
  VALUE_RULES,
  type AdvantageRule,
  type CreditConfig,
  type RolloutTree,
} from '../../src/units.ts';
import { toyTrees } from './toy_world.ts';

/** [rows, reward of each]: every pair leaves a rounding error in Σ r / n. */
const GROUPS: readonly (readonly [number, number])[] = [
  [64, -0.9],
  [50, 1e6 / 3],
  [7, 0.1],
  [11, 0.7],
  [22, 1 / 3],
  [16, -1e-7 / 3],
];

/** A tree with some number of rows that share turns, of one Tree-GRPO tree. */
async function treeOf(rows: number): Promise<RolloutTree> {
  const initialBranches = Math.ceil(rows / 2);
  const [tree] = await toyTrees(rows, 1, { initialBranches, iterations: 1, picks: rows - initialBranches, leavesPerTree: rows }); // prettier-ignore
  return { ...tree, nodes: tree.nodes.map((node) => ({ ...node, tree: 0 })) }; // a tree of one row keeps its reward
}

async function equallyPaid(rows: number, reward: number): Promise<CreditTree> {
  const tree = await treeOf(rows);
  const leaves = new Set(tree.leaves);
  expect(tree.leaves).toHaveLength(rows);
  return {
    tree,
    rewards: tree.nodes.map(({ id }) => (leaves.has(id) ? reward : null)),
    signals: { belief: tree.nodes.map(() => -1.1), baseline: reward, stepReward: tree.nodes.map(() => 0) },
  };
}

/** Rules in which equal rewards are no equal numbers, and why. */
const UNEQUAL: Partial<Record<AdvantageRule, string>> = {
  tree_diff: 'a score is a mean reward over √leaves',
  tree_grpo_per_token: 'a reward stands at one token among zeros',
  igpo: 'the last turn is paid, the others not',
  igpo_position: 'rows end at different places',
  gtpo_by_turn:
    'a place that one row alone reaches keeps its reward, as every group of one (its own test below)',
};
const CENTRED = ADVANTAGE_RULES.filter((rule) => UNEQUAL[rule] === undefined);

/** What every sampled token of every row is trained with. */
const trainedWith = (trees: readonly CreditTree[], config: CreditConfig): readonly number[] =>
  assignCredit(trees, config).flatMap(({ advantages }, t) =>
    rowsOf(trees[t]).flatMap(({ leaf, turns }) =>
      turns.flatMap(({ node, sampled }) =>
        sampled.map((place) => advantageInRow(advantages, node, leaf, place)),
      ),
    ),
  );

const other = (numbers: readonly number[]): readonly number[] => numbers.filter((value) => value !== 0);

describe.each(GROUPS)('%i rewards of %f', (rows, reward) => {
  test('have a sum that does not divide evenly, and statistics that do not care', () => {
    const equal = new Array<number>(rows).fill(reward);
    for (const of of [
      statisticsOf(equal, 0),
      statisticsOf(equal, 1),
      groupStatistics(equal),
      smoothedStatistics(equal),
      whiteningStatistics(equal),
    ]) {
      expect(of.mean).toBe(reward);
      expect(standardise(reward, of)).toBe(0);
    }
  });

  test.each(CENTRED)('train nothing under %s', async (advantageRule) => {
    const trees = [await equallyPaid(rows, reward)];
    for (const valueRule of VALUE_RULES)
      for (const leafNormalisation of [true, false]) {
        if (advantageRule === 'node_value' && !leafNormalisation) continue; // A = V(n), which nothing centres
        const numbers = trainedWith(trees, { ...TREE_CREDIT, discount: 1, valueRule, leafNormalisation, advantageRule }); // prettier-ignore
        expect(numbers.length).toBeGreaterThan(rows);
        expect([valueRule, leafNormalisation, other(numbers)]).toEqual([valueRule, leafNormalisation, []]);
      }
  });

  test('train nothing under gtpo_by_turn at the places that several rows reach', async () => {
    const entry = await equallyPaid(rows, reward);
    const config = { ...TREE_CREDIT, discount: 1, advantageRule: 'gtpo_by_turn' } as const;
    const [{ advantages }] = assignCredit([entry], config);
    const paths = rowsOf(entry);
    const reached = (turn: number): number => paths.filter(({ turns }) => turns.length > turn).length;
    const numbers = paths.flatMap(({ leaf, turns }) =>
      turns.map(({ node, sampled }, turn) =>
        reached(turn) > 1 ? advantageInRow(advantages, node, leaf, sampled[0]) : 0,
      ),
    );
    expect(other(numbers)).toEqual([]);
  });

  test('give leaf values of 0', async () => {
    const { tree, rewards } = await equallyPaid(rows, reward);
    const { byNode } = normaliseLeaves(tree, rewards, true);
    expect(other(tree.leaves.map((leaf) => byNode[leaf] ?? NaN))).toEqual([]);
  });
});

test('several prompts that are each paid equally train nothing where their own mean is taken off first', async () => {
  const trees = [await equallyPaid(64, -0.9), await equallyPaid(50, 1e6 / 3), await equallyPaid(7, 0.1)];
  for (const advantageRule of ['reinforce_pp_baseline', 'treepo', 'treepo_segment', 'gae'] as const) {
    const config = { ...TREE_CREDIT, discount: 1, leafNormalisation: false, advantageRule };
    expect([advantageRule, other(trainedWith(trees, config))]).toEqual([advantageRule, []]);
  }
});

test('numbers of which one differs keep the mean of the plain sum, bit for bit', () => {
  for (const [rows, reward] of GROUPS) {
    const values = [...new Array<number>(rows - 1).fill(reward), reward + 0.5];
    const sum = values.reduce((total, value) => total + value, 0);
    expect(statisticsOf(values, 1).mean).toBe(sum / rows);
    expect(whiteningStatistics(values).mean).toBe(sum / (rows + 1e-8));
  }
});

test('what is not a number is equal to nothing, and stays', () => {
  expect(sharedValue([])).toBeNull();
  expect(sharedValue([NaN, NaN])).toBeNull();
  expect(sharedValue([0.1, 0.2])).toBeNull();
  expect(sharedValue([-0.9, -0.9])).toBe(-0.9);
  for (const of of [statisticsOf([NaN, NaN], 1), whiteningStatistics([NaN, 1]), smoothedStatistics([NaN])])
    expect(standardise(1, of)).toBeNaN();
});
