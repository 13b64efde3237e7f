/** Phase value: leaf rewards normalised within their tree, and backed up to every node. */
import { backUpValues, normaliseLeaves } from '../../algo/credit/credit.ts';
import type { CreditConfig } from '../../units.ts';
import type { MeasuredGroup, ValuedGroup } from './batches.ts';

export const backUp = (
  groups: readonly MeasuredGroup[],
  { leafNormalisation, valueRule }: CreditConfig,
): readonly ValuedGroup[] =>
  groups.map((group) => {
    const normalised = normaliseLeaves(group.tree, group.rewards, leafNormalisation);
    return { ...group, normalised, values: backUpValues(group.tree, normalised.byNode, valueRule) };
  });
