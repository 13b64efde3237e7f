/** What a file of this folder offers: rules that turn rewards, values and signals into advantages. */
import {
  LabError,
  type AdvantageRule,
  type CreditConfig,
  type NodeId,
  type NodeTable,
  type RecordedTree,
  type TreeSignals,
} from '../../units.ts';
import type { RuleOption } from '../catalogue/rule.ts';
import type { CreditStep } from '../credit/trace.ts';

/** A tree with all that credit reads of it. */
export interface CreditTree {
  readonly tree: RecordedTree;
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

/** How each signal is measured for a rule; null where it reads none. */
export interface SignalNeeds {
  /** ln p of the true answer after a turn's call, before its result (A²TGPO's released code), or after its result. */
  readonly belief: 'after_call' | 'after_result' | null;
  /** 'greedy': reward of the most likely path; 'optimal': V* from samples of the reference policy. */
  readonly baseline: 'greedy' | 'optimal' | null;
  /** 'penalties': of failed calls and unlike queries; 'implicit': of a second network. */
  readonly stepReward: 'penalties' | 'implicit' | null;
}

/** Settings of credit that a rule may read. */
export type RuleSetting = Exclude<keyof CreditConfig, 'advantageRule'>;
/** Those by which values are backed up: whoever reads values reads them. */
export const VALUE_SETTINGS = ['leafNormalisation', 'valueRule'] as const satisfies readonly RuleSetting[];
export type ValueSetting = (typeof VALUE_SETTINGS)[number];

/** A tree as a rule sees it: with values where it declares the settings behind them. */
export type TreeOf<Read extends RuleSetting> = ValueSetting extends Read ? ValuedTree : CreditTree;

/** Advantages of all trees of an update; the group of a row is its tree, that is its prompt. */
export type AssignAdvantages<Read extends RuleSetting = never> = (
  trees: readonly TreeOf<Read>[],
  config: Pick<CreditConfig, Read>,
) => readonly TurnAdvantages[];

/** Everything that is known of a rule; what it reads stands here and nowhere else. */
export interface AdvantageMethod<Read extends RuleSetting = RuleSetting> {
  readonly option: RuleOption<AdvantageRule>;
  readonly settings: readonly Read[]; // that it reads; another changes nothing
  readonly signals: Partial<SignalNeeds>; // that the run measures for it
  readonly worksWithout?: true; // it does without its signals where a run has not measured them
  readonly assign: AssignAdvantages<Read>;
}

/** The rules of a file, each checked to read no setting, and no value, but what it declares. */
export const defineRules = <const Rules extends Readonly<Record<string, Pick<AdvantageMethod, 'settings'>>>>(
  rules: Rules & {
    readonly [Rule in keyof Rules]: Rule extends AdvantageRule
      ? AdvantageMethod<Rules[Rule]['settings'][number]>
      : never;
  },
): { readonly [Rule in keyof Rules]: AdvantageMethod } => rules;

/** Signals without which a rule refuses to assign. */
export const signalsNeeded = ({
  signals,
  worksWithout,
}: Pick<AdvantageMethod, 'signals' | 'worksWithout'>): readonly (keyof TreeSignals)[] =>
  worksWithout ? [] : (Object.keys(signals) as (keyof SignalNeeds)[]);

/** A rule that looks at one prompt's tree at a time. */
export const eachTree =
  <Read extends RuleSetting = never>(
    assign: (tree: TreeOf<Read>, config: Pick<CreditConfig, Read>) => TurnAdvantages,
  ): AssignAdvantages<Read> =>
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
