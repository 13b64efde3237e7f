/**
 * When admitting "I do not know" is rewarded (BAPO): a state machine that a run carries from update to update.
 * @see arXiv:2601.11037 and its released code
 */
import type { Grade, RunConfig } from '../../units.ts';

const ENOUGH_ADMISSIONS = 0.05; // α: share of the batch's rows
const PATIENCE = 5; // validations below the best one
const DIVERSITY = 3 / 8; // different answers per row of the group, admissions left out

export interface BoundaryState {
  readonly phase: 'exploration' | 'plateau'; // never back
  readonly best: number | null; // best validation so far, [0, 1]; null before the first
  readonly below: number; // validations below it since then
}

export const BOUNDARY_START: BoundaryState = { phase: 'exploration', best: null, below: 0 };

/** The state after another validation score: the plateau begins with the sixth in a row below the best. */
export function afterValidation(state: BoundaryState, score: number): BoundaryState {
  if (state.best === null || score > state.best) return { ...state, best: score, below: 0 };
  const below = score < state.best ? state.below + 1 : state.below;
  return { ...state, below, phase: below > PATIENCE ? 'plateau' : state.phase };
}

/** Fewest validations that lead to the plateau: the best one, and those below it. */
const PLATEAU_VALIDATIONS = PATIENCE + 2;

/**
 * Why a run can never reach the plateau; null where it can, or where its reward does not ask. Validations count up to
 * the last update: before the first one, and after every `every`-th.
 */
export function plateauCaution({
  algorithm,
  updates,
  evaluation: { every, questions },
}: Pick<RunConfig, 'algorithm' | 'updates' | 'evaluation'>): string | null {
  if (algorithm.reward.rule !== 'boundary') return null;
  const later = every === 0 ? 0 : Math.floor(Math.max(0, updates - 1) / every);
  const validations = questions === 0 ? 0 : 1 + later;
  if (validations >= PLATEAU_VALIDATIONS) return null;
  const often = Math.floor((updates - 1) / (PLATEAU_VALIDATIONS - 1));
  const remedy =
    questions === 0
      ? 'Set evaluation.questions above 0'
      : often > 0
        ? `Set evaluation.every to ${often} or less`
        : `Run at least ${PLATEAU_VALIDATIONS} updates`;
  return `BAPO only explores in this run: its plateau phase needs ${PLATEAU_VALIDATIONS} validations before the last update, and there are ${validations}. ${remedy} for both phases.`;
}

/** What a group of rows says of its question. */
export interface BoundaryGroup {
  readonly admissionShare: number; // of all rows of the batch that say "I do not know", [0, 1]
  readonly solved: boolean; // a row of the group earned more than 0 by its answer
  readonly differentAnswers: number; // among the rows of the group that answer
  readonly rows: number; // of the group
}

/** Whether an admission in this group is rewarded. */
export function admissionPays(state: BoundaryState, group: BoundaryGroup): boolean {
  if (group.solved) return false;
  return state.phase === 'exploration'
    ? group.admissionShare < ENOUGH_ADMISSIONS
    : group.differentAnswers <= DIVERSITY * group.rows;
}

/**
 * (1 − ρ)·precision + ρ·accuracy: ρ the share of admissions, precision of the other rows, accuracy of all; an admission
 * is no right answer, even to a question that has none. 0 without rows.
 */
export function reliability(grades: readonly Grade[]): number {
  const answered = grades.filter(({ unknown }) => !unknown);
  const right = answered.filter(({ formatValid, exactMatch }) => formatValid && exactMatch === 1).length;
  if (right === 0) return 0;
  const admissions = 1 - answered.length / grades.length;
  return (1 - admissions) * (right / answered.length) + admissions * (right / grades.length);
}
