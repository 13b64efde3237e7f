/** The advantage rules by name. To add one: its name in units.ts, its file here, its line below. */
import type { AdvantageRule } from '../../units.ts';
import { A2TGPO_RULES, BELIEF_RULES } from './belief.ts';
import { GROUP_RULES } from './group.ts';
import type { AdvantageMethod } from './method.ts';
import { NODE_RULES } from './node_values.ts';
import { RAPO_RULES } from './rapo.ts';
import { REINFORCE_RULES } from './reinforce.ts';
import { SUBTREE_RULES } from './subtree.ts';
import { TREE_DIFF_RULES, TREE_GRPO_RULES } from './tree_grpo.ts';
import { GAE_RULES, TURN_RETURN_RULES } from './turn_returns.ts';

export { MissingSignalError, advantageInRow, signalsNeeded } from './method.ts';
export type {
  AdvantageMethod,
  CreditTree,
  RuleSetting,
  SignalNeeds,
  TurnAdvantages,
  ValuedTree,
} from './method.ts';
export { optimalValue } from './returns.ts';
export { retrievedShare } from './rapo.ts';

export const advantageMethods: Readonly<Record<AdvantageRule, AdvantageMethod>> = {
  ...NODE_RULES,
  ...GROUP_RULES,
  ...REINFORCE_RULES,
  ...TREE_GRPO_RULES,
  ...TREE_DIFF_RULES,
  ...SUBTREE_RULES,
  ...GAE_RULES,
  ...TURN_RETURN_RULES,
  ...BELIEF_RULES,
  ...A2TGPO_RULES,
  ...RAPO_RULES,
};
