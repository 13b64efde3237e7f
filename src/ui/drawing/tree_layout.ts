/**
 * Places a turn tree left to right, one column per turn, one row per leaf. Time O(nodes).
 *
 * Stability while a tree grows, on purpose without the tidy tree's centring:
 * - a node stands in the row of its first child, so a continuation never moves the nodes before it;
 * - siblings keep creation order, so a new sibling opens the row below its elder siblings' subtrees:
 *   only rows further down move, by exactly one, and nothing ever moves sideways or overtakes;
 * - a stack stands below the siblings shown, so a sibling that joins it moves nothing;
 * - `capacity` reserves rows for leaves still to come (M + L·K), so that scale and height stay.
 * Pure: no DOM, no React.
 */
import { ROOT, type NodeId } from '../../units.ts';

/** What the layout reads of a node. */
export interface LayoutInput {
  readonly id: NodeId;
  readonly parent: NodeId | null;
  readonly children: readonly NodeId[]; // creation order
}

/** What is put away, to be opened again. */
export interface Folding {
  readonly collapsed: ReadonlySet<NodeId>; // their children are hidden
  readonly stackBeyond: number; // siblings shown before the younger ones share one row
  readonly opened: ReadonlySet<NodeId>; // parents whose children are never stacked
  readonly revealed: ReadonlySet<NodeId>; // nodes that stand outside any stack
}

export interface TreeLayoutOptions {
  readonly columnWidth: number; // px
  readonly rowHeight: number; // px
  readonly capacity?: number; // rows to reserve
  readonly columnCapacity?: number; // columns to reserve, root included
  readonly folding?: Partial<Folding>;
}

/** Where something stands. */
interface Place {
  readonly column: number; // 0 is the root
  readonly row: number;
  readonly x: number; // px, column · columnWidth
  readonly y: number; // px, centre of the row
}

export interface PlacedNode extends Place {
  readonly id: NodeId;
  readonly parent: NodeId | null;
  readonly leafCount: number; // rows below, itself if childless; hidden ones count
  readonly hiddenCount: number; // nodes hidden below a collapsed node
}

/** The younger siblings of a wide fan-out, in one row. */
export interface PlacedStack extends Place {
  readonly parent: NodeId;
  readonly children: readonly NodeId[];
  readonly nodeCount: number; // these children and all below them
}

export interface PlacedLink {
  readonly source: PlacedNode;
  readonly target: PlacedNode;
}

export interface TreeLayout {
  readonly nodes: readonly PlacedNode[]; // pre-order: rows never fall
  readonly byId: ReadonlyMap<NodeId, PlacedNode>;
  readonly links: readonly PlacedLink[]; // by target, pre-order
  readonly stacks: readonly PlacedStack[]; // rows never fall
  readonly columns: number; // reserved ones included
  readonly rows: number;
  readonly columnWidth: number; // px
  readonly rowHeight: number; // px
  readonly width: number; // px
  readonly height: number; // px
}

type Nodes = readonly (LayoutInput | undefined)[];

const childrenOf = (nodes: Nodes, id: NodeId): readonly NodeId[] =>
  (nodes[id]?.children ?? []).filter((child) => nodes[child] !== undefined);

/** Leaves and nodes of every subtree, by NodeId. */
function countBelow(nodes: Nodes) {
  const order = [ROOT];
  for (let at = 0; at < order.length; at += 1) order.push(...childrenOf(nodes, order[at]));
  const leaves: number[] = [];
  const total: number[] = [];
  for (const id of order.reverse()) {
    const children = childrenOf(nodes, id);
    leaves[id] = children.reduce((sum, child) => sum + leaves[child], 0) || 1;
    total[id] = children.reduce((sum, child) => sum + total[child], 1);
  }
  return { leaves, total };
}

/** The children of a node that stand by themselves, and those in its stack. */
function divide(children: readonly NodeId[], parent: NodeId, folding: Partial<Folding>) {
  const { collapsed, stackBeyond = Infinity, opened, revealed } = folding;
  if (collapsed?.has(parent)) return { shown: [], stacked: [] };
  if (children.length <= stackBeyond || opened?.has(parent)) return { shown: children, stacked: [] };
  const alone = (child: NodeId, index: number): boolean =>
    index < stackBeyond || (revealed?.has(child) ?? false);
  return {
    shown: children.filter(alone),
    stacked: children.filter((child, index) => !alone(child, index)),
  };
}

