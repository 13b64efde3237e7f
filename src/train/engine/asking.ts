/** Questions on their way between page and worker; both ends. */
import type { ErrorReport } from '../../units.ts';
import type { AnswerTo, Ask, Question, QuestionName } from '../inspect/index.ts';
import { QuestionError, reportOf } from '../../protocol/errors.ts';

/** What the page sends: a question, or that nobody waits for its answer any more. */
export type Asking =
  { readonly id: number; readonly question: Question } | { readonly id: number; readonly cancel: true };

/** What comes back, once for each question that was not cancelled. */
export type Reply =
  { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly failure: ErrorReport };

/** Commands, events and pulses have no id. */
export const isOfQuestion = (message: unknown): message is Asking | Reply =>
  typeof (message as { readonly id?: unknown } | null | undefined)?.id === 'number';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (reason: Error) => void;
}

/** The page's end. */
export class Asker {
  readonly #send: (message: Asking) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(send: (message: Asking) => void) {
    this.#send = send;
  }

  readonly ask: Ask = <Asked extends Question>(question: Asked, signal?: AbortSignal) =>
    new Promise<AnswerTo<Asked>>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const id = (this.#lastId += 1);
      const abandon = (): void => {
        this.#waiting.delete(id);
        this.#send({ id, cancel: true });
        reject(signal?.reason as Error); // the asker's own
      };
      signal?.addEventListener('abort', abandon, { once: true });
      const leave = (): void => signal?.removeEventListener('abort', abandon);
      this.#waiting.set(id, {
        resolve(answer) {
          leave();
          resolve(answer as AnswerTo<Asked>); // the engine's table says so
        },
        reject(reason) {
          leave();
          reject(reason);
        },
      });
      this.#send({ id, question });
    });

  /** An answer to a question that was cancelled is dropped. */
  hear(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('answer' in reply) waiting?.resolve(reply.answer);
    else waiting?.reject(new QuestionError(reply.failure));
  }

  /** Nobody is left to answer. */
  endAll(report: ErrorReport): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(new QuestionError(report));
  }
}

/**
 * The worker's end.
 * @param post sends a reply; `moved` are parts of the answer that need not be copied
 * @returns takes the page's messages
 */
export function answerQuestions(
  ask: Ask,
  post: (reply: Reply, moved: Transferable[]) => void,
  movedOf: (kind: QuestionName, answer: unknown) => Transferable[],
): (message: Asking) => void {
  const open = new Map<number, AbortController>();
  return (message) => {
    const { id } = message;
    if ('cancel' in message) return open.get(id)?.abort();
    const end = new AbortController();
    open.set(id, end);
    ask(message.question, end.signal)
      .then(
        (answer) => post({ id, answer }, movedOf(message.question.kind, answer)),
        (error: unknown) => {
          if (!end.signal.aborted)
            post({ id, failure: reportOf(error, `question ${message.question.kind}`) }, []);
        },
      )
      .finally(() => open.delete(id));
  };
}
