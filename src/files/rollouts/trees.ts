/**
 * Groups to trees. A file holds chains: rows that begin with the same turns are put together up to the turn where they part,
 * which is inferred and said so. The last turn of a row stays its own leaf, however equal it is to another. Where a file says
 * which node of a tree each turn is, that is taken instead, and nothing is inferred. Pure.
 */
import { ImportError, isTurn, promptOf, type Rollout, type Row, type Span } from './rollout.ts';

/** What opened a turn and the turn itself; of a row's last, also what was read after it. */
export interface Segment {
  readonly spans: readonly Span[];
}

/** Turns of a row, each with what was read before it since the last. */
export function segmentsOf(row: Row): readonly Segment[] {
  const segments: Span[][] = [];
  let open: Span[] = [];
  for (const each of row.spans.slice(promptOf(row).length)) {
    open.push(each);
    if (!isTurn(each)) continue;
    segments.push(open);
    open = [];
  }
  segments.at(-1)?.push(...open);
  return segments.map((spans) => ({ spans }));
}

/** A row of the group, and the rollout that it is of. */
export interface GroupRow {
  readonly rollout: Rollout;
  readonly row: Row; // of the rollout
  readonly segments: readonly Segment[];
  readonly prompt: string;
}

export interface GroupNode {
  readonly id: number; // the root is 0; parents come before children
  readonly parent: number | null;
  readonly rows: readonly number[]; // that pass through it
  readonly turns: number; // from the prompt to its end
  readonly isInferred: boolean; // several rollouts share it because they read alike
}

export interface GroupTree {
  readonly rows: readonly GroupRow[];
  readonly nodes: readonly GroupNode[];
  readonly paths: readonly (readonly number[])[]; // by row, from its first turn to its leaf; the root is left out
}

/** Where rows of several rollouts part after the same turns. */
export interface Merge {
  readonly node: number;
  readonly turns: number; // "same for 2 turns"
  readonly rows: readonly number[];
}

const textOf = (spans: readonly Span[]): string =>
  JSON.stringify(spans.map(({ author, text }) => [author, text]));

/** Rows with turns; a rollout that never came to one has no path. */
export const rowsOfGroup = (rollouts: readonly Rollout[]): readonly GroupRow[] =>
  rollouts.flatMap((rollout) =>
    rollout.rows.flatMap((row) => {
      const segments = segmentsOf(row);
      return segments.length === 0 ? [] : [{ rollout, row, segments, prompt: textOf(promptOf(row)) }];
    }),
  );

/** Nodes of the paths, numbered anew in the order of the rows. */
function fromPaths(rows: readonly GroupRow[], paths: readonly (readonly number[])[]): GroupTree {
  const ids = new Map<number, number>([[0, 0]]);
  const nodes: { parent: number | null; rows: number[]; turns: number }[] = [{ parent: null, rows: rows.map((_, at) => at), turns: 0 }]; // prettier-ignore
  const renumbered = paths.map((path, row) => {
    let parent = 0;
    return path.map((key, depth) => {
      const id = ids.get(key) ?? nodes.length;
      if (id === nodes.length) {
        ids.set(key, id);
        nodes.push({ parent, rows: [], turns: depth + 1 });
      }
      nodes[id].rows.push(row);
      parent = id;
      return id;
    });
  });
  const isInferred = (of: readonly number[]): boolean => new Set(of.map((row) => rows[row].rollout)).size > 1;
  return {
    ...{ rows, paths: renumbered },
    nodes: nodes.map((node, id) => ({ id, ...node, isInferred: id > 0 && isInferred(node.rows) })),
  };
}

/** The node that the file says a segment is; null where it says none. */
const saidNode = ({ spans }: Segment): string | null => spans.find(isTurn)?.node?.key ?? null;

/** The tree of a group: as its file has it, else by common prefixes. */
export function treeOf(rollouts: readonly Rollout[]): GroupTree {
  const rows = rowsOfGroup(rollouts);
  const isSaid = rows.every(({ segments }) => segments.every((segment) => saidNode(segment) !== null));
  const known = new Map<string, number>(); // by the node above and the words
  let next = 1;
  const paths = rows.map(({ segments, prompt }) => {
    let above = 0;
    return segments.map(({ spans }, at) => {
      const isOwn = at === segments.length - 1 && !isSaid;
      const words = isSaid ? saidNode({ spans }) : textOf(spans);
      const key = `${above}|${above === 0 ? prompt : ''}|${words}`;
      const found = isOwn ? undefined : known.get(key);
      const id = found ?? next++;
      if (!isOwn) known.set(key, id);
      above = id;
      return id;
    });
  });
  const tree = fromPaths(rows, paths);
  return isSaid ? { ...tree, nodes: tree.nodes.map((node) => ({ ...node, isInferred: false })) } : tree;
}

/** In the order of the nodes. */
export const mergesOf = ({ nodes }: GroupTree): readonly Merge[] =>
  nodes
    .filter(({ id, isInferred }) => isInferred && nodes.filter(({ parent }) => parent === id).length > 1)
    .map(({ id, turns, rows }) => ({ node: id, turns, rows }));

const cannot = (where: string, got: string, wanted: string): ImportError =>
  new ImportError({ what: 'The tree cannot be changed so', where, got, wanted, next: 'Choose other turns.' });

/**
 * Takes some rows out of a node that they share: they get turns of their own from there on.
 * @throws ImportError where the rows are none of it, or all of it
 */
export function splitNode(tree: GroupTree, node: number, rows: readonly number[]): GroupTree {
  const shared = tree.nodes[node]?.rows ?? [];
  if (
    node === 0 ||
    rows.length === 0 ||
    rows.length >= shared.length ||
    rows.some((row) => !shared.includes(row))
  )
    throw cannot(`node ${node}`, `rows ${rows.join(', ')}`, `some, not all, of rows ${shared.join(', ')}`);
  const from = tree.nodes.length;
  const depth = tree.nodes[node].turns - 1;
  const paths = tree.paths.map((path, row) =>
    rows.includes(row) ? path.map((id, at) => (at >= depth ? from + id : id)) : path,
  );
  return fromPaths(tree.rows, paths);
}

const wordsAt = (tree: GroupTree, node: number): string => {
  const [row] = tree.nodes[node].rows;
  const at = tree.nodes[node].turns - 1;
  return `${at === 0 ? tree.rows[row].prompt : ''}${textOf(tree.rows[row].segments[at].spans)}`;
};

/**
 * Puts two turns together that stand after the same turn and read alike.
 * @throws ImportError where they do not, or where one ends its row
 */
export function mergeNodes(tree: GroupTree, one: number, other: number): GroupTree {
  const [a, b] = [tree.nodes[one], tree.nodes[other]];
  if (!a || !b || a.parent === null || a.parent !== b.parent || one === other)
    throw cannot(`nodes ${one} and ${other}`, 'turns of different places', 'two turns after the same turn');
  if (wordsAt(tree, one) !== wordsAt(tree, other))
    throw cannot(`nodes ${one} and ${other}`, 'turns that differ', 'two turns that read alike');
  const ends = (id: number): boolean => tree.paths.some((path) => path.at(-1) === id);
  if (ends(one) || ends(other))
    throw cannot(`nodes ${one} and ${other}`, 'a turn that ends its row', 'two turns that are gone on from');
  const paths = tree.paths.map((path) => path.map((id) => (id === other ? one : id)));
  return fromPaths(tree.rows, paths);
}
