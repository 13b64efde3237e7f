/** The advantages that the turns of a tree were trained with, in React. */
import { useMemo } from 'react';
import { trainedAdvantages, type AdvantageRanges } from '../../store/advantage_range.ts';
import type { TreeState, UpdateState } from '../../store/run_state.ts';
import type { CreditConfig } from '../../units.ts';
import { useRun, useUpdateNumber } from '../binding.ts';

const NO_TREES: UpdateState['trees'] = [];

/** @param update that the tree is of; the one on screen where it is not given */
export function useAdvantages(tree: TreeState | null, update?: number): AdvantageRanges | null {
  const shown = useUpdateNumber();
  const own = useRun((run): CreditConfig | null => run.header?.config.algorithm.credit ?? null);
  const trees = useRun((run) => run.updates[(update ?? shown) - 1]?.trees ?? NO_TREES);
  return useMemo(() => (tree && own ? trainedAdvantages(tree, own, trees) : null), [tree, own, trees]);
}
