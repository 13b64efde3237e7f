/** The part of a layout that a window shows, and what stands at a place of it: O(log n + what is in it). Pure. */
import type { NodeId } from '../../units.ts';
import type { Point } from './camera.ts';
import type { PlacedLink, PlacedNode, PlacedStack, TreeLayout } from './tree_layout.ts';

/** Index of the first entry of a row from `row` on; entries stand in order of their rows. */
function firstFrom(entries: readonly { readonly row: number }[], row: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].row < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface TreeWindow {
  readonly nodes: readonly PlacedNode[];
  readonly stacks: readonly PlacedStack[];
  readonly links: readonly PlacedLink[]; // every link that crosses the window; the long one to a last child stands for its sisters
}

const ROWS_AROUND = 1;

/** @param top px of the drawing; `bottom` likewise, both included */
export function treeWindow(
  layout: TreeLayout,
  top: number,
  bottom: number,
  lastChild: (id: NodeId) => PlacedNode | undefined,
): TreeWindow {
  const { nodes, stacks, rowHeight, byId } = layout;
  const firstRow = Math.floor(top / rowHeight) - ROWS_AROUND;
  const lastRow = Math.ceil(bottom / rowHeight) + ROWS_AROUND;
  const start = firstFrom(nodes, firstRow);
  const end = firstFrom(nodes, lastRow + 1);
  const inside = nodes.slice(start, end);
  const links: PlacedLink[] = [];
  for (const target of inside) {
    const source = target.parent === null ? undefined : byId.get(target.parent);
    if (source) links.push({ source, target });
  }
  // A link that leaves the window downwards starts at a node inside it, or at an ancestor of its first node.
  const sources = [...inside];
  for (let id = nodes[start]?.parent ?? null; id !== null; id = byId.get(id)?.parent ?? null) {
    const ancestor = byId.get(id);
    if (ancestor && ancestor.row < firstRow) sources.push(ancestor);
  }
  for (const source of sources) {
    const target = lastChild(source.id);
    if (target && target.row > lastRow) links.push({ source, target });
  }
  const firstStack = firstFrom(stacks, firstRow);
  return { nodes: inside, stacks: stacks.slice(firstStack, firstFrom(stacks, lastRow + 1)), links };
}

/** Last child on screen of every node, for `treeWindow`. */
export function lastChildren(layout: TreeLayout): ReadonlyMap<NodeId, PlacedNode> {
  return new Map(layout.links.map(({ source, target }) => [source.id, target]));
}

/** What is drawn within `reach` px of a place of the drawing. */
export function hitTest(layout: TreeLayout, place: Point, reach: number): PlacedNode | PlacedStack | null {
  const row = Math.floor(place.y / layout.rowHeight);
  for (const entries of [layout.nodes, layout.stacks])
    for (let at = firstFrom(entries, row); at < entries.length && entries[at].row === row; at += 1) {
      const entry = entries[at];
      if (Math.hypot(entry.x - place.x, entry.y - place.y) <= reach) return entry;
    }
  return null;
}
