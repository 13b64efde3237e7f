/** What one leaf does to a turn: the same credit once more with that leaf's row left out. Pure. */
import { assignCredit } from '../algo/credit.ts';
import type { CreditConfig, NodeId, RolloutTree } from '../units.ts';
import { creditInputs, type CreditChoice } from './credit.ts';
import type { TreeState } from './run_state.ts';

/** One leaf left out. Advantages are dimensionless; where rows of a turn differ, the mean over them. */
export interface LeafInfluence {
  readonly leaf: NodeId;
  readonly reward: number; // what-if rewards in place
  readonly without: number | null; // the turn's advantage without the leaf; null: then there is no such turn
  readonly influence: number | null; // advantage with the leaf − without it
}

export interface TurnInfluence {
  readonly node: NodeId;
  readonly advantage: number; // with every leaf
  readonly leaves: readonly LeafInfluence[]; // greatest effect first, then those without which there is no turn
}

/**
 * The tree without a leaf and without the turns that lead to no other leaf; ids stay as they are.
 * The tree itself is not written on.
 */
export function withoutLeaf(tree: RolloutTree, leaf: NodeId): RolloutTree {
  const gone = new Set<NodeId>();
  for (let id: NodeId | null = leaf; id !== null; id = tree.nodes[id].parent) {
    const { children, parent } = tree.nodes[id];
    if (parent === null || children.some((child) => !gone.has(child))) break;
    gone.add(id);
  }
  const nodes = tree.nodes.map((node) => {
    if (gone.has(node.id)) return { ...node, pruned: true };
    const touched = node.children.some((child) => gone.has(child));
    return touched ? { ...node, children: node.children.filter((child) => !gone.has(child)) } : node;
  });
  return { ...tree, nodes, leaves: tree.leaves.filter((id) => id !== leaf) };
}

const byEffect = (a: LeafInfluence, b: LeafInfluence): number =>
  Math.abs(b.influence ?? -1) - Math.abs(a.influence ?? -1) || a.leaf - b.leaf;

/** Sorts null last: a turn that is gone has no effect to measure. */
const sorted = (leaves: readonly LeafInfluence[]): readonly LeafInfluence[] => [
  ...leaves.filter(({ influence }) => influence !== null).toSorted(byEffect),
  ...leaves.filter(({ influence }) => influence === null),
];

/**
 * Leave-one-out influence of every leaf on a turn's advantage, under the rules and rewards on screen. Everything that
 * depends on the leaf goes with it: its reward, its share of means and deviations, its row.
 * @param choice rules and what-if rewards, as in recredit
 * @param trees the update's: some rules compare tokens across prompts
 * @returns null while the tree grows or has no rewards, and of a tree with a single leaf
 */
export function leafInfluence(
  state: TreeState,
  own: CreditConfig,
  choice: CreditChoice,
  trees: readonly TreeState[],
  node: NodeId,
): TurnInfluence | null {
  const inputs = creditInputs(state, own, choice, trees);
  if (!inputs) return null;
  const { config, at } = inputs;
  const asked = inputs.trees[at];
  if (asked.tree.leaves.length < 2 || asked.tree.nodes[node]?.pruned !== false) return null;
  const advantageOf = (tree: RolloutTree): number => {
    const trained = inputs.trees.map((entry, index) => (index === at ? { ...asked, tree } : entry));
    return assignCredit(trained, config)[at].advantages.byNode[node];
  };
  const advantage = advantageOf(asked.tree);
  const leaves = asked.tree.leaves.map((leaf): LeafInfluence => {
    const rest = withoutLeaf(asked.tree, leaf);
    const reward = asked.rewards[leaf] ?? 0;
    if (rest.nodes[node].pruned) return { leaf, reward, without: null, influence: null };
    const without = advantageOf(rest);
    return { leaf, reward, without, influence: advantage - without };
  });
  return { node, advantage, leaves: sorted(leaves) };
}
