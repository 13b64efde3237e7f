/**
 * Places a turn tree left to right, one column per turn, one row per leaf.
 *
 * Stability while a tree grows, on purpose without the tidy tree's centring:
 * - a node stands in the row of its first child, so a continuation never moves the nodes before it;
 * - siblings keep creation order, so a new sibling opens the row below its elder siblings' subtrees:
 *   only rows further down move, by exactly one, and nothing ever moves sideways or overtakes;
 * - `capacity` reserves rows for leaves still to come (M + L·K), so that scale and height stay.
 * Pure: no DOM, no React.
 */
import { hierarchy, type HierarchyNode } from 'd3-hierarchy';
import { ROOT, type NodeId } from '../../units.ts';

/** What the layout reads of a node. */
export interface LayoutInput {
  readonly id: NodeId;
  readonly parent: NodeId | null;
  readonly children: readonly NodeId[]; // creation order
}

export interface TreeLayoutOptions {
  readonly columnWidth: number; // px
  readonly rowHeight: number; // px
  readonly capacity?: number; // rows to reserve
  readonly columnCapacity?: number; // columns to reserve, root included
  readonly collapsed?: ReadonlySet<NodeId>; // their children are hidden
}

export interface PlacedNode {
  readonly id: NodeId;
  readonly parent: NodeId | null;
  readonly column: number; // 0 is the root
  readonly row: number;
  readonly x: number; // px, column · columnWidth
  readonly y: number; // px, centre of the row
  readonly leafCount: number; // rows below, itself if childless; hidden ones count
  readonly hiddenCount: number; // nodes hidden below a collapsed node
}

export interface PlacedLink {
  readonly source: PlacedNode;
  readonly target: PlacedNode;
}

export interface TreeLayout {
  readonly nodes: readonly PlacedNode[]; // pre-order
  readonly byId: ReadonlyMap<NodeId, PlacedNode>;
  readonly links: readonly PlacedLink[]; // by target, pre-order
  readonly columns: number; // reserved ones included
  readonly rows: number;
  readonly width: number; // px
  readonly height: number; // px
}

const EMPTY_LAYOUT: TreeLayout = {
  nodes: [],
  byId: new Map(),
  links: [],
  columns: 0,
  rows: 0,
  width: 0,
  height: 0,
};

const countLeaves = (node: HierarchyNode<LayoutInput>): number => node.leaves().length;

/**
 * @param nodes by NodeId; undefined where a node is not there yet
 * @returns places in px; empty when there is no root
 */
export function layOutTree(
  nodes: readonly (LayoutInput | undefined)[],
  options: TreeLayoutOptions,
): TreeLayout {
  const { columnWidth, rowHeight, collapsed } = options;
  const first = nodes[ROOT];
  if (!first) return EMPTY_LAYOUT;
  const root = hierarchy<LayoutInput>(first, (node) =>
    node.children.map((child) => nodes[child]).filter((child) => child !== undefined),
  );
  const byId = new Map<NodeId, PlacedNode>();
  let rows = 0;
  let columns = 1;
  const place = (node: HierarchyNode<LayoutInput>, row: number): void => {
    const { id, parent } = node.data;
    const hidden = collapsed?.has(id) ? node.descendants().length - 1 : 0;
    const [x, y] = [node.depth * columnWidth, (row + 0.5) * rowHeight];
    byId.set(id, {
      id,
      parent,
      column: node.depth,
      row,
      x,
      y,
      leafCount: countLeaves(node),
      hiddenCount: hidden,
    });
    columns = Math.max(columns, node.depth + 1);
    const children = hidden > 0 ? [] : (node.children ?? []);
    if (children.length === 0) rows = row + 1;
    children.forEach((child, index) => place(child, index === 0 ? row : rows));
  };
  place(root, 0);
  const placed = [...byId.values()];
  const links = placed.flatMap((target) => {
    const source = target.parent === null ? undefined : byId.get(target.parent);
    return source ? [{ source, target }] : [];
  });
  rows = Math.max(rows, options.capacity ?? 0);
  columns = Math.max(columns, options.columnCapacity ?? 0);
  return {
    nodes: placed,
    byId,
    links,
    columns,
    rows,
    width: columns * columnWidth,
    height: rows * rowHeight,
  };
}

const MAX_BEND = 10; // px

/** SVG path of a link: along the parent's row, then a rounded drop to the child's. */
export function linkPath({ source, target }: PlacedLink, inset = 0): string {
  const [x0, x1] = [source.x + inset, target.x - inset];
  if (source.row === target.row) return `M${x0} ${source.y}H${x1}`;
  const bend = Math.min((x1 - x0) / 2, Math.abs(target.y - source.y) / 2, MAX_BEND);
  const middle = x0 + bend;
  return `M${x0} ${source.y}Q${middle} ${source.y} ${middle} ${source.y + bend}V${target.y - bend}Q${middle} ${target.y} ${middle + bend} ${target.y}H${x1}`;
}
