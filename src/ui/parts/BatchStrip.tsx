/** The update's prompts as tiny trees. Looking at one previews its question; choosing it opens the Tree view. */
import { memo, useCallback, useRef } from 'react';
import { isDead, leavesOf, rewardOf } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { ROOT, type NodeId } from '../../units.ts';
import { SavePage } from '../drawing/SaveDrawing.tsx';
import { layOutTree, linkPath, type TreeLayout } from '../drawing/tree_layout.ts';
import { useRecipe, useLab, useSelection, useQuestion, useUpdate } from './binding.ts';
import { countWords } from './format.ts';
import { RewardLegend, rewardMarkPath, rewardMarkStyle } from './parts.tsx';
import { rewardClass, type RewardClass } from './scales.ts';
import { Label } from './Term.tsx';

// One tree of the batch in a few SVG paths: links, turns, and leaves marked by reward.

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

const WORDS: readonly (readonly [RewardClass, string])[] = [
  ['correct', 'correct'],
  ['partial', 'partly correct'],
  ['wrong', 'wrong'],
  ['malformed', 'malformed'],
];

/** "11 leaves: 4 correct, 6 wrong, 1 malformed" */
export function describeLeaves(tree: TreeState): string {
  const leaves = leavesOf(tree);
  const classes = leaves.map((leaf) => rewardClass(rewardOf(tree, leaf)));
  const counts = WORDS.map(
    ([kind, word]) => [classes.filter((other) => other === kind).length, word] as const,
  );
  const said = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return `${countWords(leaves.length, 'leaf')}${said.length > 0 ? `: ${said.join(', ')}` : ''}`;
}

interface TreeButtonProps {
  readonly tree: TreeState;
  readonly selected: boolean;
  readonly capacity: number;
  readonly columns: number;
  readonly onPreview: (prompt: number | null) => void;
  readonly onOpen: (prompt: number) => void;
  readonly note?: string; // beside the caption
}

/** Share of leaves that are correct, once there are rewards; a word where nothing can or shall be learnt. */
function caption(tree: TreeState): string {
  if (tree.dropped) return 'dropped';
  if (isDead(tree)) return 'dead';
  if (!tree.rewards) return tree.leaves.length > 0 ? 'grown' : '';
  const correct = leavesOf(tree).filter((leaf) => rewardClass(rewardOf(tree, leaf)) === 'correct').length;
  return `${correct} of ${tree.leaves.length}`;
}

export const TreeButton = memo(function TreeButton(props: TreeButtonProps) {
  const { tree, selected, capacity, columns, onPreview, onOpen, note = '' } = props;
  const { index } = tree.prompt;
  const question = useQuestion()(tree.prompt);
  return (
    <button
      type="button"
      className="tree-button"
      aria-current={selected ? 'true' : undefined}
      data-dead={isDead(tree) || tree.dropped}
      onMouseEnter={() => onPreview(index)}
      onMouseLeave={() => onPreview(null)}
      onFocus={() => onPreview(index)}
      onBlur={() => onPreview(null)}
      onClick={() => onOpen(index)}
    >
      <TinyTree tree={tree} capacity={capacity} columns={columns} />
      <span className="tree-caption small">
        <span className="number">
          <span className="visually-hidden">Prompt </span>
          {index + 1}
        </span>
        {note !== '' && <span className="number">{note}</span>}
        <span>{caption(tree)}</span>
      </span>
      <span className="visually-hidden">
        {question} {describeLeaves(tree)}. Open its tree.
      </span>
    </button>
  );
});

/** Root and four turns: most paths fit, so that trees seldom shrink while they grow. */
const MIN_COLUMNS = 5;
const NO_TREES: readonly TreeState[] = [];

/** Columns a tree takes: root and the turns of its longest path. */
const depthOf = (tree: TreeState): number =>
  tree.nodes.reduce((most, node) => (node?.parent == null ? most : Math.max(most, node.depth + 2)), 1);

/** Columns that show all trees at one scale. */
export const columnsOf = (trees: readonly TreeState[]): number =>
  Math.max(MIN_COLUMNS, ...trees.map(depthOf));

/** One line, however many trees turn out dead while they grow: a second would push the tiles. */
function headingOf(trees: number, dead: number, dropped: number): string {
  if (trees === 0) return 'No trees yet: press Play';
  const parts = [countWords(trees, 'tree')];
  if (dead > 0) parts.push(`${dead} dead (equal rewards)`);
  if (dropped > 0) parts.push(`${dropped} dropped by the filter`);
  return parts.join(' · ');
}

export function BatchStrip({ onPreview }: { readonly onPreview: (prompt: number | null) => void }) {
  const update = useUpdate();
  const selected = useSelection((state) => state.prompt);
  const capacity = useRecipe((config) => config.algorithm.rollout.leavesPerTree) ?? 1;
  const { selection } = useLab();
  const trees = update?.trees ?? NO_TREES;
  const columns = columnsOf(trees);
  const dead = trees.filter((tree) => isDead(tree) && !tree.dropped).length;
  const dropped = trees.filter((tree) => tree.dropped).length;
  const strip = useRef<HTMLDivElement>(null);
  const heading = headingOf(trees.length, dead, dropped);
  const open = useCallback((prompt: number): void => selection.select({ prompt, view: 'tree' }), [selection]);
  return (
    <section className="batch" aria-label="Batch">
      <div className="section-head">
        <h2 className="one-line" title={heading}>
          <Label>{heading}</Label>
        </h2>
        <RewardLegend />
        {update && (
          <SavePage
            name={`batch update${update.update}`}
            about={[`update ${update.update}, ${heading}`]}
            box={strip}
          />
        )}
      </div>
      <div ref={strip} className="strip" data-many={trees.length > 8}>
        {trees.map((tree) => (
          <TreeButton
            key={tree.prompt.index}
            tree={tree}
            selected={tree.prompt.index === selected}
            capacity={capacity}
            columns={columns}
            onPreview={onPreview}
            onOpen={open}
          />
        ))}
      </div>
    </section>
  );
}
