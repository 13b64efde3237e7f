/** Questions that views ask of a run: which update, which tree, the best leaf, the words of a path. Pure. */
import { pathTo as pathIds } from '../../algo/tree/tree.ts';
import type { UpdateMetrics } from '../../protocol/protocol.ts';
import {
  ROOT,
  type NodeId,
  type RecordedPrompt,
  type RecordedTree,
  type RunConfig,
  type TokenId,
  type TurnNode,
} from '../../units.ts';
import type { RunState, TreeState, UpdateState } from './run_state.ts';
import type { Selection } from '../place/selection.ts';

/** The recipe of the run on screen; null before a run, and where the record has none. */
export const recipeOf = ({ header }: Pick<RunState, 'header'>): RunConfig | null => header?.config ?? null;

/** Tokens of prompt and response together, where a row is cut; no bound where the record names none. */
export const contextLengthOf = ({ header }: Pick<RunState, 'header'>): number =>
  header?.environment?.contextLength ?? Infinity;

/** How a token reads. @param texts RunState.texts */
export const tokenText = (texts: readonly string[], id: number): string => texts[id] ?? `#${id}`;

/** What stands between two tokens: the words of a vocabulary are bare, pieces of a text bring their white space. */
export const joinerOf = ({ header }: Pick<RunState, 'header'>): ' ' | '' =>
  header && header.tokens !== 'vocabulary' ? '' : ' ';

/** Whether two prompts ask the same: by seed, or by words where no environment of ours made them. */
export function sameQuestion(
  { texts }: Pick<RunState, 'texts'>,
  a: RecordedPrompt,
  { texts: otherTexts }: Pick<RunState, 'texts'>,
  b: RecordedPrompt,
): boolean {
  if (a.dataset !== b.dataset || a.seed !== b.seed) return false;
  if (a.seed !== null) return true;
  const [left, right] = [a.tokens.map((id) => texts[id]), b.tokens.map((id) => otherTexts[id])];
  return left.length === right.length && left.every((word, place) => word === right[place]);
}

/** The selected update, or the newest when the selection follows or points past the end. */
export function selectedUpdate(run: RunState, selection: Pick<Selection, 'update'>): UpdateState | null {
  const newest = run.updates[run.updates.length - 1] ?? null;
  return selection.update === null ? newest : (run.updates[selection.update - 1] ?? newest);
}

/** The newest finished update before `update` whose trees are at hand; null where there is none. */
export function finishedBefore({ updates }: RunState, update: number): number | null {
  const earlier = updates.slice(0, Math.max(0, update - 1));
  return earlier.findLast(({ ended, detail }) => ended && detail === 'here')?.update ?? null;
}

export function selectedTree(
  run: RunState,
  selection: Pick<Selection, 'update' | 'prompt'>,
): TreeState | null {
  return selectedUpdate(run, selection)?.trees[selection.prompt] ?? null;
}

/** What a prompt asks: the words of the user, where a file says which they are; else all of it. */
export function questionOf({ tokens, spans }: RecordedPrompt): readonly TokenId[] {
  if (!spans?.some(({ author }) => author === 'user')) return tokens;
  let start = 0;
  return spans.flatMap(({ author, tokens: length }) => {
    const own = tokens.slice(start, (start += length));
    return author === 'user' ? own : [];
  });
}

/** Nodes in the group: sampled and not pruned. */
export const standingNodes = (tree: TreeState): readonly TurnNode[] =>
  tree.nodes.filter((node) => node !== undefined && !node.pruned) as TurnNode[]; // filter narrows no arrays

/** Leaves in row order once chosen; before that every ended path, in order of arrival. */
export function leavesOf(tree: TreeState): readonly NodeId[] {
  if (tree.leaves.length > 0) return tree.leaves;
  return standingNodes(tree)
    .filter((node) => node.ending !== null)
    .map((node) => node.id);
}

export const rewardOf = (tree: TreeState, leaf: NodeId): number | null => tree.rewards?.[leaf] ?? null;

