/** A worksheet: the questions of a lesson or of a teacher's link, what the person answered, what the lab says. Pure. */
import type { Lesson, PredictionData } from '../../lessons/lesson.ts';
import { decodeSelection, encodeSelection } from '../place/address.ts';
import { INITIAL_SELECTION } from '../place/selection.ts';
import type { TaughtQuestion } from '../place/stage.ts';
import { evaluate, type Ground, type Quantity } from './expression.ts';
import { parsePassage } from './passage.ts';
import { isRight, signOf, trueOrder, type Guess, type Question } from './prediction.ts';

export interface WorksheetRow {
  readonly title: string;
  readonly text: readonly string[]; // paragraphs
  readonly ask: string | null; // null: nothing is asked
  readonly options: readonly string[]; // to choose from, or to put in order
  readonly answer: string | null; // of the person; null: none was given
  readonly isRight: boolean | null; // null: there is no answer, or nothing to hold it against
  readonly lab: string | null; // the lab's number or words; null where it has none
  readonly hash: string; // of the state that it is about
}

type Write = (quantity: Pick<Quantity, 'value' | 'kind'>) => string;

/** Words without marks, with the lab's numbers in them. */
export const plainWords = (text: string, ground: Ground | null, write: Write): string =>
  parsePassage(text)
    .map((part) => {
      if (part.kind !== 'number') return part.words;
      return ground ? write(evaluate(part.expression, ground)) : '…';
    })
    .join('');

/** The question with its truth; null while the lab does not know it yet. */
export function questionOf(data: PredictionData, ground: Ground): Question | null {
  const truthOf = (text: string): number | null => evaluate(text, ground).value;
  switch (data.kind) {
    case 'choice':
      return { kind: 'choice', options: data.options, right: data.right };
    case 'ranking': {
      const items = data.items.flatMap(({ label, of }) => {
        const truth = truthOf(of);
        return truth === null ? [] : [{ label, truth }];
      });
      return items.length < data.items.length ? null : { kind: 'ranking', items };
    }
    case 'number':
    case 'sign': {
      const truth = truthOf(data.of);
      if (truth === null) return null;
      return data.kind === 'sign'
        ? { kind: 'sign', truth }
        : { kind: 'number', truth, tolerance: data.tolerance };
    }
  }
}

const SIGNS = { '1': '▲ above zero', '0': '0, exactly', '-1': '▼ below zero' } as const;

/** A guess, or the truth where it is null, in words. */
export function guessWords(
  question: Question,
  guess: Guess | null,
  write: (value: number) => string,
): string {
  switch (question.kind) {
    case 'number':
      return write((guess as number | null) ?? question.truth);
    case 'sign':
      return SIGNS[signOf((guess as number | null) ?? question.truth)];
    case 'choice':
      return question.options[(guess as number | null) ?? question.right];
    case 'ranking':
      return ((guess as readonly number[] | null) ?? trueOrder(question.items))
        .map((place) => question.items[place].label)
        .join(' > ');
  }
}

function optionsOf(question: Question | null): readonly string[] {
  if (question?.kind === 'choice') return question.options;
  if (question?.kind === 'ranking') return question.items.map(({ label }) => label);
  return question?.kind === 'sign' ? Object.values(SIGNS) : [];
}

/**
 * @param groundAt where the numbers of a step are read; null where its record is not at hand
 * @param answers guesses by step; null: the person had it shown
 */
export function lessonRows(
  lesson: Lesson,
  groundAt: (step: number) => Ground | null,
  answers: Readonly<Record<number, Guess | null>>,
  write: Write,
): readonly WorksheetRow[] {
  return lesson.steps.map((step, at): WorksheetRow => {
    const ground = groundAt(at);
    const words = (text: string): string => plainWords(text, ground, write);
    const data = step.predict;
    const question = data && ground ? questionOf(data, ground) : null;
    const kind = data && 'of' in data && ground ? evaluate(data.of, ground).kind : 'plain';
    const inWords = (value: number): string => write({ value, kind });
    const guess = answers[at] ?? null;
    return {
      title: step.title,
      text: step.text.map(words),
      ask: data ? words(data.ask) : null,
      options: optionsOf(question),
      answer: question && guess !== null ? guessWords(question, guess, inWords) : null,
      isRight: question && guess !== null ? isRight(question, guess) : null,
      lab: question && guessWords(question, null, inWords),
      hash: ground
        ? encodeSelection({ ...INITIAL_SELECTION, lesson: ground.selection.lesson, lessonStep: at })
        : '',
    };
  });
}

/** A guess counts as right within what two printed digits round off. */
export const TAUGHT_TOLERANCE = 0.01;

/** @param home hash of the link, which the questions are about */
export function taughtRows(
  questions: readonly TaughtQuestion[],
  answers: Readonly<Record<number, Guess | string>>,
  ground: Ground | null,
  home: string,
  write: Write,
): readonly WorksheetRow[] {
  return questions.map(({ ask, of }, at): WorksheetRow => {
    const quantity = of !== '' && ground ? evaluate(of, ground) : null;
    const truth = quantity?.value ?? null;
    const given = answers[at];
    const inWords = (value: number): string => write({ value, kind: quantity?.kind ?? 'plain' });
    const answer = given === undefined ? null : typeof given === 'number' ? inWords(given) : String(given);
    return {
      title: `Question ${at + 1}`,
      text: [],
      ask,
      options: [],
      answer,
      isRight:
        truth !== null && typeof given === 'number' ? Math.abs(given - truth) <= TAUGHT_TOLERANCE : null,
      lab: truth === null ? null : inWords(truth),
      hash: encodeSelection(decodeSelection(home)),
    };
  });
}

const BLANK = '\\_\\_\\_\\_\\_\\_\\_\\_';
const escaped = (text: string): string => text.replace(/([\\`*_[\]<>#|])/g, '\\$1');

/** @param withLab the lab's own answers are in it; @param base address of the page, without a hash */
export function worksheetMarkdown(
  title: string,
  rows: readonly WorksheetRow[],
  base: string,
  withLab: boolean,
): string {
  const blocks = rows.flatMap(
    ({ title: head, text, ask, options, answer, isRight: right, lab, hash }, at) => [
      `## ${at + 1}. ${escaped(head)}`,
      ...text.map(escaped),
      ...(ask === null ? [] : [`**${escaped(ask)}**`]),
      ...(options.length === 0 ? [] : [options.map((option) => `- ${escaped(option)}`).join('\n')]),
      ...(ask === null
        ? []
        : [
            `Your answer: ${answer === null ? BLANK : escaped(answer)}${right === null ? '' : right ? ' (right)' : ' (not quite)'}`,
          ]),
      ...(ask !== null && lab !== null && withLab ? [`The lab: ${escaped(lab)}`] : []),
      ...(hash === '' ? [] : [`[This state in the lab](<${base}${hash}>)`]),
    ],
  );
  return (
    [`# ${escaped(title)}`, 'Name: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_', ...blocks].join(
      '\n\n',
    ) + '\n'
  );
}
