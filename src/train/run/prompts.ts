/** Which questions are asked. Training seeds lie below 2³¹, held-out seeds from 2³¹ on: no question is both. */
import { STREAMS, keyedRandom } from '../../algo/random.ts';
import type { Environment, Prompt, RandomKey } from '../../units.ts';

export const FIRST_HELD_OUT_SEED = 2 ** 31;

/** Seed of training question `index` of an update, below FIRST_HELD_OUT_SEED. */
export const trainingSeed = (key: RandomKey, index: number): number =>
  keyedRandom(key, STREAMS.questions, index).integer(FIRST_HELD_OUT_SEED);

/** Seed of held-out question `index`: the same for every run, so that all runs answer the same questions. */
export const heldOutSeed = (index: number): number =>
  FIRST_HELD_OUT_SEED +
  keyedRandom({ seed: 0, update: 0 }, STREAMS.evaluation, index).integer(FIRST_HELD_OUT_SEED);

/**
 * Prompts of one update, data sets in turn from update to update.
 * @param firstIndex of the first prompt; not 0 where an update rolls out more than one batch
 */
export function trainingPrompts(
  environment: Environment,
  datasets: readonly string[],
  promptCount: number,
  key: RandomKey,
  firstIndex = 0,
): readonly Prompt[] {
  const before = (key.update - 1) * promptCount;
  return Array.from({ length: promptCount }, (_, place) => {
    const index = firstIndex + place;
    const dataset = datasets[(before + index) % datasets.length];
    return environment.prompt(dataset, trainingSeed(key, index), index);
  });
}

/** The first `count` held-out questions of a data set. */
export const heldOutPrompts = (environment: Environment, dataset: string, count: number): readonly Prompt[] =>
  Array.from({ length: count }, (_, index) => environment.prompt(dataset, heldOutSeed(index), index));
