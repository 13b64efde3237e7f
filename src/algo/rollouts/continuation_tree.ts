/**
 * Tree-GRPO: M small trees per prompt. Each starts as a chain; random turns of it are continued once more, after the
 * turn's own tool result, where AT²PO samples the turn itself again.
 *
 * A record's score is the number of picks that a node can expect in the iteration.
 * @see arXiv:2509.21240 Sec. 3.1; released code generation_ts.py, tree_node.py; algorithms' spec, baselines 7
 */
import {
  ROOT,
  type ExpansionRecord,
  type NodeId,
  type RandomKey,
  type RolloutConfig,
  type SampledNode,
} from '../../units.ts';
import { keyedRandom, STREAMS } from '../random.ts';
import type { TreeBuilder } from '../tree/tree_builder.ts';
import { breadthFirst, isLeaf, leavesBelow, type TreeNodes } from '../tree/tree.ts';
import {
  announceRows,
  checkSizes,
  complete,
  follow,
  startTrees,
  trimLeaves,
  type Forest,
  type Growing,
} from './growing.ts';
import { range, recordChoice, type GrowRollout, type RolloutRule } from './shape.ts';

/** A pick, and the prompt's tree it belongs to: the root is shared by all of them. */
interface Pick {
  readonly node: NodeId;
  readonly index: number;
}

/** What tree `index` may continue after: the root and its turns that called a tool, breadth-first. */
const continuable = (tree: TreeNodes, index: number): readonly NodeId[] =>
  breadthFirst(tree).filter(
    (id) => !isLeaf(tree.nodes[id]) && (id === ROOT || tree.nodes[id].tree === index),
  );

/** N draws for each of the M trees, uniform and with replacement. */
function drawPicks<State>(
  tree: TreeBuilder<State>,
  { initialBranches, picks }: RolloutConfig,
  iteration: number,
  key: RandomKey,
): readonly Pick[] {
  return range(initialBranches).flatMap((index) => {
    const nodes = continuable(tree, index);
    const random = keyedRandom(key, STREAMS.expansion, tree.prompt.index, iteration, index);
    return range(picks).map(() => ({ node: nodes[random.integer(nodes.length)], index }));
  });
}

function recordPicks(
  tree: TreeNodes<SampledNode>,
  { initialBranches, picks }: RolloutConfig,
  iteration: number,
  drawn: readonly Pick[],
): ExpansionRecord {
  const expected = new Map<NodeId, number>(breadthFirst(tree).map((id) => [id, 0]));
  for (const index of range(initialBranches)) {
    const nodes = continuable(tree, index);
    nodes.forEach((id) => expected.set(id, (expected.get(id) ?? 0) + picks / nodes.length));
  }
  const choices = [...expected]
    .filter(([id]) => !isLeaf(tree.nodes[id]))
    .map(([node, score]) => ({ node, score }));
  return recordChoice(
    tree,
    iteration,
    choices,
    drawn.map(({ node }) => node),
  );
}

function continueAfter<State>(
  tree: TreeBuilder<State>,
  iteration: number,
  drawn: readonly Pick[],
  forest: Forest<State>,
): readonly Growing<State>[] {
  return drawn.flatMap(({ node, index }, pick) =>
    follow({ tree, node: tree.nodes[node] }, forest, { kind: 'branch', iteration, pick }, index),
  );
}

/** Every tree keeps its share of the rows; the first ones one more where it does not divide. */
function keepRows<State>(
  tree: TreeBuilder<State>,
  { initialBranches, leavesPerTree }: RolloutConfig,
  key: RandomKey,
  forest: Forest<State>,
): void {
  for (const index of range(initialBranches)) {
    const leaves = leavesBelow(tree).filter((leaf) => tree.nodes[leaf].tree === index);
    const share =
      Math.floor(leavesPerTree / initialBranches) + (index < leavesPerTree % initialBranches ? 1 : 0);
    trimLeaves(tree, leaves, share, keyedRandom(key, STREAMS.leaves, tree.prompt.index, index), forest);
  }
  announceRows(tree, forest);
}

const grow: GrowRollout = async (policy, env, prompts, config, key, observer = {}) => {
  checkSizes({ M: config.initialBranches, S: config.leavesPerTree });
  const forest = { policy, env, observer };
  const trees = startTrees(prompts, forest);
  await complete(
    trees.flatMap((tree) =>
      range(config.initialBranches).map((index) => ({ tree, node: tree.plant(index, index) })),
    ),
    forest,
  );
  for (const iteration of range(config.iterations)) {
    const fresh = trees.flatMap((tree) => {
      const drawn = drawPicks(tree, config, iteration, key);
      const record = recordPicks(tree, config, iteration, drawn);
      tree.expansions.push(record);
      observer.onExpansion?.(tree.prompt.index, record);
      return continueAfter(tree, iteration, drawn, forest);
    });
    await complete(fresh, forest);
  }
  trees.forEach((tree) => keepRows(tree, config, key, forest));
  return trees.map((tree) => tree.build());
};

export const continuationTree: RolloutRule = {
  title: 'Continued trees',
  description:
    'A few small trees for each question: a chain each, then random turns are continued once more after their tool result.',
  formula: 'M trees of 1 + L·N paths; N turns drawn uniformly, L times; S/M paths of each stay',
  source: 'Tree-GRPO, arXiv:2509.21240 Sec. 3.1; released code',
  confidence: 'high',
  ranking:
    'Score: picks that the turn can expect in the round; every turn of a tree is as likely as any other.',
  settings: ['rollout.leavesPerTree', 'rollout.initialBranches', 'rollout.iterations', 'rollout.picks'],
  grow,
};
