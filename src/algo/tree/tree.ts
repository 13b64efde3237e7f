/**
 * Reading rollout trees: orders, paths, lengths. Every function takes the nodes and writes nothing.
 * The mutable form that grows a tree is tree_builder.ts.
 */
import {
  LabError,
  ROOT,
  type Environment,
  type NodeId,
  type NodeSpan,
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

/** Nodes of a tree that may still grow, by NodeId; one that has not come yet is undefined. */
export type GrownNodes = readonly (TurnNode | undefined)[];

/** From the root to the node, both included; no further up than a node that has not come. */
export function pathTo({ nodes }: { readonly nodes: GrownNodes }, id: NodeId): readonly NodeId[] {
  const path: NodeId[] = [];
  for (let at: NodeId | null = id; at !== null && nodes[at]; at = nodes[at]?.parent ?? null) path.push(at);
  return path.reverse();
}

/** The part of a row that is looked at. */
interface RowBounds {
  readonly from?: number; // place of the first response token; 0 if absent
  readonly to?: number; // exclusive: where the row is cut; nowhere if absent
}

/** Where the tokens of each node of a path stand, root first; without nodes that have no token there. */
export function rowSpans(
  tree: { readonly nodes: GrownNodes },
  leaf: NodeId,
  { from = 0, to = Infinity }: RowBounds = {},
): readonly NodeSpan[] {
  const spans: NodeSpan[] = [];
  let start = from;
  for (const node of pathTo(tree, leaf)) {
    const end = Math.min(start + (tree.nodes[node]?.tokens.length ?? 0), to);
    if (end > start) spans.push({ node, start, end });
    start = Math.max(start, end);
  }
  return spans;
}

/** Tokens of a path, prompt excluded, not cut. */
export const lengthTo = (tree: { readonly nodes: GrownNodes }, id: NodeId): number =>
  rowSpans(tree, id).at(-1)?.end ?? 0;

/** A path as a row of tokens from the prompt on. */
export interface RowTokens {
  readonly tokens: readonly TokenId[];
  readonly mask: readonly number[]; // 1 sampled by the policy, 0 inserted by the environment, as in the prompt
  readonly spans: readonly NodeSpan[]; // places in `tokens`
}

/** @param contextLength where the row is cut; the prompt is never */
export function rowTokens(
  tree: { readonly nodes: GrownNodes; readonly prompt: RecordedPrompt },
  leaf: NodeId,
  contextLength = Infinity,
): RowTokens {
  const prompt = tree.prompt.tokens;
  const tokens = [...prompt];
  const mask: number[] = prompt.map(() => 0);
  const spans = rowSpans(tree, leaf, { from: prompt.length, to: contextLength });
  for (const { node, start, end } of spans) {
    tokens.push(...(tree.nodes[node]?.tokens.slice(0, end - start) ?? []));
    mask.push(...(tree.nodes[node]?.mask.slice(0, end - start) ?? []));
  }
  return { tokens, mask, spans };
}

/**
 * Puts a node that came into the caller's own array: nodes are replaced, never written on. Its parent lists it in order of
 * creation, whatever the order in which they come.
 */
export function addNode(nodes: (TurnNode | undefined)[], node: TurnNode): void {
  const before = nodes[node.id];
  nodes[node.id] = { ...node, children: before?.children ?? [] };
  const parent = node.parent === null ? undefined : nodes[node.parent];
  if (!parent || before) return;
  nodes[parent.id] = {
    ...parent,
    children: [...parent.children, node.id].toSorted((one, other) => one - other),
  };
}

/** The tree without some of its nodes: they are marked, and no longer listed by their parents; ids stay as they are. */
export function withoutNodes<Node extends TurnNode | undefined>(
  nodes: readonly Node[],
  gone: ReadonlySet<NodeId>,
): readonly Node[] {
  const parents = new Set([...gone].map((id) => nodes[id]?.parent));
  return nodes.map((node) => {
    if (!node || !(gone.has(node.id) || parents.has(node.id))) return node;
    const children = node.children.filter((child) => !gone.has(child));
    return { ...node, children, pruned: node.pruned || gone.has(node.id) };
  });
}

/** A leaf and every ancestor that leads to no other: what goes with the leaf, which comes first. */
export function emptiedBy(nodes: GrownNodes, leaf: NodeId): readonly NodeId[] {
  const gone: NodeId[] = [];
  for (let at = nodes[leaf]; at && at.parent !== null; at = nodes[at.parent]) {
    if (at.children.some((child) => !gone.includes(child))) break;
    gone.push(at.id);
  }
  return gone;
}

/** A path ended here. A node without children is a leaf only if its ending says so. */
export const isLeaf = (node: TurnNode): boolean => node.ending !== null;

/** Leaves below a node, breadth-first; the node itself if it is a leaf. Pruned nodes are not reached. */
export function leavesBelow(tree: TreeNodes, from: NodeId = ROOT): readonly NodeId[] {
  return breadthFirst(tree, from).filter((id) => isLeaf(tree.nodes[id]));
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
