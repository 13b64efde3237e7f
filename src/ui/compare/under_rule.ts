/** Credit of an update under chosen rules, as the Compare view asks for it. Pure. */
import { ruleLine, type RuleLine } from '../../store/credit/compare.ts';
import {
  ADVANTAGE_RULE,
  isAvailable,
  recredit,
  type Recredit,
  type RuleChoice,
} from '../../store/credit/credit.ts';
import { rolloutTree } from '../../store/record/reading.ts';
import type { TreeState, UpdateState } from '../../store/record/run_state.ts';
import type { AdvantageRule, CreditConfig, NodeId } from '../../units.ts';

export const underRule = (
  { trees }: UpdateState,
  state: TreeState,
  own: CreditConfig,
  choice: RuleChoice,
): Recredit | null => recredit(state, own, { ...choice, whatIf: [] }, trees);

/** What a rule is compared with when nothing is chosen: GRPO, the rule everyone knows; GRPO itself with the value. */
export const otherRule = (rule: AdvantageRule): AdvantageRule =>
  rule === 'vanilla' ? 'node_value' : 'vanilla';

/** Every rule on the turns of one leaf; one that reads what the run did not measure says so. */
export function ruleLines(
  update: UpdateState,
  state: TreeState,
  own: CreditConfig,
  leaf: NodeId,
  contextLength: number,
): readonly RuleLine[] {
  const tree = rolloutTree(state);
  if (!tree) return [];
  return ADVANTAGE_RULE.options.map(({ value: rule }): RuleLine => {
    if (!isAvailable(rule, own, state))
      return { rule, turns: null, missing: 'reads what this run did not measure' };
    const choice = { valueRule: null, advantageRule: rule, leafNormalisation: null };
    const credit = underRule(update, state, own, choice);
    return { rule, turns: credit && ruleLine(tree, credit, leaf, contextLength), missing: null };
  });
}

/** The configurations whose gradients are compared: A, B, then one for each other rule that the run can answer. */
export function gradientRules(
  state: TreeState,
  own: CreditConfig,
  a: CreditConfig,
  b: CreditConfig,
): readonly CreditConfig[] {
  const others = ADVANTAGE_RULE.options
    .map(({ value }) => value)
    .filter((rule) => rule !== a.advantageRule && rule !== b.advantageRule && isAvailable(rule, own, state));
  return [a, b, ...others.map((advantageRule) => ({ ...own, advantageRule }))];
}
