/** What an event of a log says of a tree or a row, against what the tree holds by then. `log_order.ts` asks. */
import type { LossRow } from './protocol.ts';
import type { TurnNode } from '../units.ts';

/** What one tree of a log may hold. */
export const TREE_BOUNDS = {
  nodes: 2 ** 15,
  /** Turns end out of the order in which they began: ids of those that still grow may be missing, no more than these. */
  missing: 2 ** 12,
  callLimit: 2 ** 10, // columns that a drawing keeps free
  prompts: 2 ** 14, // of an update, where no configuration says
  texts: 2 ** 22, // different words of a record
} as const;

/** Throws what is wrong with a field of the event. */
export type Refuse = (field: string, got: unknown, wanted: string) => never;

/** A tree as far as it has grown. */
export interface SeenTree {
  readonly depths: Map<number, number>; // by node id; the root is there from the start
  rooted: boolean; // its own event has come
  last: number; // highest id
  iterations: number;
  chosen: boolean; // its rows are chosen, and it grows no more
  rewarded: boolean;
  credited: boolean;
}

export const newTree = (): SeenTree => ({
  depths: new Map([[0, 0]]),
  rooted: false,
  last: 0,
  iterations: 0,
  chosen: false,
  rewarded: false,
  credited: false,
});

/** A node that grew: its parent stands, its depth follows, its lists are as long as its tokens. */
export function addNode(tree: SeenTree, node: TurnNode, vocabularySize: number, refuse: Refuse): void {
  if (tree.chosen) refuse('node.id', node.id, 'no node after the rows of the tree were chosen');
  if (node.id === 0) return addRoot(tree, node, refuse);
  checkNodeId(tree, node.id, refuse);
  const above = node.parent === null ? undefined : tree.depths.get(node.parent);
  if (above === undefined || (node.parent as number) >= node.id)
    refuse('node.parent', node.parent, 'an earlier node of the tree');
  else if (node.depth !== above && node.depth !== above + 1)
    refuse('node.depth', node.depth, `${above} or ${above + 1}, by its parent`);
  if (node.children.length > 0) refuse('node.children', node.children, 'none: children name their parent');
  checkOwnTokens(node, vocabularySize, refuse);
  tree.depths.set(node.id, node.depth);
  tree.last = Math.max(tree.last, node.id);
}

/** The root holds no words of its own; it may come or be left out. */
function addRoot(tree: SeenTree, node: TurnNode, refuse: Refuse): void {
  const { parent, depth, tokens, origin } = node;
  if (tree.rooted) refuse('node.id', 0, 'an id that the tree does not have yet');
  if (parent !== null || origin.kind !== 'root' || depth !== 0 || tokens.length > 0)
    refuse('node', { parent, origin, depth }, 'a root: no parent, depth 0, no tokens');
  checkOwnTokens(node, 0, refuse);
  tree.rooted = true;
}

function checkNodeId({ depths, last }: SeenTree, id: number, refuse: Refuse): void {
  if (depths.has(id)) refuse('node.id', id, 'an id that the tree does not have yet');
  if (id >= TREE_BOUNDS.nodes) refuse('node.id', id, `below ${TREE_BOUNDS.nodes}, the most nodes of a tree`);
  const missing = Math.max(id, last) - depths.size;
  if (missing > TREE_BOUNDS.missing)
    refuse(
      'node.id',
      id,
      `an id near the ${depths.size} nodes so far: at most ${TREE_BOUNDS.missing} may be missing`,
    );
}

export function checkTokens(tokens: readonly number[], size: number, field: string, refuse: Refuse): void {
  const wrong = tokens.findIndex((token) => !Number.isInteger(token) || token < 0 || token >= size);
  if (wrong >= 0) refuse(`${field}.${wrong}`, tokens[wrong], `a token of the vocabulary, below ${size}`);
}

export function checkLength(list: readonly unknown[], length: number, field: string, refuse: Refuse): void {
  if (list.length !== length) refuse(field, list.length, `${length} entries`);
}

function checkOwnTokens(node: TurnNode, vocabularySize: number, refuse: Refuse): void {
  const { tokens, mask, logProb, entropy, lastGenerationLength } = node;
  checkTokens(tokens, vocabularySize, 'node.tokens', refuse);
  for (const [name, list] of Object.entries({ mask, logProb, entropy }))
    if (list) checkLength(list, tokens.length, `node.${name}`, refuse);
  if (lastGenerationLength > tokens.length)
    refuse('node.lastGenerationLength', lastGenerationLength, `at most ${tokens.length}, the node's tokens`);
}

export function checkExists({ depths }: SeenTree, id: number, field: string, refuse: Refuse): void {
  if (!depths.has(id)) refuse(field, id, 'a node of the tree');
}

/** Nodes of the tree, none twice. */
export function checkIds(tree: SeenTree, ids: readonly number[], field: string, refuse: Refuse): void {
  ids.forEach((id, place) => checkExists(tree, id, `${field}.${place}`, refuse));
  if (new Set(ids).size !== ids.length) refuse(field, ids, 'no node twice');
}

/** One value for each node. */
export function checkTables(
  { depths }: SeenTree,
  tables: Readonly<Record<string, readonly unknown[] | null | undefined>>,
  field: string,
  refuse: Refuse,
): void {
  for (const [name, table] of Object.entries(tables))
    if (table) checkLength(table, depths.size, `${field}.${name}`, refuse);
}

export function checkRow(row: LossRow, field: string, refuse: Refuse): void {
  const { tokenIndex, turnIndex, turnLogRatio, clipScale } = row;
  const { oldLogProb, logProb, entropy, advantage, weight, tokenLoss, dlogProb } = row;
  const perToken = { turnIndex, oldLogProb, logProb, entropy, advantage, weight, tokenLoss, dlogProb };
  for (const [name, list] of Object.entries({ ...perToken, ...(clipScale && { clipScale }) }))
    checkLength(list, tokenIndex.length, `${field}.${name}`, refuse);
  const wrong = turnIndex.findIndex((turn) => !(turn in turnLogRatio));
  if (wrong >= 0)
    refuse(
      `${field}.turnIndex.${wrong}`,
      turnIndex[wrong],
      `a turn of the row, below ${turnLogRatio.length}`,
    );
  const unplaced = tokenIndex.findIndex(
    (place, at) => !Number.isInteger(place) || place <= (tokenIndex[at - 1] ?? -1),
  );
  if (unplaced >= 0)
    refuse(`${field}.tokenIndex.${unplaced}`, tokenIndex[unplaced], 'a later place of the row');
}
