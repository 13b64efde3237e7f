/**
 * How a stage of credit reached its numbers, step by step. The rules of advantage/ take their results from these
 * steps, so that what the credit stepper shows is what was computed.
 */
import {
  LabError,
  type AdvantageRule,
  type NodeId,
  type NodeTable,
  type RecordedTree,
  type ValueRule,
} from '../../units.ts';

/** One summand: weight · value. */
export interface CreditTerm {
  readonly node: NodeId; // where the value comes from; the root for numbers of the whole group
  readonly weight: number;
  readonly value: number;
  readonly label?: string; // what the value is, where it is not the node's number of the stage before
}

/** Mean and deviation of a group of numbers, and what is added to the deviation before dividing. */
export interface Statistics {
  readonly mean: number;
  /** Standard deviation: population (leaf normalisation), sample (GRPO), or √(variance + 1e-8) when whitening. */
  readonly deviation: number;
  readonly epsilon: number;
  readonly count: number; // numbers in the group
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
  /** Set where a turn has a number per row: the leaf of the row. */
  readonly leaf?: NodeId;
  /** Set on a number on the way to the advantage: what it is. */
  readonly part?: string;
}

/** Σ weight·value, in the order of the terms. */
export const sumTerms = (terms: readonly CreditTerm[]): number =>
  terms.reduce((sum, { weight, value }) => sum + weight * value, 0);

/** (x − mean) / (deviation + epsilon). */
export const standardise = (value: number, { mean, deviation, epsilon }: Statistics): number =>
  (value - mean) / (deviation + epsilon);

/** What a step adds up, before its result is known. */
export interface Sum {
  readonly terms: readonly CreditTerm[];
  readonly statistics: Statistics | null;
}

export const resultOf = ({ terms, statistics }: Sum): number =>
  statistics ? standardise(sumTerms(terms), statistics) : sumTerms(terms);

/** The step that says how a sum became a number. */
export const creditStep = (
  tree: RecordedTree,
  kind: CreditStepKind,
  node: NodeId,
  { terms, statistics }: Sum,
  place: Pick<CreditStep, 'leaf' | 'part'> = {},
): CreditStep => ({
  kind,
  node,
  parent: tree.nodes[node].parent,
  terms,
  statistics,
  result: resultOf({ terms, statistics }),
  ...place,
});

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
export function leafEntry(tree: RecordedTree, table: NodeTable<number | null>, leaf: NodeId): number {
  const value = table[leaf];
  if (value === null || value === undefined) throw new MissingRewardError(tree.prompt.index, leaf);
  return value;
}
