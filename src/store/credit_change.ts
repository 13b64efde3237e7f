/** What a what-if changes: values, advantages and tokens before and after. Pure. */
import type { Credit } from '../algo/credit.ts';
import { NO_PUSH } from './compare.ts';
import { rowTurns } from './credit_steps.ts';
import type { NodeId, NodeTable, RolloutTree } from '../units.ts';

export interface Change {
  readonly before: number; // dimensionless
  readonly after: number;
}

export interface NodeChange {
  readonly node: NodeId;
  readonly value: Change;
  readonly advantage: Change; // mean over rows, where rows of a turn differ
  readonly valueChanged: boolean;
  readonly advantageChanged: boolean;
}

export interface CreditChange {
  readonly nodes: readonly NodeChange[]; // in order of creation; those with a change only
  readonly values: number; // changed
  readonly advantages: number; // changed, of turns (the root's reaches no token)
  readonly tokens: number; // trained-on tokens of all rows whose advantage changed
  readonly rowTokens: number; // trained-on tokens of all rows
}

const differs = ({ before, after }: Change): boolean => Math.abs(after - before) >= NO_PUSH;
const pairAt = (before: NodeTable<number>, after: NodeTable<number>, node: NodeId): Change => ({
  before: before[node],
  after: after[node],
});

function changedTokens(tree: RolloutTree, before: Credit, after: Credit) {
  let [tokens, rowTokens] = [0, 0];
  for (const leaf of tree.leaves) {
    const old = rowTurns(tree, before, leaf);
    rowTurns(tree, after, leaf).forEach((turn, at) => {
      rowTokens += turn.tokenCount;
      const ends = (of: typeof turn): readonly number[] => of.range ?? [of.advantage, of.advantage];
      const moved = ends(turn).some((end, side) => differs({ before: ends(old[at])[side], after: end }));
      if (moved) tokens += turn.tokenCount;
    });
  }
  return { tokens, rowTokens };
}

/** @param before credit of the tree as trained, `after` as asked */
export function creditChange(tree: RolloutTree, before: Credit, after: Credit): CreditChange {
  const nodes = tree.nodes
    .filter(({ pruned }) => !pruned)
    .map(({ id }): NodeChange => {
      const value = pairAt(before.values.byNode, after.values.byNode, id);
      const advantage = pairAt(before.advantages.byNode, after.advantages.byNode, id);
      return {
        node: id,
        value,
        advantage,
        valueChanged: differs(value),
        advantageChanged: differs(advantage) && tree.nodes[id].parent !== null,
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
