/** The one mutable form of a tree, private to growing it; `build` and `snapshot` hand out readonly copies. */
import {
  nodeId,
  ROOT,
  type ExpansionRecord,
  type LeafEnding,
  type NodeId,
  type NodeOrigin,
  type NodeTable,
  type Prompt,
  type RolloutTree,
  type SampledNode,
  type SearchStatistics,
  type TokenId,
} from '../../units.ts';
import { emptiedBy, leavesBelow, TreeShapeError } from './tree.ts';

/** Where a generation started: a re-sampled sibling starts there again. */
interface Checkpoint<State> {
  readonly state: State;
  readonly unread: number; // sampled tokens that the environment has not been given yet
}

/** What paths find after a node: a tool result, or nothing where a turn is cut in two. */
interface Opening<State> {
  readonly tokens: readonly TokenId[]; // the result; mask 0
  readonly depth: number; // of the nodes that go on from here
  readonly start: Checkpoint<State>;
}

/** A SampledNode under construction, with what only growing needs. */
export interface GrowingNode<State> extends SampledNode {
  readonly children: NodeId[];
  readonly tokens: TokenId[];
  readonly mask: number[];
  readonly logProb: number[];
  readonly entropy: number[];
  turnSurprisal: number;
  lastGenerationLength: number;
  callCount: number;
  ending: LeafEnding | null;
  pruned: boolean;
  retrieved?: true;
  readonly responseStart: number; // response tokens before this node's own
  state: State; // the environment's, at the end of the tokens so far
  unread: number;
  checkpoint: Checkpoint<State>; // before the most recent generation
  opening: Opening<State> | null; // null while the node is sampled, and at leaves
}

interface NewNode<State> {
  readonly parent: GrowingNode<State> | null;
  readonly origin: NodeOrigin;
  readonly tree?: number; // its parent's if absent
  readonly depth: number;
  readonly turnSurprisal: number;
  readonly callCount: number;
  readonly start: Checkpoint<State>;
}

export const responseLength = <State>(node: GrowingNode<State>): number =>
  node.responseStart + node.tokens.length;

export class TreeBuilder<State> {
  readonly nodes: GrowingNode<State>[] = [];
  readonly expansions: ExpansionRecord[] = [];
  readonly pruned: NodeId[] = []; // in the order they were taken out
  readonly prompt: Prompt;
  readonly root: GrowingNode<State>;

  constructor(prompt: Prompt, state: State) {
    this.prompt = prompt;
    const start = { state, unread: 0 };
    this.root = this.add({
      parent: null,
      origin: { kind: 'root' },
      depth: 0,
      turnSurprisal: 0,
      callCount: 0,
      start,
    });
    this.root.opening = { tokens: [], depth: 0, start };
  }

  private add(created: NewNode<State>): GrowingNode<State> {
    const { parent, origin, depth, turnSurprisal, callCount, start } = created;
    const node: GrowingNode<State> = {
      id: nodeId(this.nodes.length),
      parent: parent?.id ?? null,
      children: [],
      tree: created.tree ?? parent?.tree ?? 0,
      depth,
      origin,
      tokens: [],
      mask: [],
      logProb: [],
      entropy: [],
      turnSurprisal,
      lastGenerationLength: 0,
      callCount,
      ending: null,
      pruned: false,
      responseStart: parent ? responseLength(parent) : 0,
      state: start.state,
      unread: start.unread,
      checkpoint: start,
      opening: null,
    };
    this.nodes.push(node);
    parent?.children.push(node.id);
    return node;
  }

  /** One of the M first turns. */
  plant(branch: number, tree = 0): GrowingNode<State> {
    return this.follow(this.root, { kind: 'initial', branch }, tree);
  }

  /** The turn that a tool result opens. */
  observe(caller: GrowingNode<State>, tokens: readonly TokenId[], state: State): GrowingNode<State> {
    this.open(caller, tokens, state);
    return this.follow(caller, { kind: 'continuation' });
  }

  /** Turns may follow the node: its tool call was answered. */
  open(caller: GrowingNode<State>, tokens: readonly TokenId[], state: State): void {
    caller.opening = { tokens, depth: caller.depth + 1, start: { state, unread: 0 } };
  }

  /** The turn may be finished in children: the node ends in the middle of it. */
  cut(node: GrowingNode<State>): void {
    const { depth, state, unread } = node;
    node.opening = { tokens: [], depth, start: { state, unread } };
  }

