import { expect, test } from 'vitest';
import { TURN_TREE } from '../../../src/algo/catalogue/defaults.ts';
import { continuationTree } from '../../../src/algo/rollouts/continuation_tree.ts';
import { isLeaf, pathTo } from '../../../src/algo/tree/tree.ts';
import { ROOT, type NodeId, type RolloutConfig, type RolloutTree } from '../../../src/units.ts';
import { RandomPolicy, SEEDS, toyPrompts, toyWorld } from '../toy_world.ts';

const CONFIG: RolloutConfig = {
  ...TURN_TREE,
  shape: 'continuation_tree',
  initialBranches: 2,
  iterations: 3,
  picks: 2,
  leavesPerTree: 14, // M · (1 + L·N): nothing is pruned
};

async function grown(seed: number, change: Partial<RolloutConfig> = {}): Promise<RolloutTree> {
  const key = { seed, update: 1 };
  const config = { ...CONFIG, ...change };
  const [tree] = await continuationTree.grow(new RandomPolicy(key), toyWorld, toyPrompts(1), config, key);
  return tree;
}

const leavesOf = (tree: RolloutTree, index: number): readonly NodeId[] =>
  tree.leaves.filter((leaf) => tree.nodes[leaf].tree === index);

test('each of the M trees has 1 + L·N leaves of its own', async () => {
  for (const seed of SEEDS) {
    const tree = await grown(seed);
    expect([0, 1].map((index) => leavesOf(tree, index).length)).toEqual([7, 7]);
    expect(tree.nodes.filter(({ origin }) => origin.kind === 'duplicate')).toEqual([]);
    for (const node of tree.nodes) {
      if (node.parent !== null && node.parent !== ROOT) expect(node.tree).toBe(tree.nodes[node.parent].tree);
    }
  }
});

test('a branch goes on after the picked turn: its action and result are kept', async () => {
  let branches = 0;
  for (const seed of SEEDS) {
    const tree = await grown(seed);
    for (const node of tree.nodes) {
      if (node.origin.kind !== 'branch') continue;
      branches += 1;
      const { iteration, pick } = node.origin;
      expect(tree.expansions[iteration].picks[pick]).toBe(node.parent);
      const sibling = tree.nodes[tree.nodes[node.parent ?? ROOT].children[0]];
      const opening = node.parent === ROOT ? 0 : sibling.mask.indexOf(1) < 0 ? 3 : sibling.mask.indexOf(1);
      expect(node.tokens.slice(0, opening)).toEqual(sibling.tokens.slice(0, opening));
      expect(node.mask.slice(0, opening)).toEqual(new Array(opening).fill(0));
      if (node.mask.length > opening) expect(node.mask[opening]).toBe(1);
    }
  }
  expect(branches).toBe(SEEDS.length * 12);
});

test('picks are uniform over the root and all turns that called a tool', async () => {
  const SAMPLES = 400;
  const onRoot: number[] = [];
  let expected = 0;
  for (let seed = 0; seed < SAMPLES; seed += 1) {
    const tree = await grown(seed, { initialBranches: 1, iterations: 1, leavesPerTree: 3 });
    const candidates = tree.expansions[0].candidates.length;
    expected += 2 / candidates;
    onRoot.push(tree.expansions[0].picks.filter((id) => id === ROOT).length);
    for (const { score } of tree.expansions[0].candidates) expect(score).toBeCloseTo(2 / candidates, 12);
  }
  const seen = onRoot.reduce((sum, count) => sum + count, 0);
  expect(Math.abs(seen - expected)).toBeLessThan(4 * Math.sqrt(2 * SAMPLES * 0.25)); // four deviations at most
  expect(onRoot).toContain(2); // with replacement
});

test('of every tree its share of the rows stays, at random', async () => {
  const kept = new Set<string>();
  for (const seed of SEEDS) {
    const tree = await grown(seed, { leavesPerTree: 7 });
    expect([0, 1].map((index) => leavesOf(tree, index).length)).toEqual([4, 3]);
    for (const node of tree.nodes) {
      const survives = tree.leaves.some((leaf) => pathTo(tree, leaf).includes(node.id));
      expect(node.pruned).toBe(!survives);
    }
    const all = (await grown(seed)).leaves;
    kept.add(all.map((leaf) => Number(tree.leaves.includes(leaf))).join(''));
  }
  expect(kept.size).toBeGreaterThan(3);
});

test('a tree that lacks rows copies its own last leaf', async () => {
  const tree = await grown(1, { leavesPerTree: 18 });
  expect([0, 1].map((index) => leavesOf(tree, index).length)).toEqual([9, 9]);
  const copies = tree.nodes.filter(({ origin }) => origin.kind === 'duplicate');
  expect(copies.map((copy) => copy.tree)).toEqual([0, 0, 1, 1]);
  expect(copies.every(isLeaf)).toBe(true);
});
