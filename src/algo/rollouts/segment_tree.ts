/**
 * TreePO: a tree of token segments instead of turns. A path is cut after every `segmentTokens` sampled tokens, also in
 * the middle of a turn, and forks there as long as the rows have a place for it. A path that ended early leaves its
 * place to others; when none is left growing, the free places go to random cuts.
 *
 * Nodes end at cuts and at tool results, so a turn may span several. A record's candidates are the cuts of a round, all
 * with score 1; the picks fork, once for each time they stand there.
 * @see arXiv:2508.17445; released repository; algorithms' spec, related 6
 */
import type { Environment, NodeOrigin, RandomKey, RolloutConfig } from '../../units.ts';
import { keyedRandom, STREAMS } from '../random.ts';
import type { GrowingNode, TreeBuilder } from '../tree/tree_builder.ts';
import { leavesBelow } from '../tree/tree.ts';
import {
  checkSizes,
  chooseRows,
  close,
  follow,
  goOn,
  playRound,
  startTrees,
  type Forest,
  type Growing,
  type Outcome,
} from './growing.ts';
import { range, recordChoice, type GrowRollout, type RolloutRule } from './shape.ts';

/** A path inside a segment. */
interface Segment<State> extends Growing<State> {
  readonly level: number; // 1 is the first
  readonly left: number; // tokens to sample until its end
}

/** The end of a segment: the node there was opened or cut. */
interface Cut<State> {
  readonly tree: TreeBuilder<State>;
  readonly node: GrowingNode<State>;
  readonly level: number; // of the segment that ends; 0 at the root
}

/** One call to grow segment trees. */
class SegmentGrowth<State> {
  private readonly cuts: Cut<State>[] = []; // all so far
  private readonly forest: Forest<State>;
  private readonly config: RolloutConfig;
  private readonly key: RandomKey;

  constructor(forest: Forest<State>, config: RolloutConfig, key: RandomKey) {
    this.forest = forest;
    this.config = config;
    this.key = key;
  }

  /** M first segments of every tree. */
  start(trees: readonly TreeBuilder<State>[]): readonly Segment<State>[] {
    const first = Math.min(this.config.initialBranches, this.config.leavesPerTree);
    return trees.flatMap((tree) => {
      const root = { tree, node: tree.root, level: 0 };
      this.cuts.push(root);
      return range(first).flatMap((branch) => this.begin(root, { kind: 'initial', branch }));
    });
  }

  private begin({ tree, node, level }: Cut<State>, origin: NodeOrigin): readonly Segment<State>[] {
    const fresh = { level: level + 1, left: this.config.segmentTokens };
    return follow({ tree, node }, this.forest, origin).map((growing) => ({ ...growing, ...fresh }));
  }

  /** Samples all segments once and cuts those that are full; then forks, and fills the trees that stopped growing. */
  async round(
    active: readonly Segment<State>[],
    trees: readonly TreeBuilder<State>[],
  ): Promise<readonly Segment<State>[]> {
    const { levels } = this.config;
    const full: Cut<State>[] = [];
    const going = await playRound(
      active,
      this.forest,
      (segment, outcome) => {
        const left = segment.left - segment.node.lastGenerationLength;
        if (left <= 0 && outcome !== 'ended' && segment.level < levels) {
          full.push(this.cut(segment, outcome));
          return [];
        }
        return goOn(segment, outcome, this.forest).map((growing) => ({ ...segment, ...growing, left }));
      },
      (segment) => this.tokenLimit(segment, this.forest.env),
    );
    this.cuts.push(...full);
    const forked = trees.flatMap((tree) => this.fork(tree, going, full));
    const growing = [...going, ...forked];
    return [...growing, ...trees.flatMap((tree) => this.fill(tree, growing))];
  }

  /** What is left of the segment, and of the turn, which may have begun in an earlier one. */
  private tokenLimit({ node, level, left }: Segment<State>, env: Environment<State>): number {
    const turn = env.turnTokenLimit - node.unread;
    return level < this.config.levels ? Math.min(left, turn) : turn;
  }

