/**
 * Reading rollout trees: orders, paths, lengths. Every function takes the nodes and writes nothing.
 * The mutable form that grows a tree is tree_builder.ts.
 */
import {
  LabError,
  nodeId,
  ROOT,
  type Environment,
  type ExpansionRecord,
  type NodeId,
  type NodeTable,
  type Prompt,
  type RecordedPrompt,
  type RecordedTree,
  type SampledNode,
  type TokenId,
  type TurnNode,
} from '../../units.ts';

/** What walking needs: a finished RecordedTree and a growing one both have it. */
export interface TreeNodes<Node extends TurnNode = TurnNode> {
  readonly nodes: NodeTable<Node>;
}

/** Whether all numbers of a turn are known: it was sampled here, or its file holds them. */
export const isSampled = (node: TurnNode): node is SampledNode =>
  node.logProb !== null && node.entropy !== null && node.turnSurprisal !== null;

/** Whether a prompt is of one of our environments. */
export const isPosed = (prompt: RecordedPrompt): prompt is Prompt =>
  prompt.seed !== null && prompt.answer !== null;

/** The nodes of a tree do not fit together. */
export class TreeShapeError extends LabError {
  constructor(where: string, got: string, wanted: string) {
    super('TreeShapeError', {
      what: 'This is not a rollout tree',
      where,
      got,
      wanted,
      next: 'Reload the run; if it was read from a file, the file is incomplete.',
    });
  }
}

/** Root first, then a queue over children in creation order: the order in which the reference breaks ties. */
export function breadthFirst(tree: TreeNodes, from: NodeId = ROOT): readonly NodeId[] {
  const order: NodeId[] = [from];
  for (let next = 0; next < order.length; next += 1) order.push(...tree.nodes[order[next]].children);
  return order;
}

/** Children before parents; the last entry is the root. */
export function childrenFirst(tree: TreeNodes, from: NodeId = ROOT): readonly NodeId[] {
  return breadthFirst(tree, from).toReversed();
}

/** From the root to the node, both included. */
export function pathTo(tree: TreeNodes, id: NodeId): readonly NodeId[] {
  const path: NodeId[] = [];
  for (let at: NodeId | null = id; at !== null; at = tree.nodes[at].parent) path.push(at);
  return path.reverse();
}

/** A path ended here. A node without children is a leaf only if its ending says so. */
export const isLeaf = (node: TurnNode): boolean => node.ending !== null;

/** Leaves below a node, breadth-first; the node itself if it is a leaf. Pruned nodes are not reached. */
export function leavesBelow(tree: TreeNodes, from: NodeId = ROOT): readonly NodeId[] {
  return breadthFirst(tree, from).filter((id) => isLeaf(tree.nodes[id]));
}

/** Response tokens before the node's own, i.e. where its tokens start in the response. */
export function responseStart(tree: TreeNodes, id: NodeId): number {
  return pathTo(tree, id)
    .slice(0, -1)
    .reduce((length, ancestor) => length + tree.nodes[ancestor].tokens.length, 0);
}

/** Tokens from the root to the end of the node, prompt excluded, not cut. */
export const responseTokens = (tree: TreeNodes, id: NodeId): readonly TokenId[] =>
  pathTo(tree, id).flatMap((ancestor) => tree.nodes[ancestor].tokens);

/** Follows responseTokens: 1 sampled by the policy, 0 inserted by the environment. */
export const responseMask = (tree: TreeNodes, id: NodeId): readonly number[] =>
  pathTo(tree, id).flatMap((ancestor) => tree.nodes[ancestor].mask);

/** R, the most response tokens that are trained on: what the context leaves beside the prompt. */
export const responseLimit = (prompt: RecordedPrompt, contextLength: number): number =>
  contextLength - prompt.tokens.length;

export interface Run {
  readonly start: number; // into the mask
  readonly end: number; // exclusive
}

/** Maximal runs of ones: the turns of a row as the loss sees them. */
export function maskRuns(mask: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (let start = 0; start < mask.length; start += 1) {
    if (mask[start] === 0) continue;
    let end = start;
    while (end < mask.length && mask[end] !== 0) end += 1;
    runs.push({ start, end });
    start = end;
  }
  return runs;
}

/** What the events of one tree tell, in any order. */
export interface TreeParts {
  readonly prompt: RecordedPrompt;
  readonly nodes: readonly TurnNode[]; // as observed when complete; their children lists are ignored
  readonly leaves: readonly NodeId[];
  readonly pruned: readonly NodeId[];
  readonly expansions: readonly ExpansionRecord[];
}

/**
 * Puts a tree together again from its nodes as they were observed one by one.
 * @throws TreeShapeError if an id or a parent is missing
 */
export function assembleTree(parts: TreeParts): RecordedTree {
  const byId = parts.nodes.toSorted((a, b) => a.id - b.id);
  const pruned = new Set(parts.pruned);
  const children = byId.map((): NodeId[] => []);
  byId.forEach((node, index) => {
    if (node.id !== nodeId(index)) {
      throw new TreeShapeError(`tree of prompt ${parts.prompt.index}`, `node ${node.id}`, `node ${index}`);
    }
    if (node.parent === null || pruned.has(node.id)) return;
    if (node.parent >= node.id) {
      throw new TreeShapeError(
        `node ${node.id}`,
        `parent ${node.parent}`,
        'a parent created before its child',
      );
    }
    children[node.parent].push(node.id);
  });
  const nodes = byId.map((node) => ({ ...node, children: children[node.id], pruned: pruned.has(node.id) }));
  return { prompt: parts.prompt, nodes, leaves: parts.leaves, expansions: parts.expansions };
}

// What the turns of a tree did: which calls failed, what was asked.

const BROKEN: readonly (TurnNode['ending'] | undefined)[] = ['malformed', 'tool-failure', 'empty-call'];

/** Tokens that open the children of a node: the result of its call. Empty at leaves and in the middle of a turn. */
export function resultAfter(tree: RecordedTree, id: NodeId): readonly TokenId[] {
  const child = tree.nodes[id].children[0];
  if (child === undefined) return [];
  const { tokens, mask } = tree.nodes[child];
  const sampled = mask.findIndex((bit) => bit === 1);
  return sampled < 0 ? tokens : tokens.slice(0, sampled);
}

/** The tokens of a node's last turn; empty where nothing was sampled. */
export function lastTurn({ tokens, mask }: TurnNode): readonly TokenId[] {
  const run = maskRuns(mask).at(-1);
  return run ? tokens.slice(run.start, run.end) : [];
}

/** Turns that are malformed or whose call came to nothing. */
export const failedTurns = (tree: RecordedTree, env: Pick<Environment, 'callFailed'>): NodeTable<boolean> =>
  tree.nodes.map((node) => {
    if (BROKEN.includes(node.ending)) return true;
    const result = resultAfter(tree, node.id);
    return result.length > 0 && env.callFailed(lastTurn(node), result);
  });
