/** Moving through a drawn tree with the arrow keys. Pure. */
import type { NodeId } from '../../units.ts';
import type { PlacedNode, PlacedStack, TreeLayout } from './tree_layout.ts';

/** Where the keyboard stands: on a node, or on the stack of a node's younger children. */
export interface TreeStop {
  readonly kind: 'node' | 'stack';
  readonly id: NodeId; // of the node; a stack's is its parent's
}

const atNode = (id: NodeId): TreeStop => ({ kind: 'node', id });

export const stackOf = (layout: TreeLayout, parent: NodeId): PlacedStack | undefined =>
  layout.stacks.find((stack) => stack.parent === parent);

/** What a stop stands on; undefined where it is not on screen. */
export const placeOf = (layout: TreeLayout, { kind, id }: TreeStop): PlacedNode | PlacedStack | undefined =>
  kind === 'stack' ? stackOf(layout, id) : layout.byId.get(id);

/** Nodes and stacks of a column from top to bottom; a cell holds one of them at most. */
function stopsOf(layout: TreeLayout, column: number): readonly TreeStop[] {
  const nodes = layout.nodes.map((place) => ({ place, stop: atNode(place.id) }));
  const stacks = layout.stacks.map((place) => ({
    place,
    stop: { kind: 'stack', id: place.parent } as const,
  }));
  return [...nodes, ...stacks]
    .filter(({ place }) => place.column === column)
    .toSorted((a, b) => a.place.row - b.place.row)
    .map(({ stop }) => stop);
}

/**
 * Right: first child. Left: parent. Up and down: the next node or stack of the same column. Home: the root. End: the
 * last of the column. Null when there is nowhere to go.
 */
export function neighbour(layout: TreeLayout, from: TreeStop, key: string): TreeStop | null {
  const at = placeOf(layout, from);
  const root = layout.nodes[0] ? atNode(layout.nodes[0].id) : null;
  if (!at) return root;
  const inColumn = (move: (place: number, stops: readonly TreeStop[]) => number): TreeStop | null => {
    const stops = stopsOf(layout, at.column);
    const place = stops.findIndex(({ kind, id }) => kind === from.kind && id === from.id);
    return stops[move(place, stops)] ?? null;
  };
  switch (key) {
    case 'ArrowRight': {
      const child = from.kind === 'node' && layout.nodes.find(({ parent }) => parent === from.id);
      return child ? atNode(child.id) : null;
    }
    case 'ArrowLeft':
      return at.parent === null ? null : atNode(at.parent);
    case 'ArrowUp':
      return inColumn((place) => place - 1);
    case 'ArrowDown':
      return inColumn((place) => place + 1);
    case 'Home':
      return root;
    case 'End':
      return inColumn((_, stops) => stops.length - 1);
    default:
      return null;
  }
}

/** The key opens what is put away at a stop: Enter, and Right as in every ARIA tree. */
export function opens(layout: TreeLayout, at: TreeStop, key: string): boolean {
  if (key !== 'Enter' && key !== 'ArrowRight') return false;
  return at.kind === 'stack' || (layout.byId.get(at.id)?.hiddenCount ?? 0) > 0;
}
