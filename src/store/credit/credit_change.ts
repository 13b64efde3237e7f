/** What a what-if changes: values, advantages and tokens before and after. Pure. */
import { advantageInRow, assignCredit, type Credit } from '../../algo/credit/credit.ts';
import { emptiedBy, pathTo, rowSpans, withoutNodes } from '../../algo/tree/tree.ts';
import type { CreditConfig, NodeId, NodeTable, RecordedTree } from '../../units.ts';
import type { TreeState } from '../record/run_state.ts';
import { advantageRanges, hasTurnNumbers, type AdvantageRange } from './advantage_range.ts';
import { NO_PUSH } from './compare.ts';
import { rowTurns } from './credit_steps.ts';
import { creditInputs, type CreditChoice } from './credit.ts';

export interface Change {
  readonly before: number; // dimensionless
  readonly after: number;
}

export interface RangeChange {
  readonly before: AdvantageRange;
  readonly after: AdvantageRange;
}

export interface NodeChange {
  readonly node: NodeId;
  readonly value: Change;
  readonly advantage: RangeChange | null; // null: nothing of the node is trained on, as of the root
  readonly valueChanged: boolean;
  readonly advantageChanged: boolean;
}

export interface CreditChange {
  readonly nodes: readonly NodeChange[]; // in order of creation; those with a change only
  readonly values: number; // changed
  readonly advantages: number; // changed, of turns
  readonly tokens: number; // trained-on tokens of all rows whose advantage changed
  readonly rowTokens: number; // trained-on tokens of all rows
}

const differs = ({ before, after }: Change): boolean => Math.abs(after - before) >= NO_PUSH;
const rangeDiffers = ({ before, after }: RangeChange): boolean =>
  before.some((end, side) => differs({ before: end, after: after[side] }));
const pairAt = (before: NodeTable<number>, after: NodeTable<number>, node: NodeId): Change => ({
  before: before[node],
  after: after[node],
});

function changedTokens(tree: RecordedTree, before: Credit, after: Credit) {
  let [tokens, rowTokens] = [0, 0];
  for (const leaf of tree.leaves) {
    const old = rowTurns(tree, before, leaf);
    rowTurns(tree, after, leaf).forEach((turn, at) => {
      rowTokens += turn.tokenCount;
      if (rangeDiffers({ before: old[at].range, after: turn.range })) tokens += turn.tokenCount;
    });
  }
  return { tokens, rowTokens };
}

/** @param before credit of the tree as trained, `after` as asked */
export function creditChange(tree: RecordedTree, before: Credit, after: Credit): CreditChange {
  const [trained, asked] = [advantageRanges(tree, before), advantageRanges(tree, after)];
  const nodes = tree.nodes
    .filter(({ pruned }) => !pruned)
    .map(({ id }): NodeChange => {
      const value = pairAt(before.values.byNode, after.values.byNode, id);
      const [was, is] = [trained[id], asked[id]];
      const advantage = was && is && { before: was, after: is };
      return {
        node: id,
        value,
        advantage,
        valueChanged: differs(value),
        advantageChanged: advantage !== null && rangeDiffers(advantage),
      };
    })
    .filter(({ valueChanged, advantageChanged }) => valueChanged || advantageChanged);
  return {
    nodes,
    values: nodes.filter(({ valueChanged }) => valueChanged).length,
    advantages: nodes.filter(({ advantageChanged }) => advantageChanged).length,
    ...changedTokens(tree, before, after),
  };
}

// What one leaf does to a turn: the same credit once more with that leaf's row left out. Pure.

/** One leaf left out. Advantages are dimensionless. */
export interface LeafInfluence {
  readonly leaf: NodeId;
  readonly reward: number; // what-if rewards in place
  readonly without: number | null; // the advantage without the leaf; null: then there is no such turn, or row
  readonly influence: number | null; // advantage with the leaf − without it
}

