/**
 * What the credit stepper asks before it shows a stride: a number, a sign, an order or a choice, of the steps ahead. The truth is
 * the step's own; nothing is computed here but sums of a row's tokens. Pure.
 */
import type { PredictionKind } from '../place/selection.ts';
import { isRight, type Guess, type Question } from '../lesson/prediction.ts';
import type { NodeId } from '../../units.ts';
import type { StepperStep, TurnInRow } from './credit_steps.ts';

/** A question on one step of a stride; of an order, on all of its steps that find such a number. */
export interface StepQuestion {
  readonly step: StepperStep;
  readonly at: number; // cursor at which the step is done
  readonly question: Question;
}

const MOST_RANKED = 6; // items that a person can order
/** Of a number of credit, dimensionless; a count has to be met. The same for all: a share of the truth would tell it. */
export const TOLERANCE = 0.05;

/** Whose advantage a token of a row can get. */
export const SHARES = ['row', 'turn', 'token'] as const;

/** Sampled tokens of a row. */
export const tokensOf = (row: readonly TurnInRow[]): number =>
  row.reduce((sum, { tokenCount }) => sum + tokenCount, 0);

/** Numbers that somebody may take for the step's: its sign turned, a plain mean, one of its terms, nothing at all. */
function rivalsOf({ formula, result }: StepperStep): readonly number[] {
  const truth = result ?? 0;
  const terms = formula.slice(0, -1).flatMap((part) => (part.kind === 'number' && part.label !== 'weight' ? [part.value] : [])); // prettier-ignore
  const sum = terms.reduce((total, value) => total + value, 0);
  const own = terms.length < 2 ? [] : [sum / terms.length, Math.max(...terms), Math.min(...terms), sum];
  return [-truth, ...own, 0, 1, -1, 0.5, -0.5];
}

const MOST_OPTIONS = 4;

/** @param format options that read the same are one */
function numberChoice(step: StepperStep, format: (value: number) => string): Question {
  const options = [step.result ?? 0];
  for (const rival of rivalsOf(step))
    if (options.length < MOST_OPTIONS && options.every((known) => format(known) !== format(rival)))
      options.push(rival);
  const sorted = options.toSorted((a, b) => a - b); // its place tells nothing
  return { kind: 'choice', options: sorted.map((value) => format(value)), right: sorted.indexOf(options[0]) };
}

/** What the last of them asks for, of the others as far back as they find the same kind of number. */
function rankedSteps(steps: readonly StepperStep[]): readonly StepperStep[] {
  const last = steps[steps.length - 1];
  const alike = steps.filter(({ phase, part, result }) => phase === last.phase && part === last.part && result !== null); // prettier-ignore
  return alike.slice(-MOST_RANKED);
}

function tokenQuestion(
  step: StepperStep,
  at: number,
  kind: PredictionKind,
  nameOf: (node: NodeId) => string,
) {
  const { row, share } = step;
  const total = row.reduce((sum, turn) => sum + turn.total, 0);
  const asked = (question: Question): StepQuestion => ({ step, at, question });
  switch (kind) {
    case 'number':
      return asked({ kind: 'number', truth: tokensOf(row), tolerance: 0 });
    case 'choice':
      return asked({
        kind: 'choice',
        options: ['the row’s', 'its turn’s', 'one of its own'],
        right: SHARES.indexOf(share ?? 'turn'),
      });
    case 'ranking':
    case 'sign': {
      const turns = kind === 'ranking' ? row.slice(-MOST_RANKED) : [];
      if (turns.length < 2) return asked({ kind: 'sign', truth: total });
      const items = turns.map((turn) => ({ label: nameOf(turn.node), truth: turn.total }));
      return asked({ kind: 'ranking', items });
    }
  }
  return kind satisfies never;
}

interface Words {
  readonly nameOf: (node: NodeId) => string;
  readonly format: (value: number) => string; // of credit
}

/**
 * The question of a stride, on its last step. An order needs two steps or turns: without, the sign is asked.
 * @param from cursor before the stride
 * @param to cursor after it
 * @returns null where there is no step
 */
export function stepQuestion(
  steps: readonly StepperStep[],
  from: number,
  to: number,
  kind: PredictionKind,
  words: Words,
): StepQuestion | null {
  const stride = steps.slice(from, to);
  const step = stride.at(-1);
  if (!step) return null;
  if (step.phase === 'tokens') return tokenQuestion(step, to, kind, words.nameOf);
  const truth = step.result ?? 0;
  const asked = (question: Question): StepQuestion => ({ step, at: to, question });
  switch (kind) {
    case 'number':
      return asked({ kind: 'number', truth, tolerance: TOLERANCE });
    case 'choice':
      return asked(numberChoice(step, words.format));
    case 'ranking':
    case 'sign': {
      const ranked = kind === 'ranking' ? rankedSteps(stride) : [];
      if (ranked.length < 2) return asked({ kind: 'sign', truth });
      const label = ({ node, leaf }: StepperStep): string => words.nameOf(node) + (leaf === null || leaf === node ? '' : ` in ${words.nameOf(leaf)}`); // prettier-ignore
      const items = ranked.map((entry) => ({ label: label(entry), truth: entry.result ?? 0 }));
      return asked({ kind: 'ranking', items });
    }
  }
  return kind satisfies never;
}

/** A step before, whose number somebody took for the one that was asked for. */
export interface Mistaken {
  readonly step: StepperStep;
  readonly at: number;
}

/**
 * Where a wrong number comes from: the last step before that found it, at best for the same turn. What lies between is what
 * makes the difference.
 * @returns null where the guess is right, is no number, or nothing before found it
 */
export function mistakenFor(
  steps: readonly StepperStep[],
  { step, at, question }: StepQuestion,
  guess: Guess | null,
): Mistaken | null {
  if (question.kind !== 'number' || typeof guess !== 'number' || isRight(question, guess)) return null;
  const isIt = ({ result }: StepperStep): boolean =>
    result !== null && isRight({ ...question, truth: result, tolerance: TOLERANCE / 10 }, guess);
  const before = steps.slice(0, at - 1);
  const own = before.findLastIndex((entry) => entry.node === step.node && isIt(entry));
  const used = before.findLastIndex((entry) => step.lit.includes(entry.node) && isIt(entry));
  const place = own >= 0 ? own : used;
  return place < 0 ? null : { step: steps[place], at: place + 1 };
}
