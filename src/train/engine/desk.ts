/** Where questions wait for their answers. Each fails alone: a run, and every other question, goes on. */
import type { EditedKernel } from '../../units.ts';
import type { Lender, QuestionTable } from '../inspect/question.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { quote } from '../../protocol/schema.ts';

interface Waiting {
  readonly end: (reason: Error) => void;
  edit: EditedKernel | null;
}

/** What a question failed of: the error, and a person's kernel that was running for it. */
export type Explain = (error: unknown, question: string) => Error;

export class Desk {
  readonly #table: QuestionTable;
  readonly #lender: Lender;
  readonly #explain: Explain;
  readonly #waiting = new Set<Waiting>();

  /** @param explain makes the error that the asker gets */
  constructor(table: QuestionTable, lender: Lender, explain: Explain) {
    this.#table = table;
    this.#lender = lender;
    this.#explain = explain;
  }

  /** A person's text of a kernel that runs for a question, if any. */
  get edit(): EditedKernel | null {
    return [...this.#waiting].find(({ edit }) => edit !== null)?.edit ?? null;
  }

  /**
   * Puts a question.
   * @param value from outside
   * @param inTurn calls back when all that was sent before is carried out, and holds what comes after until then
   */
  ask(
    value: unknown,
    signal: AbortSignal | undefined,
    inTurn: (work: () => Promise<void>) => Promise<void>,
  ): Promise<unknown> {
    const name = String((value as { readonly kind?: unknown } | null | undefined)?.kind);
    const ended = new AbortController();
    return new Promise((resolve, reject) => {
      const end = (reason: Error): void => {
        this.#waiting.delete(waiting);
        signal?.removeEventListener('abort', abandon);
        ended.abort(reason);
        reject(reason);
      };
      const waiting: Waiting = { end, edit: null };
      const abandon = (): void => end(signal?.reason as Error); // the asker's own
      if (signal?.aborted) return abandon();
      signal?.addEventListener('abort', abandon, { once: true });
      this.#waiting.add(waiting);
      void inTurn(async () => {
        if (ended.signal.aborted) return;
        const loans: Promise<unknown>[] = [];
        this.#answer(name, value, waiting, ended.signal, loans).then(
          (answer) => {
            this.#waiting.delete(waiting);
            signal?.removeEventListener('abort', abandon);
            resolve(answer);
          },
          (error: unknown) => end(this.#explain(error, name)),
        );
        await Promise.allSettled(loans);
      });
    });
  }

  /** Nobody can answer any more. */
  endAll(reason: Error): void {
    for (const { end } of [...this.#waiting]) end(reason);
  }

  /** @param loans takes what is asked for, until the first await: the caller waits for it */
  async #answer(
    name: string,
    value: unknown,
    waiting: Waiting,
    signal: AbortSignal,
    loans: Promise<unknown>[],
  ): Promise<unknown> {
    const kind = Object.hasOwn(this.#table, name) ? this.#table[name] : null;
    if (!kind) throw unknownQuestion(name, Object.keys(this.#table));
    const question = kind.parse(value);
    waiting.edit = kind.edit?.(question) ?? null;
    const noted = <T>(loan: Promise<T>): Promise<T> => {
      loans.push(loan);
      return loan;
    };
    const lender: Lender = {
      backend: () => noted(this.#lender.backend()),
      policyOf: (config, at) => noted(this.#lender.policyOf(config, at)),
      replays: () => this.#lender.replays(),
      run: () => noted(this.#lender.run()),
    };
    return kind.answer(question, lender, signal);
  }
}

const unknownQuestion = (name: string, known: readonly string[]): ProtocolError =>
  new ProtocolError({
    what: 'The engine does not know this question',
    where: 'question.kind',
    got: quote(name),
    wanted: `one of ${known.join(', ')}`,
    next: 'Reload the page, so that both sides are of one version.',
  });
