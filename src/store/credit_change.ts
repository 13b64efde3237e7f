/** What a what-if changes: values, advantages and tokens before and after. Pure. */
import type { Credit } from '../algo/credit.ts';
import { advantageRanges, type AdvantageRange } from './advantage_range.ts';
import { NO_PUSH } from './compare.ts';
import { rowTurns } from './credit_steps.ts';
import type { NodeId, NodeTable, RolloutTree } from '../units.ts';

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

function changedTokens(tree: RolloutTree, before: Credit, after: Credit) {
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
export function creditChange(tree: RolloutTree, before: Credit, after: Credit): CreditChange {
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
