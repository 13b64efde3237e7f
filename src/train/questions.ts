/** Which questions are asked. Training seeds lie below 2³¹, held-out seeds from 2³¹ on: no question is both. */
import { STREAMS, keyedRandom } from '../algo/random.ts';
import type { Environment, Prompt, RandomKey } from '../units.ts';

export const FIRST_HELD_OUT_SEED = 2 ** 31;

/** Seed of training question `index` of an update, below FIRST_HELD_OUT_SEED. */
export const trainingSeed = (key: RandomKey, index: number): number =>
  keyedRandom(key, STREAMS.questions, index).integer(FIRST_HELD_OUT_SEED);

/** Seed of held-out question `index`: the same for every run, so that all runs answer the same questions. */
export const heldOutSeed = (index: number): number =>
  FIRST_HELD_OUT_SEED +
  keyedRandom({ seed: 0, update: 0 }, STREAMS.evaluation, index).integer(FIRST_HELD_OUT_SEED);

/** The prompts of one update, data sets in turn from update to update. */
export function trainingPrompts(
  environment: Environment,
  datasets: readonly string[],
  promptCount: number,
  key: RandomKey,
): readonly Prompt[] {
  const first = (key.update - 1) * promptCount;
  return Array.from({ length: promptCount }, (_, index) =>
    environment.prompt(datasets[(first + index) % datasets.length], trainingSeed(key, index), index),
  );
}

/** The first `count` held-out questions of a data set. */
export const heldOutPrompts = (environment: Environment, dataset: string, count: number): readonly Prompt[] =>
  Array.from({ length: count }, (_, index) => environment.prompt(dataset, heldOutSeed(index), index));
