import { expect, test } from 'vitest';
import { TURN_TREE } from '../../../src/algo/catalogue/defaults.ts';
import { trajectoryOf } from '../../../src/algo/reward/reward.ts';
import { segmentTree } from '../../../src/algo/rollouts/segment_tree.ts';
import { isLeaf, leavesBelow, pathTo, responseMask } from '../../../src/algo/tree/tree.ts';
import { ROOT, tokenId, type RolloutConfig, type RolloutTree, type TurnSampler } from '../../../src/units.ts';
import { RandomPolicy, SEEDS, toyPrompts, toyWorld } from '../toy_world.ts';

const CONFIG: RolloutConfig = {
  ...TURN_TREE,
  shape: 'segment_tree',
  leavesPerTree: 8,
  initialBranches: 2,
  width: 2,
  levels: 4,
  segmentTokens: 3,
};

async function grown(
  change: Partial<RolloutConfig> = {},
  seed = 1,
  policy: TurnSampler = new RandomPolicy({ seed, update: 1 }),
): Promise<RolloutTree> {
  const config = { ...CONFIG, ...change };
  const [tree] = await segmentTree.grow(policy, toyWorld, toyPrompts(1), config, { seed, update: 1 });
  return tree;
}

/** Continues `text` token by token, by how many sampled tokens stand on the path. */
const reciting = (text: readonly number[]): TurnSampler => ({
  generate: (requests) =>
    Promise.resolve(
      requests.map(({ context, maxTokens }) => {
        const said = context.slice(2).length; // the toy prompt has two tokens; no results in this text
        const tokens = text.slice(said, said + maxTokens).map(tokenId);
        const finish = tokens.at(-1) === 2 ? ('stop' as const) : ('length' as const);
        return { tokens, logProb: tokens.map(() => -1), entropy: tokens.map(() => 1), finish };
      }),
    ),
});

test('a path is cut after every m sampled tokens, and forks there until there are S', async () => {
  const tree = await grown({ segmentTokens: 2, leavesPerTree: 4 }, 1, reciting([4, 5, 6, 7, 2]));
  expect(tree.nodes[ROOT].children).toHaveLength(2);
  const cuts = tree.nodes.filter((node) => node.parent !== null && !isLeaf(node));
  for (const cut of cuts) expect(cut.tokens).toHaveLength(2);
  expect(cuts.map(({ children }) => children.length)).toEqual([2, 2, 1, 1, 1, 1]);
  for (const leaf of tree.leaves) {
    const { turns, ending } = trajectoryOf(tree, leaf, 22);
    expect(turns).toEqual([[4, 5, 6, 7, 2]]); // one turn for the world, though three nodes
    expect(ending).toBe('answer');
    expect(responseMask(tree, leaf)).toEqual([1, 1, 1, 1, 1]);
  }
});

test('below the last level nothing is cut', async () => {
  const tree = await grown({ segmentTokens: 1, levels: 2, leavesPerTree: 4 }, 1, reciting([4, 5, 6, 7, 2]));
  for (const leaf of tree.leaves) {
    expect(pathTo(tree, leaf).map((id) => tree.nodes[id].tokens.length)).toEqual([0, 1, 4]);
  }
});

test('no node holds more sampled tokens than a segment, above the last level', async () => {
  for (const seed of SEEDS) {
    const tree = await grown({ levels: 99 }, seed);
    for (const { mask } of tree.nodes) expect(mask.reduce((sum, bit) => sum + bit, 0)).toBeLessThanOrEqual(3);
  }
});

test('the turn limit holds across cuts', async () => {
  const tree = await grown({ segmentTokens: 2 }, 1, reciting([4, 4, 4, 4, 4, 4, 4, 4]));
  for (const leaf of tree.leaves) {
    expect(responseMask(tree, leaf)).toHaveLength(5);
    expect(tree.nodes[leaf].ending).toBe('malformed');
  }
});

test('there are never more paths than rows, and places that become free go to earlier cuts', async () => {
  let refilled = 0;
  for (const seed of SEEDS) {
    for (const leavesPerTree of [2, 5, 12]) {
      const tree = await grown({ leavesPerTree }, seed);
      expect(leavesBelow(tree)).toHaveLength(leavesPerTree);
      expect(tree.nodes.some(({ pruned, origin }) => pruned || origin.kind === 'duplicate')).toBe(false);
      const last = tree.expansions.at(-1);
      if (last && last.candidates.some(({ node }) => node === ROOT)) refilled += 1;
    }
  }
  expect(refilled).toBeGreaterThan(0);
});
