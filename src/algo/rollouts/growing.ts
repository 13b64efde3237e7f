/**
 * What every rollout shape is built from: a round of sampling over all growing paths, paths that go on until they end,
 * and the choice of rows.
 * @see released code vllm_rollout_with_tools_tree_offline; algorithms' spec 2.2 and 2.5
 */
import {
  LabError,
  type Environment,
  type ExpansionRecord,
  type Generation,
  type NodeId,
  type NodeOrigin,
  type NodeTable,
  type Prompt,
  type RandomKey,
  type SampledNode,
  type SearchStatistics,
  type TokenId,
  type Transition,
  type TurnSampler,
} from '../../units.ts';
import { keyedRandom, STREAMS, type KeyedRandom } from '../random.ts';
import { appendTokens, responseLength, TreeBuilder, type GrowingNode } from '../tree/tree_builder.ts';
import { leavesBelow, responseLimit, responseTokens } from '../tree/tree.ts';

/** Told as things happen. `prompt` is Prompt.index. */
export interface RolloutObserver {
  /** A node is complete. Children arrive later and name it as parent; its own list is empty here. */
  readonly onNode?: (prompt: number, node: SampledNode) => void;
  readonly onExpansion?: (prompt: number, record: ExpansionRecord) => void;
  /** The rows, what was taken out, and of a search tree its statistics. */
  readonly onLeaves?: (
    prompt: number,
    leaves: readonly NodeId[],
    pruned: readonly NodeId[],
    search?: NodeTable<SearchStatistics>,
  ) => void;
  /** Awaited before each round of sampling, so that a run can pause here. */
  readonly onRound?: () => Promise<void> | void;
  /** Checked before each round; growing then throws the signal's reason. */
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
export interface Growing<State> {
  readonly tree: TreeBuilder<State>;
  readonly node: GrowingNode<State>;
}

export interface Forest<State> {
  readonly policy: TurnSampler;
  readonly env: Environment<State>;
  readonly observer: RolloutObserver;
}

/** What a round made of a node: it is not complete, its end was opened (a result waits), or its path ended. */
export type Outcome = 'going' | 'opened' | 'ended';

const CONTINUATION: NodeOrigin = { kind: 'continuation' };

export const roomLeft = <State>({ tree, node }: Growing<State>, env: Environment<State>): number =>
  responseLimit(tree.prompt, env.contextLength) - responseLength(node);

const nameOf = <State>({ tree, node }: Growing<State>): string =>
  `prompt ${tree.prompt.index}, node ${node.id}`;

/** A tree per prompt, with nothing but its root. */
export function startTrees<State>(
  prompts: readonly Prompt[],
  { env, observer }: Forest<State>,
): readonly TreeBuilder<State>[] {
  const trees = prompts.map((prompt) => new TreeBuilder(prompt, env.start(prompt)));
  trees.forEach((tree) => observer.onNode?.(tree.prompt.index, tree.snapshot(tree.root)));
  return trees;
}

/** @throws RolloutError unless every one of the named sizes is a whole number of at least 1 */
export function checkSizes(sizes: Readonly<Record<string, number>>): void {
  if (Object.values(sizes).every((size) => Number.isInteger(size) && size >= 1)) return;
  const got = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  throw new RolloutError(
    'These tree sizes make no tree',
    'rollout config',
    got.join(', '),
    'whole numbers of at least 1',
  );
}

/** Tells the observer that a node is complete. */
export function close<State>({ tree, node }: Growing<State>, { observer }: Forest<State>): void {
  observer.onNode?.(tree.prompt.index, tree.snapshot(node));
}

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
  if (count > 0) node.turnSurprisal = -generation.logProb.reduce((sum, logProb) => sum + logProb, 0) / count;
}

/** The tokens that the environment has not been given yet: those of a turn, which may have begun in an ancestor. */
function unreadTokens<State>({ tree, node }: Growing<State>): readonly TokenId[] {
  let tokens: readonly TokenId[] = node.tokens;
  for (let at = node; tokens.length < node.unread && at.parent !== null;) {
    at = tree.nodes[at.parent];
    tokens = [...at.tokens, ...tokens];
  }
  return tokens.slice(tokens.length - node.unread);
}