export interface TurnInfluence {
  readonly node: NodeId;
  /** The row that the numbers are of, the mean over the turn's tokens in it; null: the rule has one number per turn. */
  readonly row: NodeId | null;
  readonly advantage: number; // with every leaf
  readonly leaves: readonly LeafInfluence[]; // greatest effect first, then those without which there is no turn or row
}

/**
 * The tree without a leaf and without the turns that lead to no other leaf; ids stay as they are.
 * The tree itself is not written on.
 */
export function withoutLeaf(tree: RecordedTree, leaf: NodeId): RecordedTree {
  const nodes = withoutNodes(tree.nodes, new Set(emptiedBy(tree.nodes, leaf)));
  return { ...tree, nodes, leaves: tree.leaves.filter((id) => id !== leaf) };
}

const byEffect = (a: LeafInfluence, b: LeafInfluence): number =>
  Math.abs(b.influence ?? -1) - Math.abs(a.influence ?? -1) || a.leaf - b.leaf;

/** Sorts null last: a turn that is gone has no effect to measure. */
const sorted = (leaves: readonly LeafInfluence[]): readonly LeafInfluence[] => [
  ...leaves.filter(({ influence }) => influence !== null).toSorted(byEffect),
  ...leaves.filter(({ influence }) => influence === null),
];

/** The wanted row where it holds the node, else the first that does. */
function rowThrough(tree: RecordedTree, node: NodeId, wanted: NodeId | null): NodeId | null {
  const rows = tree.leaves.filter((leaf) => pathTo(tree, leaf).includes(node));
  return rows.find((leaf) => leaf === wanted) ?? rows[0] ?? null;
}

/** Over the sampled tokens of a turn in one row; one number under rules of rows. */
function meanInRow(tree: RecordedTree, { advantages }: Credit, node: NodeId, leaf: NodeId): number {
  const start = rowSpans(tree, leaf).find((span) => span.node === node)?.start ?? 0;
  const values = tree.nodes[node].mask.flatMap((bit, place) =>
    bit === 0 ? [] : [advantageInRow(advantages, node, leaf, start + place)],
  );
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Leave-one-out influence of every leaf on a turn's advantage, under the rules and rewards on screen. Everything that
 * depends on the leaf goes with it: its reward, its share of means and deviations, its row.
 * @param choice rules and what-if rewards, as in recredit
 * @param trees the update's: some rules compare tokens across prompts
 * @param wanted the row to look at where the rule has a number per row; the first one through the turn, unless given
 * @returns null while the tree grows or has no rewards, and of a tree with a single leaf
 */
export function leafInfluence(
  state: TreeState,
  rules: CreditConfig,
  choice: CreditChoice,
  trees: readonly TreeState[],
  node: NodeId,
  wanted: NodeId | null = null,
): TurnInfluence | null {
  const inputs = creditInputs(state, rules, choice, trees);
  if (!inputs) return null;
  const { config, at } = inputs;
  const asked = inputs.trees[at];
  if (asked.tree.leaves.length < 2 || asked.tree.nodes[node]?.pruned !== false) return null;
  const creditOf = (tree: RecordedTree): Credit => {
    const trained = inputs.trees.map((entry, index) => (index === at ? { ...asked, tree } : entry));
    return assignCredit(trained, config)[at];
  };
  const own = creditOf(asked.tree);
  const row = hasTurnNumbers(own) ? null : rowThrough(asked.tree, node, wanted);
  const advantageOf = (tree: RecordedTree, credit: Credit): number =>
    row === null ? credit.advantages.byNode[node] : meanInRow(tree, credit, node, row);
  const advantage = advantageOf(asked.tree, own);
  const leaves = asked.tree.leaves.map((leaf): LeafInfluence => {
    const rest = withoutLeaf(asked.tree, leaf);
    const reward = asked.rewards[leaf] ?? 0;
    if (rest.nodes[node].pruned || leaf === row) return { leaf, reward, without: null, influence: null };
    const without = advantageOf(rest, creditOf(rest));
    return { leaf, reward, without, influence: advantage - without };
  });
  return { node, row, advantage, leaves: sorted(leaves) };
}
