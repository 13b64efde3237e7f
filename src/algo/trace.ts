/**
 * How a stage of credit reached its numbers, step by step. The credit stepper shows these steps; it computes nothing.
 */
import { LabError } from '../units.ts';
import type { AdvantageRule, NodeId, NodeTable, RolloutTree, ValueRule } from '../units.ts';

/** One summand: weight · value. */
export interface CreditTerm {
  readonly node: NodeId; // where the value comes from
  readonly weight: number;
  readonly value: number;
}

/** Mean and deviation of a group of rewards, and what is added to the deviation before dividing. */
export interface Statistics {
  readonly mean: number;
  readonly deviation: number; // population (leaf normalisation) or sample (vanilla) standard deviation
  readonly epsilon: number;
  readonly count: number; // rewards in the group
}

export type CreditStepKind =
  | 'reward' // what the environment paid
  | 'normalise' // (r − mean) / (deviation + epsilon)
  | 'raw' // normalisation off: the reward itself
  | ValueRule
  | AdvantageRule;

/**
 * One number of one node: result = s, s = Σ weight·value; with statistics, (s − mean) / (deviation + epsilon).
 * Without terms the result is 0: a node that has nothing below it.
 */
export interface CreditStep {
  readonly kind: CreditStepKind;
  readonly node: NodeId;
  readonly parent: NodeId | null;
  readonly terms: readonly CreditTerm[];
  readonly statistics: Statistics | null;
  readonly result: number;
}

/** Σ weight·value, in the order of the terms. */
export const sumTerms = (terms: readonly CreditTerm[]): number =>
  terms.reduce((sum, { weight, value }) => sum + weight * value, 0);

/** A leaf has no reward or no value where one is needed. */
export class MissingRewardError extends LabError {
  constructor(prompt: number, leaf: NodeId) {
    super('MissingRewardError', {
      what: 'A leaf has no reward',
      where: `prompt ${prompt}, node ${leaf}`,
      got: 'null',
      wanted: 'a number for every row of the tree',
      next: 'Score the leaves of this tree first.',
    });
  }
}

/**
 * The table's entry of a leaf.
 * @throws MissingRewardError naming the leaf
 */
export function leafEntry(tree: RolloutTree, table: NodeTable<number | null>, leaf: NodeId): number {
  const value = table[leaf];
  if (value === null || value === undefined) throw new MissingRewardError(tree.prompt.index, leaf);
  return value;
}
