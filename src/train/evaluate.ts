/** Held-out exact match: one path per question, sampled or greedy. */
import { scoreLeaves } from '../algo/reward.ts';
import { growChains, type RolloutObserver } from '../algo/rollout.ts';
import type { Environment, RandomKey, TrainablePolicy } from '../units.ts';
import { heldOutPrompts } from './questions.ts';

const QUESTIONS_AT_ONCE = 64; // bounds the slots of the policy and the time between two gates

/**
 * Keyed by the run's seed alone: each evaluation of a run draws the same noise for the same question, so that
 * two evaluations differ by the policy and not by luck. The words differ from training's, which count updates from 1.
 */
const evaluationKey = (seed: number): RandomKey => ({ seed, update: 0 });

export interface EvaluationRequest {
  readonly policy: TrainablePolicy;
  readonly environment: Environment;
  readonly dataset: string;
  readonly questions: number;
  readonly seed: number; // of the run
  readonly temperature: number; // 0 = greedy
  readonly observer: RolloutObserver;
}

/** Share of the first held-out questions answered exactly, in [0, 1]. */
export async function evaluate(request: EvaluationRequest): Promise<number> {
  const { policy, environment, dataset, questions, seed, temperature, observer } = request;
  const prompts = heldOutPrompts(environment, dataset, questions);
  let correct = 0;
  policy.beginRollout(evaluationKey(seed), { temperature, stopTokens: environment.stopTokens });
  for (let first = 0; first < questions; first += QUESTIONS_AT_ONCE) {
    const some = prompts.slice(first, first + QUESTIONS_AT_ONCE);
    const trees = await growChains(policy, environment, some, evaluationKey(seed), observer);
    for (const tree of trees) {
      const { byNode } = scoreLeaves(tree, environment);
      if (tree.leaves.some((leaf) => byNode[leaf] === 1)) correct += 1;
    }
  }
  return correct / questions;
}
