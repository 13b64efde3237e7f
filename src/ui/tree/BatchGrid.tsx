/** All trees of an update as small multiples: dead ones marked, filters by what can be learnt, data set and reward. */
import { countWords } from '../parts/format.ts';
import { useCallback, useRef } from 'react';
import { isDead, leavesOf, rewardOf } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { TREE_STATES, type BatchFilter, type TreeStatus } from '../../store/place/selection.ts';
import { useRecipe, useLab, useSelection, useUpdate, useUpdateNumber } from '../parts/binding.ts';
import { rewardClass } from '../parts/scales.ts';
import { useKeys } from '../shell/keys.tsx';
import { TreeButton, columnsOf } from '../parts/BatchStrip.tsx';
import { SavePage } from '../drawing/SaveDrawing.tsx';
import { REWARD_CLASSES } from './TreeTools.tsx';

const statusOf = (tree: TreeState): TreeStatus =>
  tree.dropped ? 'dropped' : isDead(tree) ? 'dead' : tree.rewards ? 'live' : 'all';

const hasReward = (tree: TreeState, kind: string): boolean =>
  leavesOf(tree).some((leaf) => rewardClass(rewardOf(tree, leaf)) === kind);

/** Trees that a filter lets through; one that is still growing is in 'all' only. */
export const filterTrees = (
  trees: readonly TreeState[],
  { status, dataset, reward }: BatchFilter,
): readonly TreeState[] =>
  trees.filter(
    (tree) =>
      (status === 'all' || statusOf(tree) === status) &&
      (dataset === '' || tree.prompt.dataset === dataset) &&
      (reward === '' || hasReward(tree, reward)),
  );

const NO_TREES: readonly TreeState[] = [];

export function BatchGrid() {
  const { selection } = useLab();
  const trees = useUpdate()?.trees ?? NO_TREES;
  const selected = useSelection((state) => state.prompt);
  const capacity = useRecipe((config) => config.algorithm.rollout.leavesPerTree) ?? 1;
  const filter = useSelection((state) => state.filter);
  const setFilter = (wanted: BatchFilter): void => selection.select({ filter: wanted });
  const open = useCallback((prompt: number): void => selection.select({ prompt, batch: false }), [selection]);
  const preview = useCallback(() => undefined, []);
  const back = (): void => selection.select({ batch: false });
  useKeys([
    { key: 'b', label: 'back to the tree', run: back },
    { key: 'Escape', label: 'back to the tree', run: back },
  ]);
  const grid = useRef<HTMLDivElement>(null);
  const number = useUpdateNumber();
  const columns = columnsOf(trees);
  const shown = filterTrees(trees, filter);
  const datasets = [...new Set(trees.map((tree) => tree.prompt.dataset))];
  const count = (status: TreeStatus): number => filterTrees(trees, { ...filter, status }).length;
  return (
    <section className="batch-grid" aria-label="Batch">
      <div className="bar" role="group" aria-label="Which trees">
        <button type="button" aria-keyshortcuts="b Escape" onClick={back}>
          ← Tree of prompt {selected + 1}
        </button>
        {TREE_STATES.map((status) => (
          <button
            key={status}
            type="button"
            aria-pressed={filter.status === status}
            onClick={() => setFilter({ ...filter, status })}
          >
            {status} {count(status)}
          </button>
        ))}
        <select
          aria-label="Data set"
          value={filter.dataset}
          onChange={(event) => setFilter({ ...filter, dataset: event.target.value })}
        >
          <option value="">any data set</option>
          {datasets.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <select
          aria-label="Has a leaf"
          value={filter.reward}
          onChange={(event) => setFilter({ ...filter, reward: event.target.value })}
        >
          <option value="">any leaves</option>
          {REWARD_CLASSES.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
        <output className="small soft">
          {shown.length} of {countWords(trees.length, 'tree')}
        </output>
        <SavePage
          name={`batch update${number}`}
          about={[`update ${number}, ${shown.length} of ${countWords(trees.length, 'tree')}`]}
          box={grid}
        />
      </div>
      <div ref={grid} className="multiples">
        {shown.map((tree) => (
          <TreeButton
            key={tree.prompt.index}
            tree={tree}
            selected={tree.prompt.index === selected}
            capacity={capacity}
            columns={columns}
            onPreview={preview}
            onOpen={open}
          />
        ))}
      </div>
      {shown.length === 0 && <p className="empty">No tree passes these filters.</p>}
    </section>
  );
}
