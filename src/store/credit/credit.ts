/**
 * Credit of the rollouts on screen, under the run's own rules or others: the same tree through the same
 * functions that train (src/algo), so that a what-if differs from training in its inputs only.
 */
import { advantageInRow, advantageMethods, assignCredit, readsSurprisal, type Credit, type CreditStep, type CreditTree, creditStep, signalsNeeded } from '../../algo/credit/credit.ts'; // prettier-ignore
import { TREE_CREDIT, creditBy } from '../../algo/catalogue/defaults.ts';
import { signalsRead } from '../../algo/credit/signals.ts';
import { rowSpans } from '../../algo/tree/tree.ts';
import { NO_SIGNALS, type AdvantageRule, type CreditConfig, type NodeId, type NodeTable, type TreeSignals, type ValueRule } from '../../units.ts'; // prettier-ignore
import { rolloutTree } from '../record/reading.ts';
import type { RunState, TreeState } from '../record/run_state.ts';
import type { Selection } from '../place/selection.ts';

export {
  ADVANTAGE_RULE,
  EVIDENCE,
  VALUE_RULE,
  type Rule,
  type RuleOption,
} from '../../algo/catalogue/algorithm.ts';
export type { Credit, CreditStep, CreditStepKind, CreditTerm, Statistics } from '../../algo/credit/credit.ts';

/** The part of the selection that changes credit. */
export type CreditChoice = Pick<Selection, 'valueRule' | 'advantageRule' | 'leafNormalisation' | 'whatIf'>;

/** Of it, the rules. */
export type RuleChoice = Omit<CreditChoice, 'whatIf'>;

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

/** Credit rules of a record that names none: they read rewards only, whatever else is unknown. */
export const DEFAULT_CREDIT: CreditConfig = { ...TREE_CREDIT, valueRule: 'child_mean' };

/**
 * The rules that trained a run, and the chosen or default ones of a record without a recipe: nobody says what trained it,
 * so no choice departs from it. Null before a run.
 */
export function creditRulesOf(
  { header }: Pick<RunState, 'header'>,
  choice: RuleChoice = OWN_CREDIT,
): CreditConfig | null {
  if (!header) return null;
  return header.config?.algorithm.credit ?? creditConfig(DEFAULT_CREDIT, choice);
}

/** The credit of methods by which the field names it, as its papers' settings have it. */
export const NAMED_CREDIT = [
  { method: 'at2po', title: 'AT²PO', credit: TREE_CREDIT },
  { method: 'grpo', title: 'GRPO', credit: creditBy('vanilla') },
  { method: 'tree_grpo', title: 'Tree-GRPO', credit: creditBy('tree_grpo') },
] as const satisfies readonly { readonly method: string; readonly title: string; readonly credit: CreditConfig }[]; // prettier-ignore

/** Whether two configurations give the same credit: what a rule does not read may differ. */
export function sameCredit(a: CreditConfig, b: CreditConfig): boolean {
  const read = new Set<string>(advantageMethods[a.advantageRule].settings);
  const keys = Object.keys(a) as (keyof CreditConfig)[]; // the keys are the settings
  return a.advantageRule === b.advantageRule && keys.every((key) => !read.has(key) || a[key] === b[key]);
}

/** The run's rules with the chosen ones in their place. */
export const creditConfig = (own: CreditConfig, choice: RuleChoice): CreditConfig => ({
  ...own,
  leafNormalisation: choice.leafNormalisation ?? own.leafNormalisation,
  valueRule: choice.valueRule ?? own.valueRule,
  advantageRule: choice.advantageRule ?? own.advantageRule,
});

function rewardsWith(rewards: NodeTable<number | null>, { whatIf }: CreditChoice): NodeTable<number | null> {
  const asked = new Map<number, number>(whatIf.map(({ leaf, reward }) => [leaf, reward]));
  return rewards.map((reward, id) => (reward === null ? null : (asked.get(id) ?? reward)));
}

/** What a rule may read of a tree's signals: those by which it means what the run's own rule means. */
function signalsFor(rule: AdvantageRule, own: CreditConfig, { signals }: TreeState): TreeSignals {
  const measured = signals ?? NO_SIGNALS;
  const [wanted, had] = [signalsRead(rule), signalsRead(own.advantageRule)];
  return {
    belief: wanted.belief === had.belief ? measured.belief : null,
    baseline: wanted.baseline === had.baseline ? measured.baseline : null,
    stepReward: wanted.stepReward === had.stepReward ? measured.stepReward : null,
  };
}

/** Whether the run measured what a rule needs. */
export const isAvailable = (rule: AdvantageRule, own: CreditConfig, tree: TreeState): boolean =>
  signalsNeeded(advantageMethods[rule]).every((need) => signalsFor(rule, own, tree)[need] !== null);