/** What waits to be placed; `row` is given for a first child, who shares its parent's. */
interface Waiting {
  readonly id: NodeId; // of the node, or of the stack's parent
  readonly column: number;
  readonly row: number | null;
  readonly stacked: readonly NodeId[] | null; // null: a node
}

/**
 * @param nodes by NodeId; undefined where a node is not there yet
 * @returns places in px; no nodes when there is no root
 */
export function layOutTree(nodes: Nodes, options: TreeLayoutOptions): TreeLayout {
  const { columnWidth, rowHeight, folding = {} } = options;
  const { leaves, total } = countBelow(nodes);
  const byId = new Map<NodeId, PlacedNode>();
  const stacks: PlacedStack[] = [];
  let rows = 0;
  let columns = 0;
  const waiting: Waiting[] = nodes[ROOT] ? [{ id: ROOT, column: 0, row: 0, stacked: null }] : [];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { id, column, row = null, stacked } = next;
    const place = rowAt(row ?? rows, column, columnWidth, rowHeight);
    columns = Math.max(columns, column + 1);
    if (stacked) {
      const nodeCount = stacked.reduce((sum, child) => sum + total[child], 0);
      stacks.push({ ...place, parent: id, children: stacked, nodeCount });
      rows = place.row + 1;
      continue;
    }
    const children = childrenOf(nodes, id);
    const parts = divide(children, id, folding);
    const hiddenCount = folding.collapsed?.has(id) ? total[id] - 1 : 0;
    byId.set(id, { ...place, id, parent: nodes[id]?.parent ?? null, leafCount: leaves[id], hiddenCount });
    if (parts.shown.length === 0) rows = place.row + 1;
    if (parts.stacked.length > 0) waiting.push({ id, column: column + 1, row: null, stacked: parts.stacked });
    for (let index = parts.shown.length - 1; index >= 0; index -= 1)
      waiting.push({
        id: parts.shown[index],
        column: column + 1,
        row: index === 0 ? place.row : null,
        stacked: null,
      });
  }
  return finish(byId, stacks, Math.max(rows, options.capacity ?? 0), columns, options);
}

const rowAt = (row: number, column: number, columnWidth: number, rowHeight: number): Place => ({
  column,
  row,
  x: column * columnWidth,
  y: (row + 0.5) * rowHeight,
});

function finish(
  byId: ReadonlyMap<NodeId, PlacedNode>,
  stacks: readonly PlacedStack[],
  rows: number,
  used: number,
  { columnWidth, rowHeight, columnCapacity = 0 }: TreeLayoutOptions,
): TreeLayout {
  const nodes = [...byId.values()];
  const links = nodes.flatMap((target) => {
    const source = target.parent === null ? undefined : byId.get(target.parent);
    return source ? [{ source, target }] : [];
  });
  const columns = Math.max(used, columnCapacity);
  const [width, height] = [columns * columnWidth, rows * rowHeight];
  return { nodes, byId, links, stacks, columns, rows, columnWidth, rowHeight, width, height };
}

const MAX_BEND = 10; // px

/** SVG path of a link: along the parent's row, then a rounded drop to the child's. */
export function linkPath(
  { source, target }: { readonly source: Pick<Place, 'x' | 'y'>; readonly target: Pick<Place, 'x' | 'y'> },
  inset = 0,
): string {
  const [x0, x1] = [source.x + inset, target.x - inset];
  if (source.y === target.y) return `M${x0} ${source.y}H${x1}`;
  const bend = Math.min((x1 - x0) / 2, Math.abs(target.y - source.y) / 2, MAX_BEND);
  const middle = x0 + bend;
  return `M${x0} ${source.y}Q${middle} ${source.y} ${middle} ${source.y + bend}V${target.y - bend}Q${middle} ${target.y} ${middle + bend} ${target.y}H${x1}`;
}
