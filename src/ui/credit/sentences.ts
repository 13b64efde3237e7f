/** A credit step as a sentence and a symbolic formula. The live numbers are the step's own (credit_steps.ts). */
import { ADVANTAGE_RULE, VALUE_RULE, type Rule } from '../../store/credit/credit.ts';
import { restates, type CreditPhase, type StepperStep } from '../../store/credit/credit_steps.ts';
import type { StepQuestion } from '../../store/credit/step_questions.ts';
import { ROOT, type AdvantageRule } from '../../units.ts';
import { capital, countWords, formatNumber, formatRange, formatSigned } from '../parts/format.ts';
import { nodeName, turnName } from '../drawing/encodings.ts';

export const PHASE_TITLES: Readonly<Record<CreditPhase, string>> = {
  reward: 'rewards',
  normalise: 'normalise',
  value: 'back up values',
  advantage: 'advantages',
  tokens: 'tokens',
};

export interface RuleWords {
  readonly title: string; // in the picker
  readonly symbols: string; // the formula
  readonly meaning: string;
}

/** The algorithms' own words on each rule. */
const wordsByRule = <Name extends string>({ options }: Rule<Name>): Readonly<Record<Name, RuleWords>> =>
  Object.fromEntries(
    options.map(({ value, title, formula, description }) => [
      value,
      { title: `${title} (${value})`, symbols: formula, meaning: description },
    ]),
  ) as Record<Name, RuleWords>; // options lists every name

export const VALUE_RULES = wordsByRule(VALUE_RULE);
export const ADVANTAGE_RULES = wordsByRule(ADVANTAGE_RULE);
/** As the field calls it. */
export const ruleName = (rule: AdvantageRule): string =>
  ADVANTAGE_RULE.options.find(({ value }) => value === rule)?.title ?? rule;
const RULES: Readonly<Record<string, RuleWords | undefined>> = { ...VALUE_RULES, ...ADVANTAGE_RULES };

/** Steps that follow no rule. */
const OTHER_SYMBOLS: Readonly<Record<string, string | undefined>> = {
  reward: 'r(leaf), paid by the environment',
  normalise: 'v = (r − mean) / (std + 1e−6), over the leaves of this tree',
  raw: 'v = r (normalisation is off)',
};

/** What each sampled token of a row gets. */
const SHARES = {
  row: 'the row’s advantage',
  turn: 'their turn’s advantage',
  token: 'an advantage of their own each',
} as const;

/** The formula of a step in symbols. */
export const symbolsOf = ({ rule, share }: StepperStep): string =>
  share
    ? `A(token) = ${{ row: 'A(row)', turn: 'A(turn)', token: 'A(row, token)' }[share]}, on sampled tokens only`
    : (OTHER_SYMBOLS[rule] ?? RULES[rule]?.symbols ?? rule);

function advantageSentence(step: StepperStep, result: string): string {
  const { node, leaf, part, wholeRow, trained } = step;
  const turn = capital(turnName(node));
  const row = leaf === null ? '' : ` in the row of leaf ${nodeName(leaf)}`;
  if (part !== null) {
    const isLeaf = node !== ROOT && (leaf === null || leaf === node);
    const of = isLeaf ? `Leaf ${nodeName(node)}` : `${turn}${row}`;
    return `${of}: ${part}, ${result}.`;
  }
  if (wholeRow) return `The whole row of leaf ${nodeName(node)} gets ${result}.`;
  if (node === ROOT) return `${turn} comes to ${result}: nothing of it is trained on.`;
  return `${turn}${row} is trained with an advantage of ${formatRange(trained).replace('…', ' to ')}.`;
}

/** What the step does, in one sentence that stands alone for a screen reader. */
export function sentenceOf(step: StepperStep): string {
  const name = nodeName(step.node);
  const result = formatSigned(step.result);
  switch (step.phase) {
    case 'reward':
      return `Leaf ${name} earned a reward of ${formatNumber(step.result, Number.isInteger(step.result) ? 0 : 2)}.`;
    case 'normalise':
      return step.rule === 'raw'
        ? `Leaf ${name} keeps its reward: ${result}.`
        : `Leaf ${name}’s reward becomes ${result} once centred and scaled within the tree.`;
    case 'value': {
      const below = countWords(step.lit.length, step.rule === 'leaf_mean' ? 'leaf' : 'child');
      return `${capital(turnName(step.node))} takes ${result} from its ${below}.`;
    }
    case 'advantage':
      return advantageSentence(step, result);
    case 'tokens': {
      const tokens = step.row.reduce((sum, turn) => sum + turn.tokenCount, 0);
      return `The row of leaf ${name}: ${countWords(tokens, 'token')} in ${countWords(step.row.length, 'turn')} get ${SHARES[step.share ?? 'turn']}.`;
    }
  }
  return step.phase satisfies never;
}