  private cut(segment: Segment<State>, outcome: Outcome): Cut<State> {
    if (outcome === 'going') {
      segment.tree.cut(segment.node);
      close(segment, this.forest);
    }
    return { tree: segment.tree, node: segment.node, level: segment.level };
  }

  /** Every cut goes on; in random order they fork, up to `width` ways each, while there are places. */
  private fork(
    tree: TreeBuilder<State>,
    going: readonly Segment<State>[],
    full: readonly Cut<State>[],
  ): readonly Segment<State>[] {
    const here = full.filter((cut) => cut.tree === tree);
    if (here.length === 0) return [];
    const iteration = tree.expansions.length;
    let places = this.config.leavesPerTree - here.length - this.occupied(tree, going);
    const forks = new Map(here.map((cut) => [cut, 0]));
    for (const cut of this.random(tree).shuffle(here)) {
      const extra = Math.min(this.config.width - 1, places);
      forks.set(cut, extra);
      places -= extra;
    }
    const picks = here.flatMap((cut) => range(forks.get(cut) ?? 0).map(() => cut));
    this.record(tree, here, picks);
    const onward = here.flatMap((cut) => this.begin(cut, { kind: 'continuation' }));
    return [...onward, ...picks.flatMap((cut, pick) => this.begin(cut, { kind: 'branch', iteration, pick }))];
  }

  /** A tree that grows no more and lacks rows goes on after random cuts, the root among them. */
  private fill(tree: TreeBuilder<State>, growing: readonly Segment<State>[]): readonly Segment<State>[] {
    if (growing.some((segment) => segment.tree === tree)) return [];
    const missing = this.config.leavesPerTree - leavesBelow(tree).length;
    if (missing <= 0) return [];
    const cuts = this.cuts.filter((cut) => cut.tree === tree);
    const iteration = tree.expansions.length;
    const random = this.random(tree);
    const picks = range(missing).map(() => cuts[random.integer(cuts.length)]);
    this.record(tree, cuts, picks);
    return picks.flatMap((cut, pick) => this.begin(cut, { kind: 'branch', iteration, pick }));
  }

  private occupied(tree: TreeBuilder<State>, going: readonly Segment<State>[]): number {
    return leavesBelow(tree).length + going.filter((segment) => segment.tree === tree).length;
  }

  private random(tree: TreeBuilder<State>) {
    return keyedRandom(this.key, STREAMS.expansion, tree.prompt.index, tree.expansions.length);
  }

  private record(tree: TreeBuilder<State>, cuts: readonly Cut<State>[], picks: readonly Cut<State>[]): void {
    const choices = cuts.map(({ node }) => ({ node: node.id, score: 1 }));
    const picked = picks.map(({ node }) => node.id);
    const record = recordChoice(tree, tree.expansions.length, choices, picked);
    tree.expansions.push(record);
    this.forest.observer.onExpansion?.(tree.prompt.index, record);
  }
}

const grow: GrowRollout = async (policy, env, prompts, config, key, observer = {}) => {
  const { leavesPerTree, initialBranches, width, segmentTokens } = config;
  checkSizes({ S: leavesPerTree, M: initialBranches, width, segment: segmentTokens });
  const forest = { policy, env, observer };
  const trees = startTrees(prompts, forest);
  const growth = new SegmentGrowth(forest, config, key);
  let active = growth.start(trees);
  while (active.length > 0) active = await growth.round(active, trees);
  trees.forEach((tree) => chooseRows(tree, leavesPerTree, key, forest));
  return trees.map((tree) => tree.build());
};

export const segmentTree: RolloutRule = {
  title: 'Tree of segments',
  description:
    'Paths fork after a fixed number of tokens, wherever that is; places of paths that ended early go to random earlier forks.',
  formula:
    'n ways on after every m tokens down to depth d, at most S paths; then random cuts until there are S',
  source: 'TreePO, arXiv:2508.17445; released code',
  confidence: 'medium',
  ranking: 'Score: 1 for every cut; which of them fork is random.',
  settings: [
    'rollout.leavesPerTree',
    'rollout.initialBranches',
    'rollout.segmentTokens',
    'rollout.width',
    'rollout.levels',
  ],
  grow,
};
