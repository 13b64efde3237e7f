/** Moving through a drawn tree with the arrow keys. Pure. */
import type { NodeId } from '../../units.ts';
import type { TreeLayout } from '../layout/tree_layout.ts';

/**
 * Right: first child. Left: parent. Up and down: the next node of the same column. Home: the root. End: the
 * last node of the column. Null when there is nowhere to go.
 */
export function neighbour(layout: TreeLayout, from: NodeId, key: string): NodeId | null {
  const at = layout.byId.get(from);
  if (!at) return layout.nodes[0]?.id ?? null;
  const column = layout.nodes.filter((node) => node.column === at.column); // in order of rows, as all are
  const place = column.findIndex((node) => node.id === from);
  switch (key) {
    case 'ArrowRight':
      return layout.nodes.find((node) => node.parent === from)?.id ?? null;
    case 'ArrowLeft':
      return at.parent;
    case 'ArrowUp':
      return column[place - 1]?.id ?? null;
    case 'ArrowDown':
      return column[place + 1]?.id ?? null;
    case 'Home':
      return layout.nodes[0].id;
    case 'End':
      return column[column.length - 1].id;
    default:
      return null;
  }
}