/** The leaf of the highest reward; the first of equals in row order. Null before any path ended. */
export function bestLeaf(tree: TreeState): NodeId | null {
  const score = (leaf: NodeId): number => rewardOf(tree, leaf) ?? -Infinity;
  return leavesOf(tree).reduce<NodeId | null>(
    (best, leaf) => (best === null || score(leaf) > score(best) ? leaf : best),
    null,
  );
}

/** Several rewards, all equal: nothing stands out and the prompt teaches nothing. False before rewards. */
export function isDead(tree: TreeState): boolean {
  if (!tree.rewards || tree.leaves.length < 2) return false;
  const first = rewardOf(tree, tree.leaves[0]);
  return tree.leaves.every((leaf) => rewardOf(tree, leaf) === first);
}

/** Root to node, both included; no further up than a node that has not arrived. */
export const pathTo = (tree: Pick<TreeState, 'nodes'>, node: NodeId): readonly TurnNode[] =>
  pathIds(tree, node).flatMap((id) => tree.nodes[id] ?? []);

/** Numbers the states of a tree's turns from 0: turns after one node that had read the same are of one. */
export function turnStates(): (after: number | null, turn: Pick<TurnNode, 'tokens' | 'mask'>) => number {
  const states = new Map<string, number>();
  return (after, { tokens, mask }) => {
    const key = `${after}|${tokens.slice(0, mask.indexOf(1)).join(' ')}`;
    const state = states.get(key) ?? states.size;
    states.set(key, state);
    return state;
  };
}

/** A token of a path as it is read. `position` counts from the row's first token, prompt included. */
export interface PathToken {
  readonly position: number;
  readonly text: string;
  readonly node: NodeId;
  readonly source: 'prompt' | 'policy' | 'environment';
  readonly logProb: number | null; // nats; null where the policy did not sample, and where nobody said
  readonly entropy: number | null; // nats
}

/**
 * The words from the prompt to the end of `node`.
 * @param vocabulary token texts by id
 */
export function pathTokens(
  tree: TreeState,
  node: NodeId,
  vocabulary: readonly string[],
): readonly PathToken[] {
  const tokens: PathToken[] = tree.prompt.tokens.map((id, position) => ({
    position,
    text: tokenText(vocabulary, id),
    node: ROOT,
    source: 'prompt',
    logProb: null,
    entropy: null,
  }));
  for (const turn of pathTo(tree, node))
    turn.tokens.forEach((id, index) => {
      const sampled = turn.mask[index] === 1;
      tokens.push({
        position: tokens.length,
        text: tokenText(vocabulary, id),
        node: turn.id,
        source: sampled ? 'policy' : 'environment',
        logProb: sampled ? (turn.logProb?.[index] ?? null) : null,
        entropy: sampled ? (turn.entropy?.[index] ?? null) : null,
      });
    });
  return tokens;
}

/** The tree as the algorithms take it, or null while it is growing. */
export function rolloutTree(tree: TreeState): RecordedTree | null {
  if (tree.leaves.length === 0 || tree.nodes.some((node) => node === undefined)) return null;
  return {
    prompt: tree.prompt,
    nodes: tree.nodes as readonly TurnNode[], // no undefined: checked above
    leaves: tree.leaves,
    expansions: tree.expansions,
    ...(tree.search && { search: tree.search }),
  };
}

/** Nodes on screen when the first `cursor` growth steps have happened; null is all of them. */
export function nodesGrown(tree: TreeState, cursor: number | null): readonly (TurnNode | undefined)[] {
  if (cursor === null || cursor >= tree.growth.length) return tree.nodes;
  const grown = new Set<NodeId>([ROOT]);
  for (const step of tree.growth.slice(0, cursor)) if (step.kind === 'node') grown.add(step.node);
  return tree.nodes.map((node) =>
    node && grown.has(node.id)
      ? { ...node, children: node.children.filter((child) => grown.has(child)) }
      : undefined,
  );
}

/** One metric by update, null while an update has none. */
export const metricSeries = (run: RunState, key: keyof UpdateMetrics): readonly (number | null)[] =>
  run.updates.map((update) => update.metrics?.[key] ?? null);