  /** A new path after a node that was opened or cut. H is its parent's until its own first generation. */
  follow(parent: GrowingNode<State>, origin: NodeOrigin, tree = parent.tree): GrowingNode<State> {
    if (!parent.opening)
      throw new TreeShapeError(`node ${parent.id}`, 'a node without an end', 'an opened node');
    const { turnSurprisal, callCount } = parent;
    const { tokens, depth, start } = parent.opening;
    const node = this.add({ parent, origin, tree, depth, turnSurprisal, callCount, start });
    appendTokens(node, tokens, 0);
    return node;
  }

  /** A sibling with all that the node holds so far: the path once more, from here on its own. */
  copy(source: GrowingNode<State>, origin: NodeOrigin): GrowingNode<State> {
    const { depth, turnSurprisal, callCount, state, unread } = source;
    const parent = this.nodes[source.parent ?? ROOT];
    const start = { state, unread };
    const node = this.add({ parent, origin, tree: source.tree, depth, turnSurprisal, callCount, start });
    copyTokens(source, node, source.tokens.length);
    return node;
  }

  /** A sibling of the picked node, rolled back to before the node's last generation; of the root, a first turn. */
  resample(picked: NodeId, iteration: number, pick: number): GrowingNode<State> {
    const source = this.nodes[picked];
    const parent = source.parent === null ? this.root : this.nodes[source.parent];
    const { depth, turnSurprisal, checkpoint: start } = source;
    const origin = { kind: 'expansion', iteration, pick, resampled: picked } as const;
    const callCount = Math.max(0, source.callCount - 1);
    const node = this.add({ parent, origin, tree: source.tree, depth, turnSurprisal, callCount, start });
    copyTokens(source, node, source.tokens.length - source.lastGenerationLength);
    return node;
  }

  /** A copy of a leaf beside it, to fill the group. */
  duplicate(leaf: NodeId): GrowingNode<State> {
    const source = this.nodes[leaf];
    const { depth, turnSurprisal, callCount, checkpoint: start } = source;
    const origin = { kind: 'duplicate', of: leaf } as const;
    const parent = this.nodes[source.parent ?? ROOT];
    const node = this.add({ parent, origin, tree: source.tree, depth, turnSurprisal, callCount, start });
    copyTokens(source, node, source.tokens.length);
    node.lastGenerationLength = source.lastGenerationLength;
    node.ending = source.ending;
    if (source.retrieved) node.retrieved = true;
    return node;
  }

  /** Takes a leaf out of the group, and every ancestor that is left without children. */
  prune(leaf: NodeId): readonly NodeId[] {
    const removed = emptiedBy(this.nodes, leaf);
    for (const id of removed) {
      const node = this.nodes[id];
      const { children } = this.nodes[node.parent ?? ROOT];
      node.pruned = true;
      children.splice(children.indexOf(id), 1);
      this.pruned.push(id);
    }
    return removed;
  }

  /** The node as it stands, without its children: they come later and name it as their parent. */
  snapshot(node: GrowingNode<State>): SampledNode {
    return { ...frozen(node), children: [] };
  }

  build(search?: NodeTable<SearchStatistics>): RolloutTree {
    const nodes = this.nodes.map(frozen);
    const tree = { prompt: this.prompt, nodes, leaves: leavesBelow(this), expansions: [...this.expansions] };
    return search ? { ...tree, search } : tree;
  }
}

function frozen<State>(node: GrowingNode<State>): SampledNode {
  return {
    id: node.id,
    parent: node.parent,
    children: [...node.children],
    tree: node.tree,
    depth: node.depth,
    origin: node.origin,
    tokens: [...node.tokens],
    mask: [...node.mask],
    logProb: [...node.logProb],
    entropy: [...node.entropy],
    turnSurprisal: node.turnSurprisal,
    lastGenerationLength: node.lastGenerationLength,
    callCount: node.callCount,
    ending: node.ending,
    pruned: node.pruned,
    ...(node.retrieved && { retrieved: true }),
  };
}

/** Appends tokens that were not sampled: mask 0, or 1 for those that are trained on nevertheless. */
export function appendTokens<State>(node: GrowingNode<State>, tokens: readonly TokenId[], mask: 0 | 1): void {
  for (const token of tokens) {
    node.tokens.push(token);
    node.mask.push(mask);
    node.logProb.push(0);
    node.entropy.push(0);
  }
}

function copyTokens<State>(source: GrowingNode<State>, target: GrowingNode<State>, count: number): void {
  target.tokens.push(...source.tokens.slice(0, count));
  target.mask.push(...source.mask.slice(0, count));
  target.logProb.push(...source.logProb.slice(0, count));
  target.entropy.push(...source.entropy.slice(0, count));
}
