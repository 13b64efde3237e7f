/** Rows as the rules see them: root-to-leaf paths cut into turns, and advantages put together from rows. */
import type { NodeId, RecordedTree } from '../../units.ts';
import { creditStep, leafEntry, type CreditStep, type CreditStepKind, type Sum } from '../credit/trace.ts';
import { childrenFirst, leavesBelow, lengthTo, rowSpans } from '../tree/tree.ts';
import type { CreditTree, TurnAdvantages } from './method.ts';

/** A node of the path in which the policy sampled. */
export interface RowTurn {
  readonly node: NodeId;
  readonly parent: NodeId; // where the turn starts from
  readonly start: number; // response positions of the node's tokens, observation included
  readonly end: number; // exclusive
  readonly sampled: readonly number[]; // positions of its sampled tokens, ascending
}

export interface Row {
  readonly leaf: NodeId;
  readonly reward: number;
  readonly turns: readonly RowTurn[];
  readonly length: number; // response tokens, not cut
  readonly sampledCount: number;
}

function rowOf(tree: RecordedTree, leaf: NodeId, reward: number): Row {
  const turns = rowSpans(tree, leaf).flatMap(({ node, start, end }): readonly RowTurn[] => {
    const { mask, parent } = tree.nodes[node];
    const sampled = mask.flatMap((bit, place) => (bit === 0 ? [] : [start + place]));
    return parent === null || sampled.length === 0 ? [] : [{ node, parent, start, end, sampled }];
  });
  const sampledCount = turns.reduce((sum, turn) => sum + turn.sampled.length, 0);
  return { leaf, reward, turns, length: lengthTo(tree, leaf), sampledCount };
}

/**
 * Rows in leaf order, copies of a leaf included. Paths are not cut at the response limit.
 * @throws MissingRewardError naming the leaf
 */
export const rowsOf = ({ tree, rewards }: Pick<CreditTree, 'tree' | 'rewards'>): readonly Row[] =>
  tree.leaves.map((leaf) => rowOf(tree, leaf, leafEntry(tree, rewards, leaf)));

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** By node the mean of its entries, 0 where there is none. */
function means(tree: RecordedTree, entries: Iterable<readonly [NodeId, number]>): readonly number[] {
  const byNode = tree.nodes.map((): number[] => []);
  for (const [node, value] of entries) byNode[node].push(value);
  return byNode.map(mean);
}

/** Every token of a row gets the row's number. */
export function wholeRows(
  tree: RecordedTree,
  rows: readonly Row[],
  numbers: readonly number[],
  trace: readonly CreditStep[],
): TurnAdvantages {
  const byLeaf: (number | null)[] = tree.nodes.map(() => null);
  rows.forEach(({ leaf }, row) => (byLeaf[leaf] = numbers[row]));
  const byNode = tree.nodes.map(() => 0);
  for (const id of childrenFirst(tree))
    byNode[id] = mean(leavesBelow(tree, id).map((leaf) => leafEntry(tree, byLeaf, leaf)));
  return { byNode, byLeaf, byToken: null, gain: null, trace };
}

/** As wholeRows, from one sum per row. */
export function explainedRows(
  tree: RecordedTree,
  kind: CreditStepKind,
  rows: readonly Row[],
  sums: readonly Sum[],
  parts: readonly CreditStep[] = [],
): TurnAdvantages {
  const steps = rows.map(({ leaf }, row) => creditStep(tree, kind, leaf, sums[row]));
  return wholeRows(
    tree,
    rows,
    steps.map(({ result }) => result),
    [...parts, ...steps],
  );
}

/** By leaf and response token the number of the token's turn; 0 outside turns. */
export function spreadOverTurns(
  tree: RecordedTree,
  rows: readonly Row[],
  numbers: readonly (readonly number[])[], // by row and turn
): readonly (readonly number[] | null)[] {
  const byLeaf: (readonly number[] | null)[] = tree.nodes.map(() => null);
  rows.forEach(({ leaf, length, turns }, row) => {
    const tokens = new Array<number>(length).fill(0);
    turns.forEach(({ start, end }, turn) => tokens.fill(numbers[row][turn], start, end));
    byLeaf[leaf] = tokens;
  });
  return byLeaf;
}

/** Every token of a turn gets the number that the turn has in this row, from one sum per row and turn. */
export function explainedTurns(
  tree: RecordedTree,
  kind: CreditStepKind,
  rows: readonly Row[],
  sums: readonly (readonly Sum[])[], // by row and turn
  parts: readonly CreditStep[] = [],
): TurnAdvantages {
  const steps = rows.map(({ leaf, turns }, row) =>
    turns.map(({ node }, turn) => creditStep(tree, kind, node, sums[row][turn], { leaf })),
  );
  const numbers = steps.map((turns) => turns.map(({ result }) => result));
  const trace = steps.flat();
  return {
    byNode: means(
      tree,
      trace.map(({ node, result }) => [node, result]),
    ),
    byLeaf: null,
    byToken: spreadOverTurns(tree, rows, numbers),
    gain: null,
    trace: [...parts, ...trace],
  };
}

/** Every token has its own number; the trace says the mean over each turn's sampled tokens. */
export function tokenwise(
  tree: RecordedTree,
  rows: readonly Row[],
  tokens: readonly (readonly number[])[], // by row and response position
  trace: readonly CreditStep[],
): TurnAdvantages {
  const byToken: (readonly number[] | null)[] = tree.nodes.map(() => null);
  rows.forEach(({ leaf }, row) => (byToken[leaf] = tokens[row]));
  const entries = rows.flatMap(({ turns }, row) =>
    turns.map(({ node, sampled }) => [node, mean(sampled.map((at) => tokens[row][at]))] as const),
  );
  return { byNode: means(tree, entries), byLeaf: null, byToken, gain: null, trace };
}
