/** All trees of an update as small multiples: sorted, filtered by what can be learnt, data set and reward; and which update. */
import { useCallback, useMemo, useRef } from 'react';
import { measureTrees, sortTrees, updatesWith, type TreeMeasures } from '../../store/loss/finding.ts';
import { isDead, leavesOf, rewardOf } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import {
  TREE_ORDERS,
  TREE_STATES,
  UPDATE_SIGNS,
  type BatchFilter,
  type TreeOrder,
  type TreeStatus,
  type UpdateSign,
} from '../../store/place/selection.ts';
import {
  useContextLength,
  useCreditRules,
  useLab,
  useRecipe,
  useRun,
  useSelection,
  useUpdate,
  useUpdateNumber,
} from '../parts/binding.ts';
import { countWords, formatCount, formatNats, formatNumber, formatShare } from '../parts/format.ts';
import { rewardClass } from '../parts/scales.ts';
import { useKeys } from '../shell/keys.tsx';
import { TreeButton, columnsOf } from '../parts/BatchStrip.tsx';
import { Label } from '../parts/Term.tsx';
import { SavePage } from '../drawing/SaveDrawing.tsx';
import { REWARD_CLASSES } from './TreeTools.tsx';

const STATE_TITLES: Readonly<Record<TreeStatus, string>> = {
  all: 'every tree of the update',
  live: 'mixed: leaves earned different rewards',
  dead: 'all leaves earned the same reward: nothing is learnt',
  dropped: 'the run’s filter left it out',
  clipped: 'a turn of a row is clipped in the loss',
  parted: 'the two rules of Compare push a token differently',
};

function hasStatus(tree: TreeState, measures: TreeMeasures | undefined, status: TreeStatus): boolean {
  switch (status) {
    case 'all':
      return true;
    case 'dropped':
      return tree.dropped;
    case 'dead':
      return !tree.dropped && isDead(tree);
    case 'live':
      return !tree.dropped && !isDead(tree) && tree.rewards !== null;
    case 'clipped':
      return (measures?.clipped ?? 0) > 0;
    case 'parted':
      return (measures?.disagreement ?? 0) > 0;
  }
  return status satisfies never;
}

const hasReward = (tree: TreeState, kind: string): boolean =>
  leavesOf(tree).some((leaf) => rewardClass(rewardOf(tree, leaf)) === kind);

/** Trees that a filter lets through; one that is still growing is in 'all' only. */
export const filterTrees = (
  trees: readonly TreeState[],
  measures: readonly TreeMeasures[],
  { status, dataset, reward }: BatchFilter,
): readonly TreeState[] =>
  trees.filter(
    (tree) =>
      hasStatus(tree, measures[tree.prompt.index], status) &&
      (dataset === '' || tree.prompt.dataset === dataset) &&
      (reward === '' || hasReward(tree, reward)),
  );

const ORDER_TITLES: Readonly<Record<TreeOrder, string>> = {
  prompt: 'prompt',
  spread: 'spread of rewards',
  entropy: 'entropy',
  disagreement: 'disagreement of two rules',
};

/** The number that a tree stands in its place by. */
function noteOf(measures: TreeMeasures | undefined, order: TreeOrder): string {
  const value = order === 'prompt' ? null : (measures?.[order] ?? null);
  if (value === null) return '';
  return order === 'spread' ? `σ ${formatNumber(value, 2)}` : order === 'entropy' ? formatNats(value) : `${formatShare(value)} differ`; // prettier-ignore
}

function useMeasures(): readonly TreeMeasures[] {
  const update = useUpdate();
  const own = useCreditRules();
  const contextLength = useContextLength();
  const loss = useRecipe((config) => config.algorithm.loss);
  const valueRule = useSelection(({ againstValue }) => againstValue);
  const advantageRule = useSelection(({ againstAdvantage }) => againstAdvantage);
  return useMemo(() => {
    const against = { valueRule, advantageRule, leafNormalisation: null };
    return update ? measureTrees(update, own && { own, against, contextLength }, loss) : [];
  }, [update, own, contextLength, loss, valueRule, advantageRule]);
}

