/** What the turns of a tree did: which calls failed, what was asked. */
import type { Environment, NodeId, NodeTable, RolloutTree, TokenId, TurnNode } from '../units.ts';
import { maskRuns } from './tree.ts';

const BROKEN: readonly (TurnNode['ending'] | undefined)[] = ['malformed', 'tool-failure', 'empty-call'];

/** Tokens that open the children of a node: the result of its call. Empty at leaves and in the middle of a turn. */
export function resultAfter(tree: RolloutTree, id: NodeId): readonly TokenId[] {
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
export const failedTurns = (tree: RolloutTree, env: Pick<Environment, 'callFailed'>): NodeTable<boolean> =>
  tree.nodes.map((node) => {
    if (BROKEN.includes(node.ending)) return true;
    const result = resultAfter(tree, node.id);
    return result.length > 0 && env.callFailed(lastTurn(node), result);
  });
