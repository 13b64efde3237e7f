import { expect, test } from 'vitest';
import { TURN_TREE } from '../../../src/algo/catalogue/defaults.ts';
import { searchTree } from '../../../src/algo/rollouts/search_tree.ts';
import { breadthFirst, isLeaf, pathTo, type TreeNodes } from '../../../src/algo/tree/tree.ts';
import { ROOT, type NodeId, type RolloutConfig, type RolloutTree } from '../../../src/units.ts';
import { RandomPolicy, SEEDS, toyPrompts, toyWorld } from '../toy_world.ts';

const CONFIG: RolloutConfig = {
  ...TURN_TREE,
  shape: 'search_tree',
  leavesPerTree: 40, // more than the simulations make: the tree is whole
  iterations: 12,
  width: 3,
  explorationWeight: 1,
};

async function searched(
  seed: number,
  change: Partial<RolloutConfig> = {},
  score?: (tree: TreeNodes, leaf: NodeId) => number,
): Promise<RolloutTree> {
  const key = { seed, update: 1 };
  const config = { ...CONFIG, ...change };
  const extras = score ? { score } : {};
  const [tree] = await searchTree.grow(
    new RandomPolicy(key),
    toyWorld,
    toyPrompts(1),
    config,
    key,
    {},
    extras,
  );
  return tree;
}

const statistics = (tree: RolloutTree) => {
  if (!tree.search) throw new Error('a search tree has statistics');
  return tree.search;
};

test('visits add up from children to parents, and Q is their mean weighted by visits', async () => {
  for (const seed of SEEDS) {
    const tree = await searched(seed);
    const table = statistics(tree);
    expect(table).toHaveLength(tree.nodes.length);
    expect(table[ROOT].visits).toBeGreaterThanOrEqual(CONFIG.iterations);
    for (const id of breadthFirst(tree)) {
      const children = tree.nodes[id].children.filter(
        (child) => tree.nodes[child].origin.kind !== 'duplicate',
      );
      if (children.length === 0) continue;
      const visits = children.reduce((sum, child) => sum + table[child].visits, 0);
      const total = children.reduce((sum, child) => sum + table[child].visits * table[child].quality, 0);
      expect(table[id].visits).toBe(visits);
      expect(table[id].quality).toBeCloseTo(total / visits, 12);
    }
  }
});

test('a visited turn has `width` continuations, one that was only passed on the way to an end has one', async () => {
  const tree = await searched(3);
  const picked = new Set(tree.expansions.flatMap(({ picks }) => picks));
  for (const node of tree.nodes) {
    if (isLeaf(node)) continue;
    const children = node.children.filter((child) => tree.nodes[child].origin.kind !== 'duplicate');
    expect(children).toHaveLength(picked.has(node.id) ? 3 : 1);
  }
});

test('a simulation goes down by Q + w·p·√N(parent)/(1 + N)', async () => {
  const tree = await searched(4, { iterations: 2, explorationWeight: 0.7 });
  const [, second] = tree.expansions;
  const onFirst = second.candidates.slice(0, 3);
  expect(onFirst.map(({ node }) => tree.nodes[node].parent)).toEqual([ROOT, ROOT, ROOT]);
  for (const { node, score, penalty, turnSurprisal } of onFirst) {
    const leaf = breadthFirst(tree, node).find((id) => isLeaf(tree.nodes[id]) && pathTo(tree, id).every((at) => tree.nodes[at].origin.kind !== 'branch')); // prettier-ignore
    const quality = leafReward(tree, leaf ?? ROOT);
    const exploration = (0.7 * Math.exp(-turnSurprisal) * Math.sqrt(3)) / 2;
    expect(score).toBeCloseTo(quality + exploration, 12);
    expect(penalty).toBeCloseTo(-exploration, 12);
  }
  const best = onFirst.toSorted((a, b) => b.score - a.score)[0].node;
  expect(pathTo(tree, second.picks[0])).toContain(best);
});

const leafReward = (tree: TreeNodes, leaf: NodeId): number => {
  const node = tree.nodes[leaf];
  return node.ending === 'answer' ? (node.tokens.at(-2) ?? 0) % 2 : -1;
};

test('search spends more visits where the reward is', async () => {
  let better = 0;
  for (const seed of SEEDS) {
    const first = (tree: TreeNodes, leaf: NodeId) => pathTo(tree, leaf)[1];
    const tree = await searched(seed, { iterations: 30 }, (at, leaf) => (first(at, leaf) === 1 ? 1 : 0));
    const [good, ...others] = tree.nodes[ROOT].children.map((id) => statistics(tree)[id].visits);
    if (others.every((visits) => good > visits)) better += 1;
  }
  expect(better).toBe(SEEDS.length);
});

test('rows are a random part of many paths, or copies of the last; statistics cover every node', async () => {
  const few = await searched(5, { leavesPerTree: 4 });
  expect(few.leaves).toHaveLength(4);
  expect(statistics(few)).toHaveLength(few.nodes.length);
  expect(statistics(few)[ROOT]).toEqual(statistics(await searched(5))[ROOT]);
  const copies = (await searched(5, { leavesPerTree: 60 })).nodes.filter(
    ({ origin }) => origin.kind === 'duplicate',
  );
  expect(copies.length).toBeGreaterThan(0);
});