// Which update: the first, the next, the one before in which something happened.

const SIGN_TITLES: Readonly<Record<UpdateSign, string>> = {
  clipped: 'turns or tokens are clipped',
  dead: 'a tree is dead',
  'all-dead': 'every tree is dead',
  malformed: 'a leaf is malformed',
  'none-right': 'no first path is right',
  'all-right': 'every first path is right',
  dropped: 'a prompt is dropped',
  skipped: 'a step is skipped',
};

function UpdateFinder() {
  const { selection } = useLab();
  const updates = useRun((run) => run.updates);
  const sign = useSelection((state) => state.sign);
  const here = useUpdateNumber();
  const found = useMemo(() => updatesWith(updates, sign), [updates, sign]);
  const [next, before] = [found.find((update) => update > here), found.findLast((update) => update < here)];
  const go = (update: number | undefined) => (): void => {
    if (update !== undefined) selection.select({ update });
  };
  useKeys([
    { key: 'n', label: 'next update in which it happened', run: go(next) },
    { key: 'N', label: 'update before in which it happened', run: go(before) },
  ]);
  return (
    <div className="bar" role="group" aria-label="Find an update">
      <label>
        <Label>update where</Label>{' '}
        <select
          value={sign}
          onChange={({ target }) => selection.select({ sign: UPDATE_SIGNS[target.selectedIndex] })}
        >
          {UPDATE_SIGNS.map((each) => (
            <option key={each} value={each}>
              {SIGN_TITLES[each]}
            </option>
          ))}
        </select>
      </label>
      <button type="button" disabled={found.length === 0 || found[0] === here} onClick={go(found[0])}>
        first
      </button>
      <button type="button" disabled={before === undefined} onClick={go(before)}>
        before <kbd>N</kbd>
      </button>
      <button type="button" disabled={next === undefined} onClick={go(next)}>
        next <kbd>n</kbd>
      </button>
      <output className="small soft">
        {formatCount(found.length)} of {countWords(updates.filter(({ metrics }) => metrics).length, 'update')}
        {found.includes(here) && ', this one too'}
      </output>
    </div>
  );
}

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
  const order = useSelection((state) => state.order);
  const measures = useMeasures();
  const shown = sortTrees(filterTrees(trees, measures, filter), measures, order);
  const datasets = [...new Set(trees.map((tree) => tree.prompt.dataset))];
  const count = (status: TreeStatus): number => filterTrees(trees, measures, { ...filter, status }).length;
  return (
    <section className="batch-grid" aria-label="Batch">
      <div className="bar" role="group" aria-label="Which trees">
        <button type="button" aria-keyshortcuts="b Escape" onClick={back}>
          <Label>{`← Tree of prompt ${selected + 1}`}</Label>
        </button>
        {TREE_STATES.map((status) => (
          <button
            key={status}
            type="button"
            aria-pressed={filter.status === status}
            title={STATE_TITLES[status]}
            onClick={() => setFilter({ ...filter, status })}
          >
            <Label>{status}</Label> {count(status)}
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
        <label>
          by{' '}
          <select
            aria-label="Order of the trees"
            value={order}
            onChange={({ target }) => selection.select({ order: TREE_ORDERS[target.selectedIndex] })}
          >
            {TREE_ORDERS.map((each) => (
              <option key={each} value={each}>
                {ORDER_TITLES[each]}
              </option>
            ))}
          </select>
        </label>
        <output className="small soft">
          {shown.length} of {countWords(trees.length, 'tree')}
        </output>
        <SavePage
          name={`batch update${number}`}
          about={[`update ${number}, ${shown.length} of ${countWords(trees.length, 'tree')}`]}
          box={grid}
        />
      </div>
      <UpdateFinder />
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
            note={noteOf(measures[tree.prompt.index], order)}
          />
        ))}
      </div>
      {shown.length === 0 && <p className="empty">No tree passes these filters.</p>}
    </section>
  );
}
