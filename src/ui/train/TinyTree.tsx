/** One tree of the batch in a few SVG paths: links, turns, and leaves marked by reward. */
import { memo } from 'react';
import { leavesOf, rewardOf } from '../../store/reading.ts';
import type { TreeState } from '../../store/run_state.ts';
import { ROOT, type NodeId } from '../../units.ts';
import { layOutTree, linkPath, type TreeLayout } from '../layout/tree_layout.ts';
import { rewardMarkPath, rewardMarkStyle } from '../marks.tsx';
import { rewardClass, type RewardClass } from '../scales.ts';

const WIDTH = 164;
const HEIGHT = 104;
const PADDING = 7;
const CLASSES: readonly RewardClass[] = ['unscored', 'wrong', 'malformed', 'partial', 'correct'];

interface TinyTreeProps {
  readonly tree: TreeState;
  readonly capacity: number; // leaves the tree will have
  readonly columns: number; // root and turns at most
}

function dots(layout: TreeLayout, leaves: ReadonlySet<NodeId>, radius: number): string {
  return layout.nodes
    .filter(({ id }) => !leaves.has(id))
    .map(({ id, x, y }) => {
      const r = id === ROOT ? radius * 1.4 : radius;
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    })
    .join('');
}

function leafMarks(tree: TreeState, layout: TreeLayout, size: number): ReadonlyMap<RewardClass, string> {
  const paths = new Map<RewardClass, string>();
  for (const leaf of leavesOf(tree)) {
    const place = layout.byId.get(leaf);
    if (!place) continue;
    const kind = rewardClass(rewardOf(tree, leaf));
    paths.set(kind, (paths.get(kind) ?? '') + rewardMarkPath(kind, place.x, place.y, size));
  }
  return paths;
}

export const TinyTree = memo(function TinyTree({ tree, capacity, columns }: TinyTreeProps) {
  const layout = layOutTree(tree.nodes, {
    columnWidth: (WIDTH - 2 * PADDING) / Math.max(columns - 1, 1),
    rowHeight: (HEIGHT - PADDING) / Math.max(capacity, 1),
    capacity,
    columnCapacity: columns,
  });
  const size = Math.min(4.2, Math.max(2, (HEIGHT / Math.max(capacity, layout.rows)) * 0.4));
  const marks = leafMarks(tree, layout, size);
  const height = Math.max(HEIGHT, layout.height + PADDING);
  return (
    <svg className="tiny-tree" viewBox={`${-PADDING} ${-PADDING / 2} ${WIDTH} ${height}`} aria-hidden="true">
      <path className="links" d={layout.links.map((link) => linkPath(link)).join('')} />
      <path className="dots" d={dots(layout, new Set(leavesOf(tree)), size * 0.42)} />
      {CLASSES.map((kind) => (
        <path key={kind} d={marks.get(kind) ?? ''} style={rewardMarkStyle(kind)} />
      ))}
    </svg>
  );
});
