/** How a leaf's grade becomes its reward: the rules by name, and what DAPO's length penalty takes off. */
import type { Grade, RewardConfig, RewardRule } from '../../units.ts';
import type { Rule } from '../catalogue/rule.ts';

const BOTH_TOOLS_BONUS = 0.1;
const ADMISSION_REWARD = 0.5;

export const REWARD_RULE: Rule<RewardRule> = {
  path: 'reward.rule',
  title: 'Reward of a row',
  paperTerm: 'r',
  options: [
    {
      value: 'environment',
      title: 'The environment’s',
      formula: 'r = 1 right, 0 wrong, −1 malformed',
      description: 'What the task pays; the corridor pays progress below 0.',
      source: 'paper, App. B.1; released code',
    },
    {
      value: 'f1',
      title: 'F1, both tools',
      formula: 'r = F1 (+ 0.1 if F1 > 0 and two tools were used), −1 malformed',
      description: 'Partial credit, and a bonus for using both tools.',
      source: 'ARPO, released code',
    },
    {
      value: 'exact_match',
      title: 'Exact match',
      formula: 'r = 1 right, 0 otherwise',
      description: 'A malformed row earns what a wrong one does.',
      source: 'A²TGPO, released script',
    },
    {
      value: 'format_credit',
      title: 'Format credit',
      formula: 'r = 1 right, 0.8 right but malformed, 0.2 wrong, 0.1 wrong and malformed, 0 no answer',
      description: 'Good form pays a little even where the answer is wrong.',
      source: 'Tree-GRPO, released code',
    },
    {
      value: 'boundary',
      title: 'Boundary',
      formula: 'r = F1, −1 malformed; “I do not know” 0.5 where no row of the group knew, else 0',
      description:
        'Giving up pays where the question is out of reach, and not while it would become a habit.',
      source: 'BAPO, released code and paper',
    },
  ],
};

/**
 * Reward of one row before penalties, dimensionless.
 * @param admission whether "I do not know" is rewarded here; only 'boundary' asks
 */
export function ruleReward(
  rule: Exclude<RewardRule, 'environment'>,
  { exactMatch, f1, formatValid, answer, unknown, toolsUsed }: Grade,
  admission: boolean,
): number {
  switch (rule) {
    case 'f1':
      if (!formatValid) return -1;
      return f1 > 0 && toolsUsed >= 2 ? f1 + BOTH_TOOLS_BONUS : f1;
    case 'exact_match':
      return formatValid ? exactMatch : 0;
    case 'format_credit':
      if (answer === null) return 0;
      if (exactMatch === 1) return formatValid ? 1 : 0.8;
      return formatValid ? 0.2 : 0.1;
    case 'boundary':
      if (!formatValid) return -1;
      if (unknown) return admission ? ADMISSION_REWARD : 0;
      return f1;
    default:
      return rule satisfies never;
  }
}

const MALFORMED: Grade = {
  exactMatch: 0,
  f1: 0,
  formatValid: false,
  answer: null,
  unknown: false,
  toolsUsed: 0,
};

/** Whether the rule takes something off a malformed row, so that one without a right answer earns less than nothing. */
export const punishesForm = (rule: Exclude<RewardRule, 'environment'>): boolean =>
  ruleReward(rule, MALFORMED, false) < 0;

/**
 * What a long response loses: 0 up to R − buffer, then linearly to `overlongPenalty` at R.
 * @param length response tokens of the row
 * @param limit R, response tokens
 * @see arXiv:2503.14476 (DAPO), eq. (13); released code reward_manager/dapo
 */
export function overlongLoss(
  length: number,
  limit: number,
  { overlongBuffer, overlongPenalty }: Pick<RewardConfig, 'overlongBuffer' | 'overlongPenalty'>,
): number {
  if (overlongBuffer === 0) return 0;
  const excess = length - (limit - overlongBuffer);
  return Math.max(0, (excess / overlongBuffer) * overlongPenalty);
}
