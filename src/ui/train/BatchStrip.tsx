/** The update's prompts as tiny trees. Looking at one previews its question; choosing it opens the Tree view. */
import { countWords } from '../format.ts';
import { memo, useCallback } from 'react';
import { isDead, leavesOf, rewardOf } from '../../store/reading.ts';
import type { TreeState } from '../../store/run_state.ts';
import { useLab, useRun, useSelection, useUpdate, useVocabulary } from '../binding.ts';
import { RewardLegend } from '../marks.tsx';
import { rewardClass, type RewardClass } from '../scales.ts';
import { sentence } from '../words.ts';
import { TinyTree } from './TinyTree.tsx';

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
  readonly vocabulary: readonly string[];
  readonly onPreview: (prompt: number | null) => void;
  readonly onOpen: (prompt: number) => void;
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
  const { tree, selected, capacity, columns, vocabulary, onPreview, onOpen } = props;
  const { index } = tree.prompt;
  const question = sentence(tree.prompt.tokens.map((token) => vocabulary[token] ?? ''));
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
  const vocabulary = useVocabulary();
  const selected = useSelection((state) => state.prompt);
  const capacity = useRun((run) => run.header?.config.algorithm.rollout.leavesPerTree ?? 1);
  const { selection } = useLab();
  const trees = update?.trees ?? NO_TREES;
  const columns = columnsOf(trees);
  const dead = trees.filter((tree) => isDead(tree) && !tree.dropped).length;
  const dropped = trees.filter((tree) => tree.dropped).length;
  const heading = headingOf(trees.length, dead, dropped);
  const open = useCallback((prompt: number): void => selection.select({ prompt, view: 'tree' }), [selection]);
  return (
    <section className="batch" aria-label="Batch">
      <div className="section-head">
        <h2 className="one-line" title={heading}>
          {heading}
        </h2>
        <RewardLegend />
      </div>
      <div className="strip" data-many={trees.length > 8}>
        {trees.map((tree) => (
          <TreeButton
            key={tree.prompt.index}
            tree={tree}
            selected={tree.prompt.index === selected}
            capacity={capacity}
            columns={columns}
            vocabulary={vocabulary}
            onPreview={onPreview}
            onOpen={open}
          />
        ))}
      </div>
    </section>
  );
}
