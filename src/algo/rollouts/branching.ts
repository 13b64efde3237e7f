/**
 * ARPO and AEPO: paths that start as chains and branch after tool calls that made the policy uncertain. A branch copies
 * a path with its tool result; prompts that have stopped too early start again. Follows the released code.
 *
 * In a record a candidate is the turn after which a path goes on, score = probability that one draw branches there.
 * H0, the entropy of a path's first own generation, is forgotten after the update; the released code keeps it by row
 * number for ever, so that it later belongs to other prompts.
 * @see arXiv:2507.19849, arXiv:2510.14545; algorithms' spec, baselines 6.1
 */
import type { NodeId, RolloutConfig, RolloutTree } from '../../units.ts';
import { keyedRandom, STREAMS } from '../random.ts';
import type { TreeBuilder } from '../tree/tree_builder.ts';
import { leavesBelow } from '../tree/tree.ts';
import {
  branchProbability,
  dynamicInitialPaths,
  generationEntropy,
  planBranches,
  type ActivePath,
  type BranchConfig,
  type BranchCounts,
  type NewPath,
} from './branch_rule.ts';
import {
  checkSizes,
  chooseRows,
  close,
  goOn,
  playRound,
  roomLeft,
  sample,
  startTrees,
  type Forest,
  type Growing,
} from './growing.ts';
import { range, recordChoice, type Choice, type GrowRollout, type RolloutRule } from './shape.ts';

const PROBE_TOKENS = 50; // of AEPO's first look

/** A path and its place among all paths of the update, in the order they were made. */
interface Path<State> extends Growing<State> {
  readonly index: number;
  readonly prompt: number; // place in the update
}

/** Next uniform number in (0, 1) for the prompt at a place in the update. */
export type Draw = (prompt: number) => number;

/** Grows the trees of one update; see growBranches. */
class BranchingGrowth<State> {
  /** H0 by path. */
  readonly firstEntropy = new Map<number, number>();
  private readonly latestEntropy = new Map<number, number>();
  private readonly forest: Forest<State>;
  private readonly trees: readonly TreeBuilder<State>[];
  private readonly config: RolloutConfig;
  private readonly rule: BranchConfig;
  private made = 0;

  constructor(
    forest: Forest<State>,
    trees: readonly TreeBuilder<State>[],
    config: RolloutConfig,
    othersBranch: boolean,
  ) {
    this.forest = forest;
    this.trees = trees;
    this.config = config;
    this.rule = { ...config, paths: config.leavesPerTree, othersBranch };
  }

  private entropyOf(tokens: readonly number[]): number {
    return generationEntropy(tokens, this.forest.env.vocabulary.length);
  }

  async grow(draw: Draw): Promise<void> {
    const first = await this.firstPaths();
    let counts: BranchCounts = { paths: first, consecutive: first.map(() => 0) };
    let active: readonly Path<State>[] = first.flatMap((count, prompt) =>
      range(count).map(() => this.start(prompt)),
    );
    while (active.length > 0) {
      active = await this.round(active);
      const measured = active.map((path) => ({
        prompt: path.prompt,
        entropyChange: this.entropyChange(path),
      }));
      const plan = planBranches(measured, counts, this.rule, draw);
      const fresh = this.create(active, measured, counts, plan.created);
      counts = plan.counts;
      active = [...active, ...fresh];
    }
  }

  private start(prompt: number): Path<State> {
    const tree = this.trees[prompt];
    const branch = tree.nodes.filter(({ origin }) => origin.kind === 'initial').length;
    return { tree, node: tree.plant(branch), prompt, index: this.made++ };
  }

  private round(active: readonly Path<State>[]): Promise<readonly Path<State>[]> {
    return playRound(active, this.forest, (path, outcome, { entropy }) => {
      const measured = this.entropyOf(entropy);
      this.latestEntropy.set(path.index, measured);
      if (!this.firstEntropy.has(path.index)) this.firstEntropy.set(path.index, measured);
      return goOn(path, outcome, this.forest).map((growing) => ({ ...path, ...growing }));
    });
  }

  private entropyChange({ index }: Path<State>): number {
    return (this.latestEntropy.get(index) ?? 0) - (this.firstEntropy.get(index) ?? 0);
  }

  private create(
    active: readonly Path<State>[],
    measured: readonly ActivePath[],
    counts: BranchCounts,
    created: readonly NewPath[],
  ): readonly Path<State>[] {
    const iterations = this.trees.map((tree) => tree.expansions.length);
    this.trees.forEach((_, prompt) => this.record(prompt, active, measured, counts, created));
    const picks = this.trees.map(() => 0);
    return created.map(({ prompt, source }) => {
      if (source === null) return this.start(prompt);
      const tree = this.trees[prompt];
      const origin = { kind: 'branch', iteration: iterations[prompt], pick: picks[prompt]++ } as const;
      return { tree, node: tree.copy(active[source].node, origin), prompt, index: this.made++ };
    });
  }

