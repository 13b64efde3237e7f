/**
 * MCTS: simulations go down the tree by Q + w·p·√N(parent)/(1 + N), give the turn where they leave the searched part
 * `width` continuations, play these to their ends and back up what the paths earned. The paths stay: they are the rows.
 *
 * Q is the mean of the rewards backed up through a node, so that N(parent) = Σ N(child) and Q(parent) = Σ N·Q / Σ N
 * over the children: with no rewards inside a path and γ = 1 this is the backup of the released code.
 *
 * A record's candidates are the nodes that a simulation compared on its way down: score = Q + exploration term,
 * penalty = minus that term; the pick is where it arrived.
 * @see arXiv:2405.00451; released code YuxiXie/MCTS-DPO; algorithms' spec, related 10
 */
import type { NodeId, RandomKey, RolloutConfig, SearchStatistics } from '../../units.ts';
import { keyedRandom, STREAMS } from '../random.ts';
import { trajectoryOf } from '../reward/reward.ts';
import type { GrowingNode, TreeBuilder } from '../tree/tree_builder.ts';
import { isLeaf, leavesBelow, pathTo, responseLimit } from '../tree/tree.ts';
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
import {
  range,
  recordChoice,
  type Choice,
  type GrowRollout,
  type RolloutExtras,
  type RolloutRule,
} from './shape.ts';

/** A tree under search. */
class Search<State> {
  readonly tree: TreeBuilder<State>;
  private readonly config: RolloutConfig;
  private readonly score: (leaf: NodeId) => number;
  private readonly visits: number[] = []; // by NodeId
  private readonly total: number[] = []; // rewards backed up, by NodeId
  private readonly expanded = new Set<NodeId>();

  constructor(tree: TreeBuilder<State>, config: RolloutConfig, score: (leaf: NodeId) => number) {
    this.tree = tree;
    this.config = config;
    this.score = score;
  }

  private statistics(id: NodeId): SearchStatistics {
    const visits = this.visits[id] ?? 0;
    return { visits, quality: visits === 0 ? 0 : this.total[id] / visits };
  }

  /** p is the geometric mean of the child's token probabilities, e^−H. */
  private choiceOf(parent: GrowingNode<State>, id: NodeId): Choice {
    const { visits, quality } = this.statistics(id);
    const prior = Math.exp(-this.tree.nodes[id].turnSurprisal);
    const reach = Math.sqrt(this.statistics(parent.id).visits) / (1 + visits);
    const exploration = this.config.explorationWeight * prior * reach;
    return { node: id, score: quality + exploration, penalty: -exploration };
  }

  /** Goes down to a leaf, or to the first node that has fewer than `width` continuations. Ties go to the older child. */
  private select(): { readonly node: GrowingNode<State>; readonly compared: readonly Choice[] } {
    const { tree, config, expanded } = this;
    const compared: Choice[] = [];
    let node = tree.root;
    while (!isLeaf(node)) {
      if (!expanded.has(node.id)) {
        expanded.add(node.id);
        if (node.children.length < config.width) break; // one of them may be there from an earlier path
      }
      const parent = node;
      const choices = parent.children.map((child) => this.choiceOf(parent, child));
      compared.push(...choices);
      node = tree.nodes[choices.reduce((best, choice) => (choice.score > best.score ? choice : best)).node];
    }
    return { node, compared };
  }

  /** One simulation down to where paths have to be played; a leaf is scored again at once. */
  descend(simulation: number, forest: Forest<State>): readonly Growing<State>[] {
    const { tree, config } = this;
    const { node, compared } = this.select();
    const choices = compared.length > 0 ? compared : [{ node: node.id, score: 0 }];
    const record = recordChoice(tree, simulation, choices, [node.id]);
    tree.expansions.push(record);
    forest.observer.onExpansion?.(tree.prompt.index, record);
    if (isLeaf(node)) {
      this.backUp(node.id);
      return [];
    }
    const missing = config.width - node.children.length;
    return range(missing).flatMap((pick) => {
      const isFirst = node.parent === null;
      const origin = isFirst
        ? ({ kind: 'initial', branch: pick } as const)
        : ({ kind: 'branch', iteration: simulation, pick } as const);
      return follow({ tree, node }, forest, origin);
    });
  }

  /** Adds a leaf's reward to every node of its path. */
  backUp(leaf: NodeId): void {
    const reward = this.score(leaf);
    for (const id of pathTo(this.tree, leaf)) {
      this.visits[id] = (this.visits[id] ?? 0) + 1;
      this.total[id] = (this.total[id] ?? 0) + reward;
    }
  }

  table(): readonly SearchStatistics[] {
    return this.tree.nodes.map(({ id }) => this.statistics(id));
  }

  finish(key: RandomKey, forest: Forest<State>) {
    const { tree, config } = this;
    const random = keyedRandom(key, STREAMS.leaves, tree.prompt.index);
    trimLeaves(tree, leavesBelow(tree), config.leavesPerTree, random, forest);
    const table = this.table();
    announceRows(tree, forest, table);
    return tree.build(table);
  }
}

/** The environment's reward of a path, where no other scorer is given. */
function scorerOf<State>(
  tree: TreeBuilder<State>,
  { env }: Forest<State>,
  { score }: RolloutExtras,
): (leaf: NodeId) => number {
  const { prompt } = tree;
  const limit = responseLimit(prompt, env.contextLength);
  return (leaf) => score?.(tree, leaf, prompt) ?? env.reward(prompt, trajectoryOf(tree, leaf, limit));
}

const grow: GrowRollout = async (policy, env, prompts, config, key, observer = {}, extras = {}) => {
  const { leavesPerTree, iterations, width } = config;
  checkSizes({ S: leavesPerTree, simulations: iterations, width });
  const forest = { policy, env, observer };
  const searches = startTrees(prompts, forest).map(
    (tree) => new Search(tree, config, scorerOf(tree, forest, extras)),
  );
  for (const simulation of range(iterations)) {
    const known = searches.map(({ tree }) => tree.nodes.length);
    await complete(
      searches.flatMap((search) => search.descend(simulation, forest)),
      forest,
    );
    searches.forEach((search, index) => {
      const fresh = search.tree.nodes.slice(known[index]).filter(isLeaf);
      for (const { id } of fresh) search.backUp(id);
    });
  }
  return searches.map((search) => search.finish(key, forest));
};

export const searchTree: RolloutRule = {
  title: 'Search tree (MCTS)',
  description:
    'Simulations follow high rewards and likely, little-tried turns down the tree, add continuations there and back up what they earn.',
  formula:
    'next = argmax Q + w·p·√N(parent)/(1 + N); n continuations per visited turn; Q = mean reward of the paths through it',
  source: 'arXiv:2405.00451; released code MCTS-DPO',
  confidence: 'medium',
  ranking:
    'Score: mean reward Q plus the exploration term, shown as a negative penalty. The pick is where the simulation arrived.',
  settings: ['rollout.leavesPerTree', 'rollout.iterations', 'rollout.width', 'rollout.explorationWeight'],
  grow,
};
