/**
 * Growing rollout trees: M first turns, L iterations of picking K turns and sampling them again, then the rows.
 * All trees grow together, one generate call per round.
 * @see arXiv:2601.04767 Algorithm 1; released code vllm_rollout_with_tools_tree_offline
 */
import { LabError } from '../units.ts';
import type {
  Environment,
  ExpansionRecord,
  Generation,
  NodeId,
  Prompt,
  RandomKey,
  RolloutConfig,
  RolloutTree,
  Transition,
  TurnNode,
  TurnSampler,
} from '../units.ts';
import { CHAINS } from './defaults.ts';
import { chooseExpansions } from './expand.ts';
import { STREAMS, keyedRandom } from './random.ts';
import { leavesBelow, responseLimit } from './tree.ts';
import { TreeBuilder, appendTokens, responseLength } from './tree_builder.ts';
import type { GrowingNode } from './tree_builder.ts';

/** Told as things happen. `prompt` is Prompt.index. */
export interface RolloutObserver {
  /** A node is complete. Children arrive later and name it as parent; its own list is empty here. */
  readonly onNode?: (prompt: number, node: TurnNode) => void;
  readonly onExpansion?: (prompt: number, record: ExpansionRecord) => void;
  readonly onLeaves?: (prompt: number, leaves: readonly NodeId[], pruned: readonly NodeId[]) => void;
  /** Awaited before each round of sampling, so that a run can pause here. */
  readonly onRound?: () => Promise<void> | void;
  /** Checked before each round; growTrees then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The policy or the environment broke the contract of units.ts during a rollout. */
export class RolloutError extends LabError {
  constructor(what: string, where: string, got: string, wanted: string, cause?: unknown) {
    super(
      'RolloutError',
      { what, where, got, wanted, next: 'Reset the run; if it happens again, the seam is at fault.' },
      cause,
    );
  }
}

/** A node being sampled, with its tree. */
interface Growing<State> {
  readonly tree: TreeBuilder<State>;
  readonly node: GrowingNode<State>;
}

interface Forest<State> {
  readonly policy: TurnSampler;
  readonly env: Environment<State>;
  readonly observer: RolloutObserver;
}

const roomLeft = <State>({ tree, node }: Growing<State>, env: Environment<State>): number =>
  responseLimit(tree.prompt, env.contextLength) - responseLength(node);

const nameOf = <State>({ tree, node }: Growing<State>): string =>
  `prompt ${tree.prompt.index}, node ${node.id}`;

/** Appends what was sampled; H becomes its mean surprisal. An empty generation leaves H as it was. */
function appendGeneration<State>({ node }: Growing<State>, generation: Generation): void {
  const count = generation.tokens.length;
  node.checkpoint = { state: node.state, unread: node.unread };
  node.tokens.push(...generation.tokens);
  node.logProb.push(...generation.logProb);
  node.entropy.push(...generation.entropy);
  for (let token = 0; token < count; token += 1) node.mask.push(1);
  node.lastGenerationLength = count;
  node.unread += count;
  if (count > 0) node.turnEntropy = -generation.logProb.reduce((sum, logProb) => sum + logProb, 0) / count;
}

/** What the environment says of a turn; null while the turn is unfinished. */
async function transitionOf<State>(
  growing: Growing<State>,
  generation: Generation,
  env: Environment<State>,
): Promise<Transition<State> | null> {
  const { tree, node } = growing;
  if (generation.finish === 'length' && generation.tokens.length < env.turnTokenLimit) {
    return roomLeft(growing, env) > 0 ? null : { kind: 'end', ending: 'length', appended: [] };
  }
  try {
    return await env.step(tree.prompt, node.state, node.tokens.slice(node.tokens.length - node.unread));
  } catch (cause) {
    throw new RolloutError(
      'The environment failed',
      nameOf(growing),
      String(cause),
      `a transition of ${env.name}`,
      cause,
    );
  }
}

/** Follows a transition; returns the node that goes on, if any. */
function settle<State>(
  growing: Growing<State>,
  transition: Transition<State> | null,
  { env, observer }: Forest<State>,
): readonly Growing<State>[] {
  const { tree, node } = growing;
  const close = (closed: GrowingNode<State>, ending: TurnNode['ending']) => {
    closed.ending = ending;
    observer.onNode?.(tree.prompt.index, tree.snapshot(closed));
  };
  if (transition === null) return [growing];
  node.unread = 0;
  switch (transition.kind) {
    case 'observe': {
      node.callCount += 1;
      node.state = transition.state;
      close(node, null);
      const child = { tree, node: tree.observe(node, transition.tokens, transition.state) };
      if (roomLeft(child, env) > 0) return [child];
      close(child.node, 'length');
      return [];
    }
    case 'notice':
      appendTokens(node, transition.tokens, 0);
      node.state = transition.state;
      if (roomLeft(growing, env) > 0) return [growing];
      close(node, 'length');
      return [];
    case 'end':
      if (transition.ending === 'tool-failure' || transition.ending === 'empty-call') node.callCount += 1;
      appendTokens(node, transition.appended, 1);
      close(node, transition.ending);
      return [];
  }
  return transition satisfies never;
}

async function generateAll<State>(
  active: readonly Growing<State>[],
  { policy, env }: Forest<State>,
): Promise<readonly Generation[]> {
  const room = Math.max(...active.map((growing) => Math.max(1, roomLeft(growing, env))));
  const maxTokens = Math.min(room, env.turnTokenLimit);
  const requests = active.map(({ tree, node }) => {
    const path: number[] = [];
    for (let at: NodeId | null = node.id; at !== null; at = tree.nodes[at].parent) path.unshift(at);
    return {
      context: [...tree.prompt.tokens, ...path.flatMap((id) => tree.nodes[id].tokens)],
      key: {
        prompt: tree.prompt.index,
        node: node.id,
        firstToken: node.mask.filter((bit) => bit === 1).length,
      },
      maxTokens,
    };
  });
  const generations = await policy.generate(requests);
  if (generations.length !== active.length) {
    throw new RolloutError(
      'The policy lost a turn',
      'generate',
      `${generations.length} turns`,
      `${active.length}`,
    );
  }
  return generations;
}

/** Samples the nodes and everything that their tool calls open, until every path has ended. */
async function complete<State>(nodes: readonly Growing<State>[], forest: Forest<State>): Promise<void> {
  let active = nodes;
  while (active.length > 0) {
    await forest.observer.onRound?.();
    forest.observer.signal?.throwIfAborted();
    const generations = await generateAll(active, forest);
    active.forEach((growing, index) => appendGeneration(growing, generations[index]));
    const transitions = await Promise.all(
      active.map((growing, index) => transitionOf(growing, generations[index], forest.env)),
    );
    active = active.flatMap((growing, index) => settle(growing, transitions[index], forest));
  }
}

/** Leaves become rows: exactly `count`, a random subset of more, or with copies of the last one. */
function chooseRows<State>(
  tree: TreeBuilder<State>,
  count: number,
  key: RandomKey,
  observer: RolloutObserver,
): void {
  const leaves = leavesBelow(tree);
  const last = leaves[leaves.length - 1];
  const surplus = Math.max(0, leaves.length - count);
  const pruned = keyedRandom(key, STREAMS.leaves, tree.prompt.index)
    .shuffle(leaves)
    .slice(0, surplus)
    .flatMap((leaf) => tree.prune(leaf));
  for (let missing = leaves.length; missing < count; missing += 1) {
    const copy = tree.duplicate(last);
    observer.onNode?.(tree.prompt.index, tree.snapshot(copy));
  }
  observer.onLeaves?.(tree.prompt.index, leavesBelow(tree), pruned);
}

function checkConfig(config: RolloutConfig): void {
  const { initialBranches, iterations, picks, leavesPerTree } = config;
  const whole = [initialBranches, iterations, picks, leavesPerTree].every(
    (count) => Number.isInteger(count) && count >= 0,
  );
  if (!whole || initialBranches < 1 || leavesPerTree < 1) {
    const got = `M ${initialBranches}, L ${iterations}, K ${picks}, S ${leavesPerTree}`;
    throw new RolloutError(
      'These tree sizes make no tree',
      'rollout config',
      got,
      'whole numbers, M and S at least 1',
    );
  }
}

/**
 * Grows one tree per prompt, all together.
 * @param key names the random numbers of random expansion and of pruning; turns are sampled by the policy's own key
 * @throws RolloutError if the policy or the environment breaks its contract; the signal's reason if it aborts
 * @see algorithms' spec 2.2–2.5 (released code)
 */
export async function growTrees<State>(
  policy: TurnSampler,
  env: Environment<State>,
  prompts: readonly Prompt[],
  config: RolloutConfig,
  key: RandomKey,
  observer: RolloutObserver = {},
): Promise<readonly RolloutTree[]> {
  checkConfig(config);
  const forest = { policy, env, observer };
  const trees = prompts.map((prompt) => new TreeBuilder(prompt, env.start(prompt)));
  trees.forEach((tree) => observer.onNode?.(tree.prompt.index, tree.snapshot(tree.root)));
  const branches = Array.from({ length: config.initialBranches }, (_, branch) => branch);
  await complete(
    trees.flatMap((tree) => branches.map((branch) => ({ tree, node: tree.plant(branch) }))),
    forest,
  );
  for (let iteration = 0; iteration < config.iterations; iteration += 1) {
    const fresh = trees.flatMap((tree) => {
      const record = chooseExpansions(tree, config, iteration, key, tree.prompt.index);
      tree.expansions.push(record);
      observer.onExpansion?.(tree.prompt.index, record);
      return record.picks.map((picked, pick) => ({ tree, node: tree.resample(picked, iteration, pick) }));
    });
    await complete(fresh, forest);
  }
  trees.forEach((tree) => chooseRows(tree, config.leavesPerTree, key, observer));
  return trees.map((tree) => tree.build());
}

/** One path per prompt, no expansion: what evaluation samples. Its node ids are 0 (root), 1, 2 … along the path. */
export function growChains<State>(
  policy: TurnSampler,
  env: Environment<State>,
  prompts: readonly Prompt[],
  key: RandomKey,
  observer: RolloutObserver = {},
): Promise<readonly RolloutTree[]> {
  const chain = { initialBranches: 1, iterations: 0, picks: 0, leavesPerTree: 1 };
  return growTrees(
    policy,
    env,
    prompts,
    { ...CHAINS, ...chain },
    key,
    observer,
  );
}
