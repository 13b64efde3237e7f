/** A tree put together again from what was told of it, with the functions by which the page folds a log. */
import { addNode, withoutNodes } from '../../src/algo/tree/tree.ts';
import type { RecordedTree, TurnNode } from '../../src/units.ts';

interface TreeParts extends Omit<RecordedTree, 'nodes'> {
  readonly nodes: readonly TurnNode[]; // as observed when complete, without their children
  readonly pruned: readonly TurnNode['id'][];
}

export function assembleTree({ nodes: told, pruned, ...parts }: TreeParts): RecordedTree {
  const nodes: TurnNode[] = [];
  for (const node of told) addNode(nodes, node);
  return { ...parts, nodes: withoutNodes(nodes, new Set(pruned)) };
}
