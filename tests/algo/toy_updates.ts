/** Updates of random trees and chains with drawn rewards and signals, and what a rule gives their sampled tokens. */
import { TREE_CREDIT } from '../../src/algo/catalogue/defaults.ts';
import { advantageInRow, assignCredit, type Credit, type CreditTree } from '../../src/algo/credit/credit.ts';
import { keyedRandom } from '../../src/algo/random.ts';
import { growChains } from '../../src/algo/rollouts/turn_tree.ts';
import { leavesBelow, pathTo } from '../../src/algo/tree/tree.ts';
import {
  ROOT,
  type AdvantageRule,
  type CreditConfig,
  type NodeId,
  type RecordedTree,
} from '../../src/units.ts';
import { positionsOf, type OracleRow } from './advantage.oracle.ts';
import { deepFreeze, RandomPolicy, toyPrompts, toyTrees, toyWorld } from './toy_world.ts';

const SIGNAL_STREAM = 777;

/** Rewards and signals drawn for a tree: nothing is 0, nothing is tied. */
function withSignals(tree: RecordedTree, seed: number): CreditTree {
  const random = keyedRandom({ seed, update: 0 }, SIGNAL_STREAM, tree.prompt.index);
  const each = (scale: number) => tree.nodes.map(() => scale * (2 * random.uniform() - 1));
  const drawn = each(1);
  const leaves = new Set<NodeId>(tree.leaves);
  return {
    tree,
    rewards: tree.nodes.map(({ id }) => (leaves.has(id) ? drawn[id] : null)),
    signals: { belief: each(2).map((value) => value - 2), baseline: random.uniform(), stepReward: each(1) },
  };
}

/** The tree as M trees: each first turn belongs to one of three. */
function inTrees(tree: RecordedTree): RecordedTree {
  const first = (id: NodeId): number => (id === ROOT ? 0 : (pathTo(tree, id)[1] as number) % 3);
  return { ...tree, nodes: tree.nodes.map((node) => ({ ...node, tree: first(node.id) })) };
}

/** Some inner turns as if they had been copied from stored steps. */
function withRetrievals(tree: RecordedTree): RecordedTree {
  const nodes = tree.nodes.map((node) =>
    node.depth === 0 || node.id % 4 === 0 || node.children.length === 0
      ? node
      : {
          ...node,
          retrieved: true as const,
          mask: node.mask.map(() => 0),
          entropy: node.entropy!.map(() => 0),
        },
  );
  return { ...tree, nodes };
}

export async function updateOf(seed: number): Promise<readonly CreditTree[]> {
  const trees = await toyTrees(seed, 3);
  const filled = await toyTrees(seed + 50, 1, { initialBranches: 2, picks: 1, leavesPerTree: 6 }); // copies of a leaf
  const shaped = [...trees.slice(0, 2), withRetrievals(trees[2]), ...filled].map((tree, index) =>
    inTrees({ ...tree, prompt: { ...tree.prompt, index } }),
  );
  return deepFreeze(shaped.map((tree) => withSignals(tree, seed)));
}

export const CONFIG: CreditConfig = {
  ...TREE_CREDIT,
  valueRule: 'leaf_mean',
  discount: 0.9,
  lambda: 0.8,
  mixing: 0.3,
};
export const under = (advantageRule: AdvantageRule, change: Partial<CreditConfig> = {}): CreditConfig => ({
  ...CONFIG,
  advantageRule,
  ...change,
});

export function flatten({ tree, rewards }: CreditTree): readonly OracleRow[] {
  return tree.leaves.map((leaf) => {
    const path = pathTo(tree, leaf);
    const counts = path.map((node) => ({
      node,
      count: tree.nodes[node].mask.filter((bit) => bit === 1).length,
    }));
    return {
      prompt: tree.prompt.index,
      tree: tree.nodes[leaf].tree,
      reward: rewards[leaf] ?? NaN,
      path,
      turns: counts.filter(({ count }) => count > 0),
      mask: path.flatMap((node) => tree.nodes[node].mask),
    };
  });
}

/** Ours on the sampled tokens: by tree, row, turn, token. */
export const sampledAdvantages = (update: readonly CreditTree[], credits: readonly Credit[]) =>
  update.map((entry, t) =>
    flatten(entry).map((row) =>
      positionsOf(entry.tree, row).map((places, turn) =>
        places.map((place) =>
          advantageInRow(
            credits[t].advantages,
            row.turns[turn].node as NodeId,
            row.path.at(-1) as NodeId,
            place,
          ),
        ),
      ),
    ),
  );

export const worst = (a: readonly number[], b: readonly number[]): number =>
  a.reduce(
    (most, value, at) => Math.max(most, Number.isNaN(value - b[at]) ? Infinity : Math.abs(value - b[at])),
    0,
  );

export async function chains(seed: number): Promise<CreditTree> {
  const key = { seed, update: 0 };
  const singles = await growChains(new RandomPolicy(key), toyWorld, toyPrompts(12), key);
  // One prompt whose rows share nothing but the root.
  let nodes = [singles[0].nodes[ROOT]];
  for (const single of singles) {
    const shift = nodes.length - 1;
    const moved = (id: NodeId): NodeId => (id === ROOT ? ROOT : ((id + shift) as NodeId));
    const [root, ...rest] = single.nodes;
    nodes = [
      { ...nodes[0], children: [...nodes[0].children, ...root.children.map(moved)] },
      ...nodes.slice(1),
      ...rest.map((node) => ({
        ...node,
        id: moved(node.id),
        parent: moved(node.parent ?? ROOT),
        children: node.children.map(moved),
      })),
    ];
    if (single === singles[0]) nodes = [{ ...nodes[0], children: root.children }, ...nodes.slice(1)];
  }
  const tree = { ...singles[0], nodes, leaves: leavesBelow({ nodes }) };
  return withSignals(tree, seed);
}

export const rowNumbers = (entry: CreditTree, rule: AdvantageRule, change: Partial<CreditConfig> = {}) => {
  const credits = assignCredit([entry], under(rule, change));
  return sampledAdvantages([entry], credits).flat(3);
};
