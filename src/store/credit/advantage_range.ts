/**
 * What a turn is trained with: a rule of turns gives it one number, any other rule one per row or per token, of which the
 * least and the greatest are told. Never their mean: it may have the sign that no token is trained with. Pure.
 */
import { advantageInRow, type Credit } from '../../algo/credit/credit.ts';
import { rowSpans } from '../../algo/tree/tree.ts';
import { ROOT, type CreditConfig, type NodeId, type NodeTable, type RecordedTree } from '../../units.ts';
import { OWN_CREDIT, isAvailable, recredit } from './credit.ts';
import { rolloutTree } from '../record/reading.ts';
import type { TreeState } from '../record/run_state.ts';

/** Least and greatest, dimensionless; equal where there is one number. */
export type AdvantageRange = readonly [least: number, greatest: number];

/** Null: nothing of the node is trained on, as of the root. */
export type AdvantageRanges = NodeTable<AdvantageRange | null>;

export const widen = (range: AdvantageRange | null, by: AdvantageRange): AdvantageRange =>
  range ? [Math.min(range[0], by[0]), Math.max(range[1], by[1])] : by;

export const rangeOf = (values: readonly number[]): AdvantageRange | null =>
  values.reduce<AdvantageRange | null>((range, value) => widen(range, [value, value]), null);

/** Whether the rule in force has one number per turn. */
export const hasTurnNumbers = ({ advantages }: Credit): boolean =>
  advantages.byLeaf === null && advantages.byToken === null;

const ofTurns = ({ nodes }: Pick<RecordedTree, 'nodes'>, table: NodeTable<number | null>): AdvantageRanges =>
  nodes.map(({ id, pruned }) => {
    const one = table[id];
    return id === ROOT || pruned || one === null ? null : [one, one];
  });

/** Of a turn in one row, over its sampled tokens. @param start place of the node's first token in the response */
export const rangeInRow = (
  { advantages }: Credit,
  mask: readonly number[],
  node: NodeId,
  leaf: NodeId,
  start: number,
): AdvantageRange | null =>
  rangeOf(
    mask.flatMap((bit, place) => (bit === 0 ? [] : [advantageInRow(advantages, node, leaf, start + place)])),
  );

/** By node, over all rows through it. */
export function advantageRanges(tree: RecordedTree, credit: Credit): AdvantageRanges {
  if (hasTurnNumbers(credit)) return ofTurns(tree, credit.advantages.byNode);
  const ranges: (AdvantageRange | null)[] = tree.nodes.map(() => null);
  for (const leaf of tree.leaves)
    for (const { node: id, start } of rowSpans(tree, leaf)) {
      const range = rangeInRow(credit, tree.nodes[id].mask, id, leaf, start);
      if (range) ranges[id] = widen(ranges[id], range);
    }
  return ranges;
}

/** What turns are worth. */
export interface TreeWorth {
  readonly values: NodeTable<number> | null;
  readonly advantages: AdvantageRanges | null;
}

/**
 * Values and advantages of a tree as they were trained with. Of a record without a recipe: those that its file says, and what
 * it does not say as it is computed here.
 * @param own the rules that trained it, or those in force
 * @param isTrained whether the record has a recipe: what is not logged yet is not computed ahead
 * @see trainedAdvantages for `trees`
 */
export function worthOf(
  state: TreeState,
  own: CreditConfig,
  trees: readonly TreeState[],
  isTrained: boolean,
): TreeWorth {
  if (isTrained)
    return { values: state.credit?.values ?? null, advantages: trainedAdvantages(state, own, trees) };
  const tree = rolloutTree(state);
  const credit = recredit(state, own, OWN_CREDIT, trees.includes(state) ? trees : [state]);
  const said = state.credit;
  return {
    values: said?.values ?? credit?.values.byNode ?? null,
    advantages: tree && (said ? ofTurns(tree, said.advantages) : credit && advantageRanges(tree, credit)),
  };
}

/**
 * What the turns of a tree were trained with. The log holds one number per node; where the rule has more, they are
 * computed again.
 * @param own the rules that trained it
 * @param trees the update's; of them the one that asks the tree's question gives way to it, as to its copy by hand
 * @returns null before the tree has credit, and where the rule reads what the log does not hold
 */
export function trainedAdvantages(
  state: TreeState,
  own: CreditConfig,
  trees: readonly TreeState[],
): AdvantageRanges | null {
  const tree = rolloutTree(state);
  if (!tree || !state.credit || !isAvailable(own.advantageRule, own, state)) return null;
  const beside = trees.map((other) => (other.prompt.index === state.prompt.index ? state : other));
  const credit = recredit(state, own, OWN_CREDIT, beside.includes(state) ? beside : [state]);
  if (!credit) return null;
  return hasTurnNumbers(credit) ? ofTurns(tree, state.credit.advantages) : advantageRanges(tree, credit);
}