  /** Writes down a prompt's choice, if it had one. Of several paths after one turn the likeliest to branch counts. */
  private record(
    prompt: number,
    active: readonly Path<State>[],
    measured: readonly ActivePath[],
    counts: BranchCounts,
    created: readonly NewPath[],
  ): void {
    const tree = this.trees[prompt];
    const turnBefore = ({ node }: Path<State>): NodeId => node.parent ?? node.id;
    const scores = new Map<NodeId, Choice>();
    active.forEach((path, place) => {
      if (path.prompt !== prompt || counts.paths[prompt] >= this.rule.paths) return;
      const { entropyChange } = measured[place];
      const score = branchProbability(this.rule, entropyChange, counts.consecutive[prompt]);
      const node = turnBefore(path);
      if (score > (scores.get(node)?.score ?? -1)) scores.set(node, { node, score });
    });
    if (scores.size === 0) return;
    const picks = created.flatMap((path) =>
      path.prompt === prompt && path.source !== null ? [turnBefore(active[path.source])] : [],
    );
    const record = recordChoice(tree, tree.expansions.length, [...scores.values()], picks);
    tree.expansions.push(record);
    this.forest.observer.onExpansion?.(tree.prompt.index, record);
  }

  /** How many first paths each prompt gets. */
  private async firstPaths(): Promise<readonly number[]> {
    const { leavesPerTree, initialBranches, dynamicInitial } = this.config;
    if (!dynamicInitial) return this.trees.map(() => Math.min(leavesPerTree, initialBranches));
    const root = await this.probe();
    const path = await this.scout();
    return this.trees.map((_, prompt) => dynamicInitialPaths(leavesPerTree, root[prompt], path[prompt]));
  }

  private scouts(): readonly Path<State>[] {
    return this.trees.map((tree, prompt) => ({
      tree,
      node: tree.follow(tree.root, { kind: 'scout' }),
      prompt,
      index: prompt,
    }));
  }

  /** H of a short generation from each prompt, which is thrown away. */
  private async probe(): Promise<readonly number[]> {
    const probes = this.scouts();
    const generations = await sample(probes, this.forest, () => PROBE_TOKENS);
    for (const path of probes) {
      close(path, this.forest);
      path.tree.prune(path.node.id);
    }
    return generations.map(({ entropy }) => this.entropyOf(entropy));
  }

  /**
   * H of every generation of one path from each prompt. The paths are thrown away. As in the released code the budget
   * of a round is that of the longest path, not of the shortest.
   */
  private async scout(): Promise<readonly (readonly number[])[]> {
    const entropies = this.trees.map((): number[] => []);
    let active = this.scouts();
    while (active.length > 0) {
      const budget = Math.min(...active.map((path) => roomLeft(path, this.forest.env)));
      active = await playRound(
        active,
        this.forest,
        (path, outcome, { entropy }) => {
          entropies[path.prompt].push(this.entropyOf(entropy));
          return goOn(path, outcome, this.forest).map((growing) => ({ ...path, ...growing }));
        },
        () => budget,
      );
    }
    for (const tree of this.trees) for (const leaf of leavesBelow(tree)) tree.prune(leaf);
    return entropies;
  }
}

/**
 * Grows branching trees with given draws.
 * @param othersBranch see BranchConfig; false counts AEPO's rounds over these trees alone, as in the released code
 * @returns the trees, and H0 of every path in the order they were made
 */
export async function growBranches<State>(
  forest: Forest<State>,
  trees: readonly TreeBuilder<State>[],
  config: RolloutConfig,
  draw: Draw,
  othersBranch: boolean,
): Promise<ReadonlyMap<number, number>> {
  checkSizes({ S: config.leavesPerTree, M: config.initialBranches, beam: config.beam });
  const growth = new BranchingGrowth(forest, trees, config, othersBranch);
  await growth.grow(draw);
  return growth.firstEntropy;
}

const grow: GrowRollout = async (
  policy,
  env,
  prompts,
  config,
  key,
  observer = {},
): Promise<readonly RolloutTree[]> => {
  const forest = { policy, env, observer };
  const trees = startTrees(prompts, forest);
  const streams = prompts.map(({ index }) => keyedRandom(key, STREAMS.expansion, index));
  await growBranches(forest, trees, config, (prompt) => streams[prompt].uniform(), true);
  trees.forEach((tree) => chooseRows(tree, config.leavesPerTree, key, forest));
  return trees.map((tree) => tree.build());
};

export const branching: RolloutRule = {
  title: 'Branching chains',
  description:
    'Paths start as chains and branch after tool calls, more likely where the turn was less certain than the path’s first one.',
  formula:
    'ARPO: P = q + w·ΔH; AEPO: P = 1 − q/(1 − 0.05·l) + w·ΔH; at most beam − 1 branches of a path per round, S paths in all',
  source: 'ARPO, arXiv:2507.19849; AEPO, arXiv:2510.14545; released code',
  confidence: 'high',
  ranking: 'Score: probability that a path branches after this turn, per draw.',
  settings: [
    'rollout.leavesPerTree',
    'rollout.initialBranches',
    'rollout.branchRule',
    'rollout.beam',
    'rollout.branchBase',
    'rollout.branchWeight',
    'rollout.dynamicInitial',
  ],
  grow,
};