const WHAT: Readonly<Record<CreditPhase, string>> = {
  reward: 'reward',
  normalise: 'normalised reward',
  value: 'value',
  advantage: 'advantage',
  tokens: 'tokens',
};

/** What the step will find, without its numbers: for steps ahead. */
export function aheadOf({ phase, node, leaf, part, wholeRow }: StepperStep): string {
  const row =
    phase === 'advantage' && leaf !== null && leaf !== node ? ` in the row of ${nodeName(leaf)}` : '';
  const what = part ?? (phase === 'advantage' && wholeRow ? 'advantage of the row' : WHAT[phase]);
  return `${nodeName(node)}${row}: ${what}`;
}

/** What a step finds, as part of a sentence: "the value of turn n3". */
export function subjectOf({ phase, node, leaf, part, wholeRow }: StepperStep): string {
  const row = leaf !== null && leaf !== node ? ` in the row of leaf ${nodeName(leaf)}` : '';
  switch (phase) {
    case 'reward':
      return `the reward of leaf ${nodeName(node)}`;
    case 'normalise':
      return `the value that leaf ${nodeName(node)} starts with`;
    case 'value':
      return `the value of ${turnName(node)}`;
    case 'advantage':
      if (part !== null) return `the number of ${turnName(node)}${row} on the way to its advantage (${part})`;
      return wholeRow ? `the advantage of the whole row of leaf ${nodeName(node)}` : `the advantage of ${turnName(node)}${row}`; // prettier-ignore
    case 'tokens':
      return `the row of leaf ${nodeName(node)}`;
  }
  return phase satisfies never;
}

const ORDERED_BY: Readonly<Record<CreditPhase, string>> = {
  reward: 'their rewards',
  normalise: 'the values that they start with',
  value: 'their values',
  advantage: 'their advantages',
  tokens: 'what the advantages of their tokens add up to',
};

/** The question on a step that is not shown yet. */
export function askOf({ step, question }: StepQuestion): string {
  const subject = subjectOf(step);
  switch (question.kind) {
    case 'number':
      return step.phase === 'tokens'
        ? `How many tokens of ${subject} get an advantage?`
        : `What is ${subject}?`;
    case 'sign':
      return step.phase === 'tokens'
        ? `Add up the advantages of all tokens of ${subject}: which side of zero?`
        : `Which side of zero is ${subject}?`;
    case 'choice':
      return step.phase === 'tokens'
        ? `Whose advantage does each sampled token of ${subject} get?`
        : `Which of these is ${subject}?`;
    case 'ranking':
      return `Put ${step.phase === 'tokens' ? `the turns of ${subject}` : 'these'} in order by ${step.part ?? ORDERED_BY[step.phase]}, greatest first.`;
  }
  return question satisfies never;
}

/** What a stride of several steps does; of one step its own sentence. */
export function strideSentence(steps: readonly StepperStep[]): string {
  const [first, ...others] = steps;
  if (others.length === 0) return sentenceOf(first);
  if (steps.every(restates)) return `A = V: each of ${countWords(steps.length, 'node')} keeps its value as its advantage.`; // prettier-ignore
  const numbers = steps.map((step) => {
    const row = step.leaf !== null && step.leaf !== step.node && step.phase === 'advantage' ? ` in ${nodeName(step.leaf)}` : ''; // prettier-ignore
    const number = step.phase === 'reward' ? formatNumber(step.result, Number.isInteger(step.result) ? 0 : 2) : formatSigned(step.result); // prettier-ignore
    return `${nodeName(step.node)}${row} ${number}`;
  });
  if (first.phase === 'tokens')
    return `All ${countWords(steps.length, 'row')}: their tokens get ${SHARES[first.share ?? 'turn']}.`;
  const more = numbers.length > MOST_NUMBERS ? ` and ${numbers.length - MOST_NUMBERS} more` : '';
  return `${capital(STRIDE_WORDS[first.phase])}: ${numbers.slice(0, MOST_NUMBERS).join(', ')}${more}.`;
}

const MOST_NUMBERS = 8;
const STRIDE_WORDS: Readonly<Record<Exclude<CreditPhase, 'tokens'>, string>> = {
  reward: 'rewards earned',
  normalise: 'rewards, centred and scaled within the tree',
  value: 'values from the nodes below',
  advantage: 'advantages',
};
