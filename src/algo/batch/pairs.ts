/**
 * Preference pairs of sibling turns: at every node with several children the best is compared with the worst. A side of
 * a pair is a row that ends with that turn; only the turn itself is scored, the prefix is shared.
 * @see arXiv:2405.00451; algorithms' spec related 10. Any tree will do, AT²PO's too.
 */
import {
  ROOT,
  type LossReduction,
  type NodeId,
  type NodeTable,
  type RecordedTree,
  type TokenBatch,
} from '../../units.ts';
import { responseLimit, rowTokens } from '../tree/tree.ts';
import { packGroups, type RowParts } from './pack.ts';

export interface SiblingPair {
  readonly parent: NodeId;
  readonly better: NodeId;
  readonly worse: NodeId;
}

/** A mini-batch of pairs; rows 2p and 2p + 1 are the better and the worse side of pair p. */
export interface PairBatch {
  readonly batch: TokenBatch;
  readonly partner: Int32Array<ArrayBuffer>; // [B] as LossExtras.partner
}

/**
 * Best and worst child of every node whose children differ in value, parents first; of equals the first.
 * @param values dimensionless, one per node
 */
export function siblingPairs(tree: RecordedTree, values: NodeTable<number>): readonly SiblingPair[] {
  const pairs: SiblingPair[] = [];
  const waiting: NodeId[] = [ROOT];
  for (let parent = waiting.shift(); parent !== undefined; parent = waiting.shift()) {
    const { children } = tree.nodes[parent];
    waiting.push(...children);
    if (children.length < 2) continue;
    const better = children.reduce((best, child) => (values[child] > values[best] ? child : best));
    const worse = children.reduce((worst, child) => (values[child] < values[worst] ? child : worst));
    if (values[better] > values[worse]) pairs.push({ parent, better, worse });
  }
  return pairs;
}

/** The path to a turn, cut at the response limit; the turn alone is scored, its advantage is its lead in value. */
function sideOf(tree: RecordedTree, side: NodeId, advantage: number, contextLength: number): RowParts {
  const { tokens, mask, spans } = rowTokens(tree, side, contextLength);
  const own = spans.find(({ node }) => node === side) ?? { start: 0, end: 0 };
  const scored = mask.map((bit, place) => (place >= own.start && place < own.end ? bit : 0));
  const index = tree.prompt.index;
  return { prompt: index, leaf: side, tokens, mask: scored, spans, advantage: tokens.map(() => advantage) };
}

const isScored = ({ mask }: RowParts): boolean => mask.includes(1);

/** Both sides of every pair of a tree, better first; a pair of which the limit cut off a whole turn is left out. */
const sidesOf = (tree: RecordedTree, values: NodeTable<number>, contextLength: number): readonly RowParts[] =>
  siblingPairs(tree, values).flatMap(({ better, worse }) => {
    const lead = values[better] - values[worse];
    const sides = [sideOf(tree, better, lead, contextLength), sideOf(tree, worse, -lead, contextLength)];
    return sides.every(isScored) ? sides : [];
  });

/**
 * Packs the pairs of some trees; prefixes are shared within a tree.
 * @param values one table per tree
 * @param selection positions in `trees` that make up the mini-batch
 * @param reduction weight of a pair: the sum of its two rows' token weights, under the default 2/B
 * @returns null where no siblings differ
 */
export function packPairs(
  trees: readonly RecordedTree[],
  values: readonly NodeTable<number>[],
  contextLength: number,
  selection: readonly number[] = trees.map((_, index) => index),
  reduction: LossReduction = 'seq-mean-token-mean',
): PairBatch | null {
  const groups = selection.map((index) => sidesOf(trees[index], values[index], contextLength));
  if (groups.every((rows) => rows.length === 0)) return null;
  const responseLength = Math.max(...trees.map(({ prompt }) => responseLimit(prompt, contextLength)));
  const batch = packGroups(groups, { reduction, responseLength });
  const partner = Int32Array.from(batch.rows, (_, row) => (row % 2 === 0 ? row + 1 : -row));
  return { batch, partner };
}
