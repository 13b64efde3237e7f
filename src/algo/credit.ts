/** Credit of one tree from its rewards: normalise, back up, subtract. */
import type { CreditConfig, NodeTable, RolloutTree } from '../units.ts';
import { normaliseLeaves } from './normalise.ts';
import type { LeafValues } from './normalise.ts';
import { turnAdvantages } from './turn_advantages.ts';
import type { TurnAdvantages } from './turn_advantages.ts';
import { backUpValues } from './values.ts';
import type { NodeValues } from './values.ts';

export { normaliseLeaves } from './normalise.ts';
export type { LeafValues } from './normalise.ts';
export type { CreditStep, CreditStepKind, CreditTerm, Statistics } from './trace.ts';
export { MissingRewardError } from './trace.ts';
export { advantageInRow, turnAdvantages } from './turn_advantages.ts';
export type { TurnAdvantages } from './turn_advantages.ts';
export { backUpValues } from './values.ts';
export type { NodeValues } from './values.ts';

export interface Credit {
  readonly normalised: LeafValues;
  readonly values: NodeValues;
  readonly advantages: TurnAdvantages;
}

/**
 * All of a tree's credit under one configuration; the tree and the rewards are only read.
 * @throws MissingRewardError naming the leaf
 */
export function assignCredit(
  tree: RolloutTree,
  rewards: NodeTable<number | null>,
  config: CreditConfig,
): Credit {
  const normalised = normaliseLeaves(tree, rewards, config.leafNormalisation);
  const values = backUpValues(tree, normalised.byNode, config.valueRule);
  const advantages = turnAdvantages(tree, values.byNode, rewards, config.advantageRule);
  return { normalised, values, advantages };
}
