/** Phases value and advantage: leaf rewards are normalised and backed up to every node; each turn is credited. */
import { backUpValues, normaliseLeaves, turnAdvantages } from '../../algo/credit/credit.ts';
import type { CreditConfig } from '../../units.ts';
import type { CreditedGroup, MeasuredGroup, ValuedGroup } from './batches.ts';
import type { Update } from './update.ts';

/** Phase value. */
export const backUp = (
  groups: readonly MeasuredGroup[],
  { leafNormalisation, valueRule }: CreditConfig,
): readonly ValuedGroup[] =>
  groups.map((group) => {
    const normalised = normaliseLeaves(group.tree, group.rewards, leafNormalisation);
    return { ...group, normalised, values: backUpValues(group.tree, normalised.byNode, valueRule) };
  });

/** Phase advantage, given the values of all groups of the update. */
export function assignAdvantages(
  groups: readonly ValuedGroup[],
  credit: CreditConfig,
): readonly CreditedGroup[] {
  const trees = groups.map((group) => ({ ...group, values: group.values.byNode }));
  const advantages = turnAdvantages(trees, credit);
  return groups.map((group, g) => ({ ...group, advantages: advantages[g] }));
}

export function postCredit({ run, update }: Update, groups: readonly CreditedGroup[]): void {
  const { valueRule, advantageRule } = run.config.algorithm.credit;
  const trees = groups.map(({ tree, normalised, values, advantages }) => ({
    prompt: tree.prompt.index,
    valueRule,
    advantageRule,
    normalised: normalised.byNode,
    values: values.byNode,
    advantages: advantages.byNode,
  }));
  run.post({ kind: 'credit', update, trees });
}
