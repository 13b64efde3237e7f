/** Held-out scores: one path per question, sampled or greedy. */
import { reliability } from '../../algo/reward/boundary.ts';
import { gradeLeaves, isRight } from '../../algo/reward/reward.ts';
import { growApart } from '../../algo/rollouts/apart.ts';
import { growChains, type RolloutObserver } from '../../algo/rollouts/turn_tree.ts';
import type { Environment, Grade, RandomKey, PolicyReader } from '../../units.ts';
import { heldOutPrompts } from './prompts.ts';

const QUESTIONS_AT_ONCE = 64; // bounds the requests under way and the time between two gates

/**
 * Keyed by the run's seed alone: each evaluation of a run draws the same noise for the same question, so that
 * two evaluations differ by the policy and not by luck. The words differ from training's, which count updates from 1.
 */
const evaluationKey = (seed: number): RandomKey => ({ seed, update: 0 });

export interface EvaluationRequest {
  readonly policy: PolicyReader;
  readonly environment: Environment;
  readonly dataset: string;
  readonly questions: number;
  readonly seed: number; // of the run
  readonly temperature: number; // 0 = greedy
  readonly observer: RolloutObserver;
}

/** Shares in [0, 1]. */
export interface EvaluationScores {
  readonly exactMatch: number; // right answers in good form
  readonly unknown: number; // "I do not know"
  readonly reliability: number; // BAPO's: answers count, admissions do not count against precision
}

/** Grades of the first held-out questions of a data set, in their order. */
export async function gradeHeldOut(request: EvaluationRequest): Promise<readonly Grade[]> {
  const { policy, environment, dataset, questions, seed, temperature, observer } = request;
  const prompts = heldOutPrompts(environment, dataset, questions);
  const grades: Grade[] = [];
  policy.beginRollout(evaluationKey(seed), { temperature, stopTokens: environment.stopTokens });
  for (let first = 0; first < questions; first += QUESTIONS_AT_ONCE) {
    const some = prompts.slice(first, first + QUESTIONS_AT_ONCE);
    const trees = await growApart(some, observer, (prompt, told) =>
      growChains(policy, environment, [prompt], evaluationKey(seed), told),
    );
    grades.push(...trees.flatMap((tree) => gradeLeaves(tree, environment)));
  }
  return grades;
}

/** @param grades at least one */
export const scoresOf = (grades: readonly Grade[]): EvaluationScores => ({
  exactMatch: grades.filter(isRight).length / grades.length,
  unknown: grades.filter(({ unknown }) => unknown).length / grades.length,
  reliability: reliability(grades),
});

/** A digit per grade: 1 for a right answer in good form. */
export const rightAnswers = (grades: readonly Grade[]): string =>
  grades.map((grade) => (isRight(grade) ? '1' : '0')).join('');

/** Scores of the first held-out questions of a data set. */
export const evaluate = async (request: EvaluationRequest): Promise<EvaluationScores> =>
  scoresOf(await gradeHeldOut(request));
