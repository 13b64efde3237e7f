/** What a file of this folder offers: rules that turn rewards, values and signals into advantages. */
import {
  LabError,
  type AdvantageRule,
  type CreditConfig,
  type NodeId,
  type NodeTable,
  type RolloutTree,
  type TreeSignals,
} from '../../units.ts';
import type { RuleOption } from '../catalogue/rule.ts';
import type { CreditStep } from '../credit/trace.ts';

/** A tree with all that credit reads of it. */
export interface CreditTree {
  readonly tree: RolloutTree;
  readonly rewards: NodeTable<number | null>; // by leaf, not normalised
  readonly signals: TreeSignals;
}

/** And its values, backed up under the configuration's value rule. */
export interface ValuedTree extends CreditTree {
  readonly values: NodeTable<number>;
}

export interface TurnAdvantages {
  /**
   * By node, dimensionless; 0 for pruned nodes. The root's reaches no token. Where a turn has an advantage per row
   * or per token, here stands the mean over rows and sampled tokens, for display.
   */
  readonly byNode: NodeTable<number>;
  /** Rules of whole rows: the advantage of each leaf's row, null elsewhere. Other rules: null. */
  readonly byLeaf: NodeTable<number | null> | null;
  /** Rules that vary inside a row: by leaf, one number per response token of its path (not cut). Other rules: null. */
  readonly byToken: NodeTable<readonly number[] | null> | null;
  /** A²TGPO: by leaf and response token, the standardised gain of its turn, which scales the clip band; 0 where none. */
  readonly gain: NodeTable<readonly number[] | null> | null;
  readonly trace: readonly CreditStep[]; // parts before what they are parts of
}

/** What is trained with one number per node. */
export const NODEWISE = { byLeaf: null, byToken: null, gain: null } as const;

/**
 * The advantage of a token in the row of a leaf.
 * @param position place in the response, from 0
 */
export const advantageInRow = (
  { byNode, byLeaf, byToken }: TurnAdvantages,
  node: NodeId,
  leaf: NodeId,
  position: number,
): number => byToken?.[leaf]?.[position] ?? byLeaf?.[leaf] ?? byNode[node];

/** Advantages of all trees of an update; the group of a row is its tree, that is its prompt. */
export type AssignAdvantages = (
  trees: readonly ValuedTree[],
  config: CreditConfig,
) => readonly TurnAdvantages[];

export interface AdvantageMethod {
  readonly option: RuleOption<AdvantageRule>;
  readonly readsValues: boolean; // else the value rule changes nothing
  readonly needs: readonly (keyof TreeSignals)[]; // what the run must have measured
  readonly assign: AssignAdvantages;
}

/** A rule that looks at one prompt's tree at a time. */
export const eachTree =
  (assign: (tree: ValuedTree, config: CreditConfig) => TurnAdvantages): AssignAdvantages =>
  (trees, config) =>
    trees.map((tree) => assign(tree, config));

/** A rule reads what the run did not measure. */
export class MissingSignalError extends LabError {
  constructor(rule: AdvantageRule, signal: keyof TreeSignals, prompt: number, node: NodeId | null) {
    super('MissingSignalError', {
      what: `The advantage rule ${rule} reads ${signal}, which was not measured`,
      where: `prompt ${prompt}${node === null ? '' : `, node ${node}`}`,
      got: 'null',
      wanted: 'a number',
      next: 'Train with this rule from the start, or choose a rule that reads rewards only.',
    });
  }
}
