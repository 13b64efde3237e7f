/** What a question of a person to the engine is made of. The table of all of them is index.ts. */
import * as v from 'valibot';
import type { AskedParameters, Place } from '../../protocol/inspection.ts';
import { issueReport, whole } from '../../protocol/schema.ts';
import type { EditedKernel, Environment, PolicyReader, RunConfig } from '../../units.ts';
import type { Backend } from '../engine/backend.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Replays } from '../engine/replay.ts';
import type { Session } from '../engine/session.ts';
import type { GateState } from '../run/gates.ts';

/** A policy to ask, and whose parameters it has: the run's own, which stands until it is given back, or one made for this. */
export interface AskedOf {
  readonly policy: PolicyReader;
  readonly environment: Environment;
  readonly parameters: AskedParameters;
  readonly run: GateState | null; // where the live run stands, or stood when another was made; null where there is none
  giveBack(): void;
}

/**
 * What the engine lends to an answerer. Asked for before the answerer's first await, it is lent before the engine's next
 * command begins: an answer then is of the run as it was when the question came, and goes on beside it.
 */
export interface Lender {
  /** Opened where there is none yet. */
  backend(): Promise<Backend>;
  /**
   * Every question's policy comes from here. It changes no number of a run, which waits for it.
   * @param at whose weights it has; absent: the open run's as it stands, else those that the configuration starts from
   * @throws NotReplayedError
   */
  policyOf(config: RunConfig, at?: Place): Promise<AskedOf>;
  /** Runs trained again. */
  replays(): Replays;
  /** The run itself, which the answerer may look at and wait for, and does not disturb. @throws NoRunError */
  run(): Promise<Session>;
}

/** One kind of question: how its fields are checked, and who answers. */
export interface QuestionKind<Fields, Answer> {
  /** @throws LabError naming the first field that is not valid; `value` comes from outside */
  parse(value: unknown): Fields;
  /** @param signal aborted when nobody waits any more: the answer will be dropped, so it may break off */
  answer(question: Fields, lender: Lender, signal: AbortSignal): Promise<Answer>;
  /** What of the answer is moved to the page and not copied; nothing by default. */
  moved?(answer: Answer): Transferable[];
  /** A person's text of a kernel that runs for this question: it is named when the device is lost meanwhile. */
  edit?(question: Fields): EditedKernel | null;
}

export type QuestionTable = Readonly<Record<string, QuestionKind<unknown, unknown>>>;

/** Checks the fields of a question. @throws ProtocolError naming the first that is not valid */
export function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  report: { readonly what: string; readonly next: string },
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new ProtocolError(issueReport(parsed.issues, value, { ...report, root: 'question' }));
}

/** A field of a question from outside, before anything of it is known. */
export const fieldOf = (value: unknown, name: string): unknown =>
  (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];

/** A place of a run. */
export const placeSchema = v.object({ run: v.string(), update: whole(0, 1_000_000) });

/** The place whose weights a question asks for, if it names one. */
export function placeIn(value: unknown): { readonly at?: Place } {
  const at = fieldOf(value, 'at');
  if (at === undefined) return {};
  const report = { what: 'There are no such weights', next: 'Name a run and one of its updates.' };
  return { at: checked(placeSchema, at, report) };
}

/** Lends a policy to `work`, and takes it back when that is over, whatever came of it. */
export async function withPolicy<T>(
  lender: Lender,
  { config, at }: { readonly config: RunConfig; readonly at?: Place },
  signal: AbortSignal,
  work: (asked: AskedOf) => Promise<T>,
): Promise<T> {
  const asked = await lender.policyOf(config, at);
  try {
    signal.throwIfAborted();
    return await work(asked);
  } finally {
    asked.giveBack();
  }
}
