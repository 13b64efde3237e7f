/** Advantages: what a turn is trained with, from the values around it. */
import { ROOT } from '../units.ts';
import type { AdvantageRule, NodeId, NodeTable, RolloutTree } from '../units.ts';
import { groupStatistics } from './advantages.ts';
import { standardise } from './normalise.ts';
import { leafEntry, sumTerms } from './trace.ts';
import type { CreditStep, CreditTerm } from './trace.ts';
import { childrenFirst, leavesBelow } from './tree.ts';

export interface TurnAdvantages {
  /**
   * By node, dimensionless; 0 for pruned nodes. The root's reaches no token. Under 'vanilla' a turn has one
   * advantage per row; here stands their mean over the rows through the node, for display.
   */
  readonly byNode: NodeTable<number>;
  /** Under 'vanilla': the advantage of each leaf's whole row, null elsewhere. Other rules: null. */
  readonly byLeaf: NodeTable<number | null> | null;
  readonly trace: readonly CreditStep[]; // children before parents; under 'vanilla' one step per row
}

/** The advantage of a node's tokens in the row of a leaf. */
export const advantageInRow = (advantages: TurnAdvantages, node: NodeId, leaf: NodeId): number =>
  advantages.byLeaf?.[leaf] ?? advantages.byNode[node];

function termsOf(
  id: NodeId,
  parent: NodeId | null,
  values: NodeTable<number>,
  rule: Exclude<AdvantageRule, 'vanilla'>,
): readonly CreditTerm[] {
  const term = (node: NodeId, weight: number): CreditTerm => ({ node, weight, value: values[node] });
  if (parent === null) return [term(id, 1)];
  switch (rule) {
    case 'node_value':
      return [term(id, 1)];
    case 'diff_parent':
      return [term(id, 1), term(parent, -1)];
    case 'diff_global':
      return [term(id, 1), term(ROOT, -1)];
    case 'diff_localglobal':
      return [term(id, 1), term(ROOT, -1), term(id, 1), term(parent, -1)];
  }
  return rule satisfies never;
}

/** GRPO over the rows of the tree: no tree credit, every token of a row gets the same number. */
function vanillaAdvantages(tree: RolloutTree, rewards: NodeTable<number | null>): TurnAdvantages {
  const statistics = groupStatistics(tree.leaves.map((leaf) => leafEntry(tree, rewards, leaf)));
  const byLeaf: (number | null)[] = tree.nodes.map(() => null);
  const trace = tree.leaves.map((leaf): CreditStep => {
    const value = leafEntry(tree, rewards, leaf);
    const result = standardise(value, statistics);
    byLeaf[leaf] = result;
    const terms = [{ node: leaf, weight: 1, value }];
    return { kind: 'vanilla', node: leaf, parent: tree.nodes[leaf].parent, terms, statistics, result };
  });
  const byNode = tree.nodes.map(() => 0);
  for (const id of childrenFirst(tree)) {
    const rows = leavesBelow(tree, id).map((leaf) => leafEntry(tree, byLeaf, leaf));
    byNode[id] = rows.length === 0 ? 0 : rows.reduce((sum, advantage) => sum + advantage, 0) / rows.length;
  }
  return { byNode, byLeaf, trace };
}

/**
 * Advantages of one tree. With parent p and root ρ: node_value V_n; diff_parent V_n − V_p; diff_global V_n − V_ρ;
 * diff_localglobal their sum; the root always V_ρ. 'vanilla' ignores the values and uses the raw rewards.
 * @param values by node, from backUpValues
 * @param rewards by leaf, not normalised; read by 'vanilla' only
 * @throws MissingRewardError naming the leaf ('vanilla')
 * @see arXiv:2601.04767 Sec. 4.3, Table 3; released code node_adv_mode
 */
export function turnAdvantages(
  tree: RolloutTree,
  values: NodeTable<number>,
  rewards: NodeTable<number | null>,
  rule: AdvantageRule,
): TurnAdvantages {
  if (rule === 'vanilla') return vanillaAdvantages(tree, rewards);
  const byNode = tree.nodes.map(() => 0);
  const trace = childrenFirst(tree).map((id): CreditStep => {
    const { parent } = tree.nodes[id];
    const terms = termsOf(id, parent, values, rule);
    const result = sumTerms(terms);
    byNode[id] = result;
    return { kind: rule, node: id, parent, terms, statistics: null, result };
  });
  return { byNode, byLeaf: null, trace };
}