/** What the environment says of tokens that were added to a node. */
export async function stepOf<State>(
  growing: Growing<State>,
  env: Environment<State>,
): Promise<Transition<State>> {
  try {
    return await env.step(growing.tree.prompt, growing.node.state, unreadTokens(growing));
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

/** What the environment says of a turn; null while the turn is unfinished. */
async function transitionOf<State>(
  growing: Growing<State>,
  { finish }: Generation,
  env: Environment<State>,
): Promise<Transition<State> | null> {
  if (finish === 'length' && growing.node.unread < env.turnTokenLimit) {
    return roomLeft(growing, env) > 0 ? null : { kind: 'end', ending: 'length', appended: [] };
  }
  return stepOf(growing, env);
}

/** Follows a transition. */
export function settle<State>(
  growing: Growing<State>,
  transition: Transition<State> | null,
  forest: Forest<State>,
): Outcome {
  const { tree, node } = growing;
  if (transition === null) return 'going';
  node.unread = 0;
  switch (transition.kind) {
    case 'observe':
      node.callCount += 1;
      node.state = transition.state;
      tree.open(node, transition.tokens, transition.state);
      close(growing, forest);
      return 'opened';
    case 'notice':
      appendTokens(node, transition.tokens, 0);
      node.state = transition.state;
      if (roomLeft(growing, forest.env) > 0) return 'going';
      node.ending = 'length';
      close(growing, forest);
      return 'ended';
    case 'end':
      if (transition.ending === 'tool-failure' || transition.ending === 'empty-call') node.callCount += 1;
      appendTokens(node, transition.appended, 1);
      node.ending = transition.ending;
      close(growing, forest);
      return 'ended';
  }
  return transition satisfies never;
}

/**
 * One more path after an opened node; none goes on where the result has filled the response: that is a leaf.
 * @param index of the prompt's tree, where a first turn begins one
 */
export function follow<State>(
  { tree, node }: Growing<State>,
  forest: Forest<State>,
  origin: NodeOrigin = CONTINUATION,
  index?: number,
): readonly Growing<State>[] {
  const child = { tree, node: tree.follow(node, origin, index) };
  if (roomLeft(child, forest.env) > 0) return [child];
  child.node.ending = 'length';
  close(child, forest);
  return [];
}

/** The path alone goes on, whatever happened. */
export function goOn<State>(
  growing: Growing<State>,
  outcome: Outcome,
  forest: Forest<State>,
): readonly Growing<State>[] {
  switch (outcome) {
    case 'going':
      return [growing];
    case 'opened':
      return follow(growing, forest);
    case 'ended':
      return [];
  }
  return outcome satisfies never;
}

async function generateAll<State, Path extends Growing<State>>(
  active: readonly Path[],
  { policy, env }: Forest<State>,
  limitOf: (path: Path) => number,
): Promise<readonly Generation[]> {
  const room = Math.max(...active.map((growing) => Math.max(1, roomLeft(growing, env))));
  const maxTokens = Math.min(room, env.turnTokenLimit);
  const requests = active.map((growing) => {
    const { tree, node } = growing;
    return {
      context: [...tree.prompt.tokens, ...responseTokens(tree, node.id)],
      key: {
        prompt: tree.prompt.index,
        node: node.id,
        firstToken: node.mask.filter((bit) => bit === 1).length,
      },
      maxTokens: Math.min(maxTokens, limitOf(growing)),
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

/**
 * Samples every node once, together, and appends what came.
 * @param limitOf most tokens of a path's generation, beside what room and environment allow
 */
export async function sample<State, Path extends Growing<State>>(
  active: readonly Path[],
  forest: Forest<State>,
  limitOf: (path: Path) => number = () => Infinity,
): Promise<readonly Generation[]> {
  await forest.observer.onRound?.();
  forest.observer.signal?.throwIfAborted();
  const generations = await generateAll(active, forest, limitOf);
  active.forEach((path, index) => appendGeneration(path, generations[index]));
  return generations;
}

/** A round: samples every node once and plays the turns; `next` says what of each path grows in the following round. */
export async function playRound<State, Path extends Growing<State>>(
  active: readonly Path[],
  forest: Forest<State>,
  next: (path: Path, outcome: Outcome, generation: Generation) => readonly Path[],
  limitOf?: (path: Path) => number,
): Promise<readonly Path[]> {
  const generations = await sample(active, forest, limitOf);
  const transitions = await Promise.all(
    active.map((path, index) => transitionOf(path, generations[index], forest.env)),
  );
  return active.flatMap((path, index) =>
    next(path, settle(path, transitions[index], forest), generations[index]),
  );
}

/** Samples the nodes and everything that their tool calls open, until every path has ended. */
export async function complete<State>(
  nodes: readonly Growing<State>[],
  forest: Forest<State>,
): Promise<void> {
  let active = nodes;
  while (active.length > 0) {
    active = await playRound(active, forest, (growing, outcome) => goOn(growing, outcome, forest));
  }
}

/** Of these leaves exactly `count` stay: a random subset of more, or with copies of the last one. */
export function trimLeaves<State>(
  tree: TreeBuilder<State>,
  leaves: readonly NodeId[],
  count: number,
  random: KeyedRandom,
  forest: Forest<State>,
): void {
  const surplus = Math.max(0, leaves.length - count);
  for (const leaf of random.shuffle(leaves).slice(0, surplus)) tree.prune(leaf);
  for (let missing = leaves.length; missing < count; missing += 1) {
    close({ tree, node: tree.duplicate(leaves[leaves.length - 1]) }, forest);
  }
}

/** Tells the observer which leaves are the tree's rows. */
export function announceRows<State>(
  tree: TreeBuilder<State>,
  { observer }: Forest<State>,
  search?: NodeTable<SearchStatistics>,
): void {
  const told = [tree.prompt.index, leavesBelow(tree), [...tree.pruned]] as const;
  if (search) observer.onLeaves?.(...told, search);
  else observer.onLeaves?.(...told);
}

/** Leaves become rows: exactly `count` of them. */
export function chooseRows<State>(
  tree: TreeBuilder<State>,
  count: number,
  key: RandomKey,
  forest: Forest<State>,
): void {
  const random = keyedRandom(key, STREAMS.leaves, tree.prompt.index);
  trimLeaves(tree, leavesBelow(tree), count, random, forest);
  announceRows(tree, forest);
}
