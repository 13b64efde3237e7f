/** An engine's end that keeps the questions of the page until a test answers them. */
import type { Ask, AnswerTo, Question, QuestionName, QuestionNamed } from '../../src/train/inspect/index.ts';
import { QuestionError } from '../../src/protocol/errors.ts';
import { LabError, type ErrorReport } from '../../src/units.ts';

interface Put {
  readonly question: Question;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (reason: Error) => void;
}

export interface Listener {
  readonly ask: Ask;
  readonly asked: readonly Put[];
  /** The questions of a kind, in order. */
  readonly of: <Name extends QuestionName>(name: Name) => readonly QuestionNamed<Name>[];
  /** Answers the last question of a kind; the page has heard it when this resolves. */
  readonly answer: <Name extends QuestionName>(
    name: Name,
    answer: AnswerTo<QuestionNamed<Name>>,
  ) => Promise<void>;
  readonly fail: (name: QuestionName, report: ErrorReport) => Promise<void>;
}

export function listen(): Listener {
  const asked: Put[] = [];
  const last = (name: QuestionName): Put => {
    const found = asked.findLast(({ question }) => question.kind === name);
    if (!found) throw new Error(`nobody asked ${name}`);
    return found;
  };
  const heard = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  return {
    asked,
    ask: (question: Question, signal?: AbortSignal) =>
      new Promise<never>((resolve, reject) => {
        asked.push({ question, signal, resolve: resolve as (answer: unknown) => void, reject });
      }),
    of: <Name extends QuestionName>(name: Name) =>
      asked.flatMap(({ question }) => (question.kind === name ? [question as QuestionNamed<Name>] : [])),
    answer(name, answer) {
      last(name).resolve(answer);
      return heard();
    },
    fail(name, report) {
      last(name).reject(new QuestionError(report));
      return heard();
    },
  };
}

/** What a question was refused with. */
export const refusalOf = (answer: Promise<unknown>): Promise<ErrorReport> =>
  answer.then(
    () => {
      throw new Error('it was answered');
    },
    (error: unknown) => {
      if (error instanceof LabError) return error.report;
      throw error;
    },
  );
