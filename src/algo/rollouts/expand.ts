/**
 * Which turns to re-sample: score the non-leaf nodes, rank them, pick K.
 * @see arXiv:2601.04767 Sec. 4.2, Algorithm 1; released code sample_expansion_nodes
 */
import {
  ROOT,
  type ExpansionCandidate,
  type ExpansionRecord,
  type NodeId,
  type RandomKey,
  type RolloutConfig,
  type SampledNode,
} from '../../units.ts';
import { keyedRandom, STREAMS, type KeyedRandom } from '../random.ts';
import { breadthFirst, isLeaf, type TreeNodes } from '../tree/tree.ts';

/**
 * What the penalty counts. 'code': the other children of the node's parent, max(0, children − 1); for the root
 * its own children − 1. 'paper': all children of the parent (for the root, which has none, its own). The two rank
 * non-root nodes alike.
 */
export type PenaltyRule = 'code' | 'paper';

/** A candidate before the picks are known. */
type ScoredCandidate = Omit<ExpansionCandidate, 'pickCount'>;

/**
 * score(n) = H_n − α · siblings(n); rank by score, descending, ties in the given order.
 * @param siblingPenalty α, nats per sibling
 */
export function scoreBySiblings(
  counted: readonly Pick<ExpansionCandidate, 'node' | 'turnSurprisal' | 'siblingCount'>[],
  siblingPenalty: number,
): readonly ScoredCandidate[] {
  const scored = counted.map(({ node, turnSurprisal, siblingCount }) => {
    const penalty = siblingPenalty * siblingCount;
    return { node, turnSurprisal, siblingCount, penalty, score: turnSurprisal - penalty };
  });
  const rankOf = new Map(scored.toSorted((a, b) => b.score - a.score).map(({ node }, rank) => [node, rank])); // stable
  return scored.map((candidate) => ({ ...candidate, rank: rankOf.get(candidate.node) ?? 0 }));
}

/** Every non-leaf node, scored, in breadth-first order. */
export function scoreCandidates(
  tree: TreeNodes<SampledNode>,
  siblingPenalty: number,
  rule: PenaltyRule = 'code',
): readonly ScoredCandidate[] {
  const counted = breadthFirst(tree)
    .filter((id) => !isLeaf(tree.nodes[id]))
    .map((id) => {
      const { parent, turnSurprisal } = tree.nodes[id];
      const children = tree.nodes[parent ?? ROOT].children.length;
      return {
        node: id,
        turnSurprisal,
        siblingCount: rule === 'code' ? Math.max(0, children - 1) : children,
      };
    });
  return scoreBySiblings(counted, siblingPenalty);
}

/** The first `count` of the ranking, which is repeated from its start when it is shorter. */
export function cyclicPicks(candidates: readonly ScoredCandidate[], count: number): readonly NodeId[] {
  const ranking = candidates.toSorted((a, b) => a.rank - b.rank).map(({ node }) => node);
  if (ranking.length === 0) return [];
  return Array.from({ length: count }, (_, pick) => ranking[pick % ranking.length]);
}

/** `count` candidates without replacement; with replacement when there are fewer. */
export function randomPicks(
  candidates: readonly ScoredCandidate[],
  count: number,
  random: KeyedRandom,
): readonly NodeId[] {
  const nodes = candidates.map(({ node }) => node);
  if (nodes.length === 0) return [];
  if (nodes.length >= count) return random.shuffle(nodes).slice(0, count);
  return Array.from({ length: count }, () => nodes[random.integer(nodes.length)]);
}

/**
 * One iteration's candidates and picks. All picks use the same scores: nothing is re-scored in between.
 * @param prompt names the tree in the random numbers of the random mode
 */
export function chooseExpansions(
  tree: TreeNodes<SampledNode>,
  config: RolloutConfig,
  iteration: number,
  key: RandomKey,
  prompt: number,
  rule: PenaltyRule = 'code',
): ExpansionRecord {
  const scored = scoreCandidates(tree, config.siblingPenalty, rule);
  const picks =
    config.expansion === 'entropy'
      ? cyclicPicks(scored, config.picks)
      : randomPicks(scored, config.picks, keyedRandom(key, STREAMS.expansion, prompt, iteration));
  const candidates = scored.map((candidate) => ({
    ...candidate,
    pickCount: picks.filter((node) => node === candidate.node).length,
  }));
  return { iteration, candidates, picks };
}
