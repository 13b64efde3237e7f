/**
 * TreePS-RAG and DialTree: every open path proposes several turns at once, level by level. Siblings that retrieved much
 * the same are pruned, and so is what the rows have no place for. When a tree has fewer paths than rows it starts
 * again from the question.
 *
 * A record's candidates are the turns of a level that called a tool: penalty = overlap of the result with that of a
 * kept sibling, score = 1 − penalty; the picks go on.
 * @see arXiv:2601.06922 (no code released); arXiv:2510.02286 Sec. 3; algorithms' spec, related 4 and 12
 */
import type { NodeOrigin, RandomKey, RolloutConfig } from '../../units.ts';
import { keyedRandom, STREAMS } from '../random.ts';
import type { GrowingNode, TreeBuilder } from '../tree/tree_builder.ts';
import { leavesBelow } from '../tree/tree.ts';
import {
  checkSizes,
  chooseRows,
  follow,
  playRound,
  startTrees,
  type Forest,
  type Growing,
} from './growing.ts';
import { overlap, range, recordChoice, type GrowRollout, type RolloutRule } from './shape.ts';

/** A tree and the turns whose results wait to be read. */
interface Front<State> {
  readonly tree: TreeBuilder<State>;
  readonly open: readonly GrowingNode<State>[];
  readonly level: number; // of the turns that come next; 0 is the first
}

const startAgain = <State>(tree: TreeBuilder<State>): Front<State> => ({ tree, open: [tree.root], level: 0 });

/** How a proposed turn came to be: the first one goes on, the others branch off. */
function originOf<State>({ tree, level }: Front<State>, proposal: number): NodeOrigin {
  if (level === 0) return { kind: 'initial', branch: tree.root.children.length };
  if (proposal === 0) return { kind: 'continuation' };
  return { kind: 'branch', iteration: tree.expansions.length - 1, pick: proposal - 1 };
}

/** M first turns, then `width` of every open path down to the last level; below it paths go on alone. */
function propose<State>(
  front: Front<State>,
  { initialBranches, leavesPerTree, width, levels }: RolloutConfig,
  forest: Forest<State>,
): readonly Growing<State>[] {
  const { tree, open, level } = front;
  const first = Math.min(initialBranches, leavesPerTree - leavesBelow(tree).length);
  const count = level === 0 ? first : level < levels ? width : 1;
  return open.flatMap((node) =>
    range(count).flatMap((proposal) => follow({ tree, node }, forest, originOf(front, proposal))),
  );
}

/** Samples whole turns; returns those that called a tool. */
async function playTurns<State>(
  turns: readonly Growing<State>[],
  forest: Forest<State>,
): Promise<ReadonlySet<GrowingNode<State>>> {
  const opened = new Set<GrowingNode<State>>();
  let active = turns;
  while (active.length > 0) {
    active = await playRound(active, forest, (path, outcome) => {
      if (outcome === 'opened') opened.add(path.node);
      return outcome === 'going' ? [path] : [];
    });
  }
  return opened;
}

interface Candidate<State> {
  readonly node: GrowingNode<State>;
  readonly penalty: number; // largest overlap with a kept sibling, in [0, 1]
}

/** Siblings in order; one is dropped when its result overlaps a kept one's by more than `similarity`. */
function dropRepeats<State>(
  opened: readonly GrowingNode<State>[],
  similarity: number,
): { readonly candidates: readonly Candidate<State>[]; readonly kept: readonly GrowingNode<State>[] } {
  const kept: GrowingNode<State>[] = [];
  const candidates = opened.map((node) => {
    const overlaps = kept
      .filter(({ parent }) => parent === node.parent)
      .map((sibling) => overlap(new Set(sibling.opening?.tokens), new Set(node.opening?.tokens)));
    const penalty = Math.max(0, ...overlaps);
    if (penalty <= similarity) kept.push(node);
    return { node, penalty };
  });
  return { candidates, kept };
}

/** Prunes repeats and what exceeds the rows; returns the paths that go on. */
function thin<State>(
  { tree, level }: Front<State>,
  opened: readonly GrowingNode<State>[],
  { similarity, leavesPerTree }: RolloutConfig,
  key: RandomKey,
  { observer }: Forest<State>,
): readonly GrowingNode<State>[] {
  const { candidates, kept } = dropRepeats(opened, similarity);
  const places = Math.max(1, leavesPerTree - leavesBelow(tree).length); // each open path becomes a leaf at least
  const random = keyedRandom(key, STREAMS.expansion, tree.prompt.index, level, tree.expansions.length);
  const staying = new Set(random.shuffle(kept).slice(0, places));
  const open = kept.filter((node) => staying.has(node));
  const choices = candidates.map(({ node, penalty }) => ({ node: node.id, penalty, score: 1 - penalty }));
  const picks = open.map(({ id }) => id);
  const record = recordChoice(tree, tree.expansions.length, choices, picks);
  for (const { node } of candidates) if (!staying.has(node)) tree.prune(node.id);
  tree.expansions.push(record);
  observer.onExpansion?.(tree.prompt.index, record);
  return open;
}

/** What grows next; null when the tree has its rows. */
function nextFront<State>(front: Front<State>, { leavesPerTree }: RolloutConfig): Front<State> | null {
  const { tree, open } = front;
  if (open.length > 0) return front;
  return leavesBelow(tree).length < leavesPerTree ? startAgain(tree) : null;
}

const grow: GrowRollout = async (policy, env, prompts, config, key, observer = {}) => {
  const { leavesPerTree, initialBranches, width } = config;
  checkSizes({ S: leavesPerTree, M: initialBranches, width });
  const forest = { policy, env, observer };
  const trees = startTrees(prompts, forest);
  let fronts = trees.map((tree) => startAgain(tree));
  while (fronts.length > 0) {
    const opened = await playTurns(
      fronts.flatMap((front) => propose(front, config, forest)),
      forest,
    );
    fronts = fronts.flatMap((front) => {
      const called = front.tree.nodes.filter((node) => opened.has(node));
      const open = called.length === 0 ? [] : thin(front, called, config, key, forest);
      return nextFront({ tree: front.tree, open, level: front.level + 1 }, config) ?? [];
    });
  }
  trees.forEach((tree) => chooseRows(tree, leavesPerTree, key, forest));
  return trees.map((tree) => tree.build());
};

export const levelTree: RolloutRule = {
  title: 'Level by level',
  description:
    'Every open path proposes several turns at once; siblings that retrieved much the same are pruned, and a random part of the rest stays.',
  formula:
    'M first turns, then n per open path; a sibling is pruned if the overlap of results > similarity; at most S paths',
  source: 'TreePS-RAG, arXiv:2601.06922; DialTree, arXiv:2510.02286',
  confidence: 'medium',
  ranking:
    'Penalty: overlap of the turn’s result with that of a sibling that stays. Score: 1 less the penalty.',
  settings: [
    'rollout.leavesPerTree',
    'rollout.initialBranches',
    'rollout.width',
    'rollout.levels',
    'rollout.similarity',
  ],
  grow,
};
