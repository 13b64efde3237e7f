import { expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { capacityOf } from '../../src/model/microbatches.ts';
import { trainingLimit } from '../../src/model/policy.ts';
import { capacitiesOf } from '../../src/train/config/fit.ts';
import { presets, withAlgorithm } from '../../src/train/config/presets.ts';
import type { RunConfig } from '../../src/units.ts';
import { playedRun, smallConfig } from '../support/scripted_run.ts';

const LIMITS = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 };
const EVERYTHING = { tokens: Infinity, predicted: Infinity, scored: Infinity };
const most = trainingLimit();

const NAMES = Object.keys(algorithms) as (keyof typeof algorithms)[];

test.each(NAMES)('what %s trains on fits its run’s capacity, or is split as without one', async (name) => {
  const evaluation = { every: 0, questions: 2, datasets: ['hotpot'] };
  const small = smallConfig({ promptsPerUpdate: 4, promptsPerMinibatch: 1, evaluation });
  const config = withAlgorithm(small, algorithms[name].config);
  const { training } = capacitiesOf(config, LIMITS);
  const { policies } = await playedRun(config, { skill: () => 0.6 });
  const updates = policies.flatMap((policy) => policy.updates);
  if (config.algorithm.loss.surrogate !== 'none') expect(updates.length).toBeGreaterThan(0);
  for (const { batch } of updates) {
    const fills = capacityOf(batch, EVERYTHING);
    for (const key of ['tokens', 'predicted', 'scored'] as const) {
      if (training[key] < most[key]) expect(fills[key]).toBeLessThanOrEqual(training[key]);
      else expect(training[key]).toBe(most[key]);
    }
  }
});

const instant = (changes: (config: RunConfig) => RunConfig): RunConfig => {
  const preset = presets.get('instant');
  if (!preset) throw new Error('there is no instant preset');
  return changes(preset.config);
};

const withRollout = (rollout: Partial<RunConfig['algorithm']['rollout']>): RunConfig =>
  instant((config) => ({
    ...config,
    promptsPerMinibatch: 1,
    algorithm: { ...config.algorithm, rollout: { ...config.algorithm.rollout, ...rollout } },
  }));

test('rows count as they are grown, or as they are copied where that is more', () => {
  const shape = { shape: 'continuation_tree', initialBranches: 2, iterations: 2, picks: 3 } as const;
  const scored = (leavesPerTree: number): number =>
    capacitiesOf(withRollout({ ...shape, leavesPerTree }), LIMITS).training.scored / 96;
  expect([scored(4), scored(14), scored(20)]).toEqual([14, 14, 20]);
});

test('methods that pack the whole update, or pairs of turns, have all that a micro-batch may hold', () => {
  const trainingOf = (name: keyof typeof algorithms) =>
    capacitiesOf(withAlgorithm(smallConfig({ promptsPerMinibatch: 1 }), algorithms[name].config), LIMITS)
      .training;
  for (const name of ['istar', 'igpo', 'mcts_dpo'] as const) expect(trainingOf(name)).toEqual(most);
  expect(trainingOf('at2po')).not.toEqual(most);
});
