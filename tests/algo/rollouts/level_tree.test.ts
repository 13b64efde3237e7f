import { expect, test } from 'vitest';
import { TURN_TREE } from '../../../src/algo/catalogue/defaults.ts';
import { levelTree } from '../../../src/algo/rollouts/level_tree.ts';
import { overlap } from '../../../src/algo/rollouts/shape.ts';
import {
  ROOT,
  tokenId,
  type Environment,
  type Generation,
  type RolloutConfig,
  type RolloutTree,
  type TurnSampler,
} from '../../../src/units.ts';
import { RandomPolicy, SEEDS, toyPrompts, toyWorld } from '../toy_world.ts';

const CONFIG: RolloutConfig = {
  ...TURN_TREE,
  shape: 'level_tree',
  leavesPerTree: 8,
  initialBranches: 2,
  width: 2,
  levels: 3,
};

async function grown(
  change: Partial<RolloutConfig>,
  policy: TurnSampler,
  env: Environment<number> = toyWorld,
  seed = 1,
): Promise<RolloutTree> {
  const [tree] = await levelTree.grow(
    policy,
    env,
    toyPrompts(1),
    { ...CONFIG, ...change },
    { seed, update: 1 },
  );
  return tree;
}

/** Calls with one word, another for each turn asked of it, until `calls` turns stand on the path; then answers. */
function caller(calls: number, wordOf: (asked: number) => number): TurnSampler {
  let asked = 0;
  return {
    generate: (requests) =>
      Promise.resolve(
        requests.map(({ context }): Generation => {
          const made = context.filter((token) => token === 3).length; // results on the path
          const tokens = [tokenId(wordOf(asked++)), tokenId(made < calls ? 1 : 2)];
          return { tokens, logProb: [-1, -1], entropy: [1, 1], finish: 'stop' };
        }),
      ),
  };
}

test('every open path proposes `width` turns on every level', async () => {
  const tree = await grown(
    { leavesPerTree: 8 },
    caller(2, (asked) => 4 + (asked % 4)),
  );
  const widths = tree.nodes
    .filter(({ children }) => children.length > 0)
    .map(({ children }) => children.length);
  expect(widths).toEqual([2, 2, 2, 2, 2, 2, 2]);
  expect(tree.leaves).toHaveLength(8);
  expect(tree.expansions.map(({ picks }) => picks.length)).toEqual([2, 4]);
});

test('below the last level paths go on alone', async () => {
  const tree = await grown(
    { levels: 2, leavesPerTree: 4 },
    caller(3, (asked) => 4 + (asked % 4)),
  );
  const widthAt = (depth: number) =>
    tree.nodes
      .filter((node) => node.depth === depth && node.parent !== null && node.children.length > 0)
      .map(({ children }) => children.length);
  expect(tree.nodes[ROOT].children).toHaveLength(2);
  expect(widthAt(0)).toEqual([2, 2]);
  expect(widthAt(1)).toEqual([1, 1, 1, 1]);
  expect(tree.leaves).toHaveLength(4);
});

test('a sibling that retrieved much the same is pruned, one that did not stays', async () => {
  // results are RESULT, word, CALL: two of four tokens in common for different words, all of them for the same one
  const same = await grown(
    { similarity: 0.6, leavesPerTree: 1 },
    caller(1, () => 4),
  );
  expect(same.leaves).toHaveLength(1);
  const repeats = await grown(
    { similarity: 0.6, leavesPerTree: 4 },
    caller(1, () => 4),
  );
  expect(repeats.nodes.filter(({ pruned }) => pruned).length).toBeGreaterThan(0);
  const [first] = repeats.expansions;
  expect(first.candidates.map(({ penalty }) => penalty)).toEqual([0, 1]);
  expect(first.picks).toEqual([first.candidates[0].node]);
  expect(repeats.nodes[first.candidates[1].node].pruned).toBe(true);
  const others = await grown(
    { similarity: 0.6, leavesPerTree: 4 },
    caller(1, (asked) => 4 + (asked % 2)),
  );
  expect(others.expansions[0].candidates.map(({ penalty }) => penalty)).toEqual([0, 0.5]);
  expect(others.nodes.filter(({ pruned }) => pruned)).toEqual([]);
  const off = await grown(
    { similarity: 1, leavesPerTree: 4 },
    caller(1, () => 4),
  );
  expect(off.nodes.filter(({ pruned }) => pruned)).toEqual([]);
});

test('open paths beyond the rows are dropped at random', async () => {
  const kept = new Set<string>();
  for (const seed of SEEDS) {
    const policy = caller(3, (asked) => 4 + (asked % 4));
    const tree = await grown({ initialBranches: 4, width: 3, leavesPerTree: 4 }, policy, toyWorld, seed);
    expect(tree.leaves).toHaveLength(4);
    for (const { picks } of tree.expansions) expect(picks.length).toBeLessThanOrEqual(4);
    kept.add(tree.expansions[1].picks.join());
  }
  expect(kept.size).toBeGreaterThan(4);
});

test('a tree whose paths end early starts again from the question', async () => {
  const tree = await grown(
    { leavesPerTree: 5 },
    caller(0, () => 4),
  );
  expect(tree.nodes[ROOT].children).toHaveLength(5);
  expect(tree.nodes.map(({ origin }) => origin.kind)).not.toContain('duplicate');
  const mixed = await grown({ leavesPerTree: 16 }, new RandomPolicy({ seed: 2, update: 1 }));
  expect(mixed.leaves).toHaveLength(16);
});

test('overlap is the Jaccard index of token sets', () => {
  const set = (...ids: readonly number[]) => new Set(ids.map(tokenId));
  expect(overlap(set(1, 2, 3), set(2, 3, 4))).toBe(0.5);
  expect(overlap(set(1), set(2))).toBe(0);
  expect(overlap(set(1, 2), set(2, 1))).toBe(1);
  expect(overlap(set(), set())).toBe(1);
});
