/** Credit of an update's trees from their rewards: normalise, back up, advantages. */
import type { CreditConfig } from '../../units.ts';
import {
  advantageMethods,
  type CreditTree,
  type TurnAdvantages,
  type ValuedTree,
} from '../advantage/index.ts';
import { normaliseLeaves, type LeafValues } from './normalise.ts';
import { backUpValues, type NodeValues } from './values.ts';

export { MissingSignalError, advantageInRow, advantageMethods, signalsNeeded } from '../advantage/index.ts';
export type { AdvantageMethod, CreditTree, TurnAdvantages, ValuedTree } from '../advantage/index.ts';
export { normaliseLeaves } from './normalise.ts';
export type { LeafValues } from './normalise.ts';
export type { CreditStep, CreditStepKind, CreditTerm, Statistics } from './trace.ts';
export { MissingRewardError, creditStep } from './trace.ts';
export { UnknownSurprisalError, backUpValues, readsSurprisal } from './values.ts';
export type { NodeValues } from './values.ts';

export interface Credit {
  readonly normalised: LeafValues;
  readonly values: NodeValues;
  readonly advantages: TurnAdvantages;
}

/**
 * Advantages of all trees of an update: some rules compare tokens across prompts.
 * @returns one per tree, in their order
 * @throws MissingRewardError naming the leaf, MissingSignalError naming what the rule reads and the run lacks
 * @see advantage/ for the rules and their sources
 */
export const turnAdvantages = (
  trees: readonly ValuedTree[],
  config: CreditConfig,
): readonly TurnAdvantages[] => advantageMethods[config.advantageRule].assign(trees, config);

/**
 * All credit of an update's trees under one configuration; trees, rewards and signals are only read.
 * @returns one per tree, in their order
 * @throws MissingRewardError naming the leaf, MissingSignalError
 */
export function assignCredit(trees: readonly CreditTree[], config: CreditConfig): readonly Credit[] {
  const valued = trees.map((entry) => {
    const normalised = normaliseLeaves(entry.tree, entry.rewards, config.leafNormalisation);
    return { entry, normalised, values: backUpValues(entry.tree, normalised.byNode, config.valueRule) };
  });
  const advantages = turnAdvantages(
    valued.map(({ entry, values }) => ({ ...entry, values: values.byNode })),
    config,
  );
  return valued.map(({ normalised, values }, at) => ({ normalised, values, advantages: advantages[at] }));
}
