/**
 * Credit of the rollouts on screen, under the run's own rules or others: the same tree through the same
 * functions that train (src/algo), so that a what-if differs from training in its inputs only.
 */
import { assignCredit, type Credit, type CreditStep } from '../algo/credit.ts';
import type { CreditConfig, NodeTable } from '../units.ts';
import { rolloutTree } from './reading.ts';
import type { TreeState } from './run_state.ts';
import type { Selection } from './selection.ts';

export type { Credit, CreditStep, CreditStepKind, CreditTerm, Statistics } from '../algo/credit.ts';

/** The part of the selection that changes credit. */
export type CreditChoice = Pick<Selection, 'valueRule' | 'advantageRule' | 'leafNormalisation' | 'whatIf'>;

export interface Recredit extends Credit {
  readonly config: CreditConfig; // the rules in force
  readonly rewards: NodeTable<number | null>; // what-if rewards in place
  readonly rewardSteps: readonly CreditStep[]; // in row order
  readonly hypothetical: boolean; // a rule or a reward differs from the run's
}

export const OWN_CREDIT: CreditChoice = {
  valueRule: null,
  advantageRule: null,
  leafNormalisation: null,
  whatIf: [],
};

/** The run's rules with the chosen ones in their place. */
export const creditConfig = (own: CreditConfig, choice: CreditChoice): CreditConfig => ({
  ...own,
  leafNormalisation: choice.leafNormalisation ?? own.leafNormalisation,
  valueRule: choice.valueRule ?? own.valueRule,
  advantageRule: choice.advantageRule ?? own.advantageRule,
});

function rewardsWith(rewards: NodeTable<number | null>, { whatIf }: CreditChoice): NodeTable<number | null> {
  const asked = new Map<number, number>(whatIf.map(({ leaf, reward }) => [leaf, reward]));
  return rewards.map((reward, id) => (reward === null ? null : (asked.get(id) ?? reward)));
}

function compute(tree: TreeState, own: CreditConfig, choice: CreditChoice): Recredit | null {
  const complete = rolloutTree(tree);
  if (!complete || !tree.rewards) return null;
  const config = creditConfig(own, choice);
  const rewards = rewardsWith(tree.rewards, choice);
  const rewardSteps = complete.leaves.map((leaf): CreditStep => {
    const result = rewards[leaf] ?? 0;
    const terms = [{ node: leaf, weight: 1, value: result }];
    return {
      kind: 'reward',
      node: leaf,
      parent: complete.nodes[leaf].parent,
      terms,
      statistics: null,
      result,
    };
  });
  const hypothetical =
    rewards.some((reward, id) => reward !== tree.rewards?.[id]) ||
    JSON.stringify(config) !== JSON.stringify(own);
  return { config, rewards, rewardSteps, hypothetical, ...assignCredit(complete, rewards, config) };
}

const memory = new WeakMap<TreeState, Map<string, Recredit | null>>();

/**
 * Values, advantages and their traces. The same arguments give the same object, so a selector may
 * return it. Null while the tree grows or has no rewards.
 * @param own the run's rules: `run.header.config.algorithm.credit`
 * @param choice a selection, or OWN_CREDIT
 * @throws MissingRewardError naming the leaf
 */
export function recredit(tree: TreeState, own: CreditConfig, choice: CreditChoice): Recredit | null {
  const { valueRule, advantageRule, leafNormalisation, whatIf } = choice;
  const key = JSON.stringify([own, valueRule, advantageRule, leafNormalisation, whatIf]);
  const known = memory.get(tree) ?? new Map<string, Recredit | null>();
  memory.set(tree, known);
  if (!known.has(key)) known.set(key, compute(tree, own, choice));
  return known.get(key) ?? null;
}
