/** Phase advantage: what each turn is credited with, given the values of all groups of the update. */
import { turnAdvantages } from '../../algo/credit/credit.ts';
import type { CreditConfig } from '../../units.ts';
import type { CreditedGroup, ValuedGroup } from './batches.ts';
import type { Update } from './update.ts';

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