/** Whether a value rule can be computed on a tree: some weigh turns by a surprisal that a file may not hold. */
export const isValueAvailable = (rule: ValueRule, { nodes }: Pick<TreeState, 'nodes'>): boolean =>
  !readsSurprisal(rule) || nodes.every((node) => node?.turnSurprisal !== null);

/** What credit of a tree is computed from: the trained trees of its update, and the rules in force. */
export interface CreditInputs {
  readonly config: CreditConfig;
  readonly trees: readonly CreditTree[];
  readonly at: number; // of the asked tree among them
}

/**
 * @returns null while the tree grows or has no rewards
 * @see recredit for the parameters
 */
export function creditInputs(
  tree: TreeState,
  own: CreditConfig,
  choice: CreditChoice,
  trees: readonly TreeState[],
): CreditInputs | null {
  const chosen = creditConfig(own, choice);
  const config = {
    ...chosen,
    valueRule: isValueAvailable(chosen.valueRule, tree) ? chosen.valueRule : DEFAULT_CREDIT.valueRule,
    advantageRule: isAvailable(chosen.advantageRule, own, tree) ? chosen.advantageRule : own.advantageRule,
  };
  const known = trees.flatMap((state) => {
    const isKnown =
      isAvailable(config.advantageRule, own, state) && isValueAvailable(config.valueRule, state);
    if (state !== tree && (state.dropped || !isKnown)) return []; // not trained on
    const complete = rolloutTree(state);
    if (!complete || !state.rewards) return [];
    const rewards = state === tree ? rewardsWith(state.rewards, choice) : state.rewards;
    return [{ state, tree: complete, rewards, signals: signalsFor(config.advantageRule, own, state) }];
  });
  const at = known.findIndex(({ state }) => state === tree);
  return at < 0 ? null : { config, trees: known, at };
}

function compute(
  tree: TreeState,
  own: CreditConfig,
  choice: CreditChoice,
  trees: readonly TreeState[],
): Recredit | null {
  const inputs = creditInputs(tree, own, choice, trees);
  if (!inputs) return null;
  const { config, at } = inputs;
  const { tree: complete, rewards } = inputs.trees[at];
  const rewardSteps = complete.leaves.map((leaf) =>
    creditStep(complete, 'reward', leaf, {
      terms: [{ node: leaf, weight: 1, value: rewards[leaf] ?? 0 }],
      statistics: null,
    }),
  );
  const hypothetical =
    rewards.some((reward, id) => reward !== tree.rewards?.[id]) ||
    JSON.stringify(config) !== JSON.stringify(own);
  return { config, rewards, rewardSteps, hypothetical, ...assignCredit(inputs.trees, config)[at] };
}

interface Memory {
  readonly trees: readonly TreeState[];
  readonly answers: Map<string, Recredit | null>;
}

const memory = new WeakMap<TreeState, Memory>();

function remembered(tree: TreeState, trees: readonly TreeState[]): Memory['answers'] {
  const known = memory.get(tree);
  const same = known?.trees.length === trees.length && trees.every((state, at) => state === known.trees[at]);
  if (known && same) return known.answers;
  const fresh: Memory = { trees, answers: new Map() };
  memory.set(tree, fresh);
  return fresh.answers;
}

/**
 * Values, advantages and their traces of one tree. The same arguments give the same object, so a selector may
 * return it. Null while the tree grows or has no rewards. A rule that reads what the run did not measure gives way to
 * the run's own, a value rule that reads a surprisal nobody knows to even weights; `config` says which are in force.
 * @param own the run's rules, as creditRulesOf has them
 * @param choice a selection, or OWN_CREDIT
 * @param trees the update's, this one among them: some rules compare tokens across prompts
 * @throws MissingRewardError naming the leaf
 */
export function recredit(
  tree: TreeState,
  own: CreditConfig,
  choice: CreditChoice,
  trees: readonly TreeState[] = [tree],
): Recredit | null {
  const { valueRule, advantageRule, leafNormalisation, whatIf } = choice;
  const key = JSON.stringify([own, valueRule, advantageRule, leafNormalisation, whatIf]);
  const answers = remembered(tree, trees);
  if (!answers.has(key)) answers.set(key, compute(tree, own, choice, trees));
  return answers.get(key) ?? null;
}

/**
 * The advantage of a token in a leaf's row; 0 where no turn covers it.
 * @param position in the row, prompt included, from 0
 */
export function advantageOfToken(
  tree: TreeState,
  { advantages }: Credit,
  leaf: NodeId,
  position: number,
): number {
  const from = tree.prompt.tokens.length;
  const span = rowSpans(tree, leaf, { from }).find(({ end }) => position < end);
  return span ? advantageInRow(advantages, span.node, leaf, position - from) : 0;
}
