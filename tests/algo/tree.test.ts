import { assembleTree } from '../support/assemble_tree.ts';
import { expect, test } from 'vitest';
import {
  addNode,
  breadthFirst,
  childrenFirst,
  emptiedBy,
  leavesBelow,
  maskRuns,
  pathTo,
  responseMask,
  rowSpans,
  responseTokens,
  rowTokens,
  lengthTo,
  withoutNodes,
} from '../../src/algo/tree/tree.ts';
import { nodeId, ROOT, type ExpansionRecord, type NodeId, type TurnNode } from '../../src/units.ts';
import { SEEDS, toyTrees } from './toy_world.ts';

/** Grows one tree and keeps what an observer was told. */
async function observed(seed: number, leavesPerTree: number) {
  const nodes: TurnNode[] = [];
  const expansions: ExpansionRecord[] = [];
  let rows: { leaves: readonly NodeId[]; pruned: readonly NodeId[] } = { leaves: [], pruned: [] };
  const [tree] = await toyTrees(
    seed,
    1,
    { leavesPerTree },
    {
      onNode: (_prompt, node) => nodes.push(node),
      onExpansion: (_prompt, record) => expansions.push(record),
      onLeaves: (_prompt, leaves, pruned) => (rows = { leaves, pruned }),
    },
  );
  return { tree, nodes, expansions, ...rows };
}

test('what an observer is told makes the same tree again', async () => {
  for (const seed of SEEDS) {
    for (const leavesPerTree of [6, 10, 12]) {
      const { tree, nodes, leaves, pruned, expansions } = await observed(seed, leavesPerTree);
      expect(assembleTree({ prompt: tree.prompt, nodes, leaves, pruned, expansions })).toEqual(tree);
    }
  }
});

test('an observer hears of a node once, complete and without children, after its parent', async () => {
  const { nodes, tree } = await observed(1, 12);
  const heard = new Set<number>();
  for (const node of nodes) {
    expect(heard.has(node.id)).toBe(false);
    if (node.parent !== null) expect(heard.has(node.parent)).toBe(true);
    expect(node.children).toEqual([]);
    heard.add(node.id);
  }
  expect(heard.size).toBe(tree.nodes.length);
});

test('a leaf goes with every ancestor that leads to no other, and the rest of the tree stays as it was', async () => {
  const { tree } = await observed(1, 12);
  let ancestors = 0;
  for (const leaf of tree.leaves) {
    const gone = emptiedBy(tree.nodes, leaf);
    const nodes = withoutNodes(tree.nodes, new Set(gone));
    expect(leavesBelow({ nodes })).toEqual(tree.leaves.filter((id) => id !== leaf));
    for (const { id } of tree.nodes) {
      expect(nodes[id].pruned).toBe(tree.nodes[id].pruned || gone.includes(id));
      if (!gone.includes(id)) expect(breadthFirst({ nodes }).includes(id)).toBe(!nodes[id].pruned);
    }
    ancestors += gone.length - 1;
  }
  expect(ancestors).toBeGreaterThan(0);
});

test('nodes that come out of order make the same tree, and a path stops where a node is still to come', async () => {
  const { tree, nodes, leaves, pruned, expansions } = await observed(2, 12);
  const late: (TurnNode | undefined)[] = [];
  const [waiting, others] = [nodes.filter(({ id }) => id === 3), nodes.filter(({ id }) => id !== 3)];
  others.filter(({ parent }) => parent !== 3).forEach((node) => addNode(late, node));
  expect(pathTo({ nodes: late }, nodeId(3))).toEqual([]);
  const parts = { prompt: tree.prompt, leaves, pruned, expansions };
  const reordered = [...others.filter(({ id }) => id < 3), ...waiting, ...others.filter(({ id }) => id > 3)];
  expect(assembleTree({ ...parts, nodes: reordered })).toEqual(tree);
});

test('breadth-first order lists depths ascending; children come before parents in the other order', async () => {
  for (const seed of SEEDS) {
    const [tree] = await toyTrees(seed, 1);
    const levels = breadthFirst(tree).map((id) => pathTo(tree, id).length);
    expect(levels).toEqual(levels.toSorted((a, b) => a - b));
    const seen = new Set<NodeId>();
    for (const id of childrenFirst(tree)) {
      expect(tree.nodes[id].children.every((child) => seen.has(child))).toBe(true);
      seen.add(id);
    }
    expect(seen.size).toBe(breadthFirst(tree).length);
  }
});

test('a path’s tokens are its nodes’ tokens in order', async () => {
  const [tree] = await toyTrees(7, 1);
  for (const leaf of leavesBelow(tree)) {
    const path = pathTo(tree, leaf);
    expect(path[0]).toBe(ROOT);
    const own = tree.nodes[leaf].tokens;
    const tokens = responseTokens(tree, leaf);
    const spans = rowSpans(tree, leaf);
    expect(spans.map(({ node }) => node)).toEqual(path.filter((id) => tree.nodes[id].tokens.length > 0));
    for (const { node, start, end } of spans)
      expect(tokens.slice(start, end)).toEqual(tree.nodes[node].tokens);
    expect(spans.at(-1)?.end).toBe(tokens.length);
    expect(tokens.slice(spans.at(-1)?.start)).toEqual(own);
    expect(responseMask(tree, leaf)).toHaveLength(tokens.length);
    expect(lengthTo(tree, leaf)).toBe(tokens.length);
  }
});

test('a row stands after its prompt and is cut where the context ends, in the middle of a node too', async () => {
  const [tree] = await toyTrees(7, 1);
  const [leaf] = leavesBelow(tree);
  const first = tree.prompt.tokens.length;
  const whole = rowTokens(tree, leaf);
  expect(whole.tokens).toEqual([...tree.prompt.tokens, ...responseTokens(tree, leaf)]);
  expect(whole.mask.slice(first)).toEqual(responseMask(tree, leaf));
  for (let length = 0; length <= whole.tokens.length; length += 1) {
    const row = rowTokens(tree, leaf, length);
    const end = Math.max(first, length);
    expect([row.tokens, row.mask]).toEqual([whole.tokens.slice(0, end), whole.mask.slice(0, end)]);
    const places = row.spans.flatMap(({ start, end: stop }) =>
      Array.from({ length: stop - start }, (_, place) => start + place),
    );
    expect(places).toEqual(Array.from({ length: end - first }, (_, place) => first + place));
  }
});

test('mask runs are maximal', () => {
  expect(maskRuns([1, 1, 0, 1, 0, 0, 1])).toEqual([
    { start: 0, end: 2 },
    { start: 3, end: 4 },
    { start: 6, end: 7 },
  ]);
  expect(maskRuns([0, 0])).toEqual([]);
});
