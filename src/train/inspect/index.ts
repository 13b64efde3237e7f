/** All questions that the engine answers, one line each. The page imports types alone from here. */
import { adapters } from './adapters.ts';
import { estimate } from './estimate.ts';
import { compareGradients } from './gradient_angles.ts';
import { evaluateHeldOut } from './held_out.ts';
import { growTurns } from './intervention.ts';
import { checkOneKernel, listKernels, tryOneKernel } from './kernels.ts';
import { checkSteps, checkWeights, profileUpdate, saveCheckpoint, saveWeights } from './of_run.ts';
import type { QuestionTable } from './question.ts';
import { replayedCheckpoint, replayUpdate } from './replay.ts';
import { inspectToken } from './token_push.ts';

export const questions = {
  adapters,
  estimate,
  'compare-gradients': compareGradients,
  'inspect-token': inspectToken,
  intervene: growTurns,
  'held-out': evaluateHeldOut,
  'list-kernels': listKernels,
  'check-kernel': checkOneKernel,
  'try-kernel': tryOneKernel,
  'save-weights': saveWeights,
  'check-weights': checkWeights,
  'save-checkpoint': saveCheckpoint,
  replay: replayUpdate,
  'replayed-checkpoint': replayedCheckpoint,
  profile: profileUpdate,
  'check-steps': checkSteps,
} satisfies QuestionTable;

type Table = typeof questions;
export type QuestionName = keyof Table;

export type Question = {
  [Name in QuestionName]: { readonly kind: Name } & Parameters<Table[Name]['answer']>[0];
}[QuestionName];

export type QuestionNamed<Name extends QuestionName> = Extract<Question, { readonly kind: Name }>;

export type AnswerTo<Asked extends { readonly kind: QuestionName }> = Awaited<
  ReturnType<Table[Asked['kind']]['answer']>
>;

/**
 * Rejects with a LabError that carries the report of what went wrong with this question alone, or with the signal's
 * reason when nobody waits any more.
 */
export type Ask = <Asked extends Question>(question: Asked, signal?: AbortSignal) => Promise<AnswerTo<Asked>>;
