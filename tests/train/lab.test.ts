import { isLogged } from '../../src/protocol/protocol.ts';
import { expect, test } from 'vitest';
import {
  labCautions,
  labConfig,
  listChoices,
  summarise,
  type LabOptions,
} from '../../src/train/engine/lab.ts';
import { presets } from '../../src/train/config/presets.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const options = (changes: Partial<LabOptions> = {}): LabOptions => ({
  preset: 'instant',
  algorithm: null,
  seed: null,
  updates: null,
  evaluationQuestions: 200,
  settings: [],
  ...changes,
});

test('without options the lab runs the preset, evaluated before and after', () => {
  const preset = presets.get('instant')?.config;
  expect(labConfig(options())).toEqual({
    ...preset,
    evaluation: { every: 0, questions: 200, datasets: ['hotpot'] },
  });
});

test('options and settings change what they name', () => {
  const config = labConfig(
    options({
      preset: 'classroom',
      algorithm: 'at2po_random',
      seed: 9,
      updates: 3,
      settings: [
        ['datasets', 'nq,popqa'],
        ['algorithm.loss.clipLow', '3e-2'],
        ['algorithm.credit.leafNormalisation', 'false'],
        ['algorithm.credit.advantageRule', 'diff_parent'],
        ['weights', 'null'],
      ],
    }),
  );
  expect(config).toMatchObject({
    preset: 'classroom',
    seed: 9,
    updates: 3,
    datasets: ['nq', 'popqa'],
    weights: null,
  });
  expect(config.algorithm.name).toBe('at2po_random');
  expect(config.algorithm.rollout).toMatchObject({ expansion: 'random', initialBranches: 5 });
  expect(config.algorithm.loss).toMatchObject({ clipLow: 0.03, clipHigh: 4e-3 });
  expect(config.algorithm.credit).toMatchObject({ leafNormalisation: false, advantageRule: 'diff_parent' });
});

test('a reward that follows validations keeps the preset’s, unless they are set; the lab says where they are too few', () => {
  const every = (changes: Partial<LabOptions>) => labConfig(options(changes)).evaluation.every;
  expect(every({ preset: 'boundary' })).toBe(4);
  expect(every({ preset: 'boundary', algorithm: 'grpo' })).toBe(0);
  expect(every({ algorithm: 'bapo' })).toBe(10);
  expect(every({ settings: [['algorithm.reward.rule', 'boundary']] })).toBe(10);
  expect(every({ preset: 'boundary', settings: [['evaluation.every', '0']] })).toBe(0);
  expect(labCautions(labConfig(options({ preset: 'boundary' })))).toEqual([]);
  expect(labCautions(labConfig(options()))).toEqual([]);
  expect(labCautions(labConfig(options({ algorithm: 'bapo' })))).toEqual([
    expect.stringContaining('there are 4. Set evaluation.every to 6 or less'),
  ]);
});

test('leaves per tree follow the shape of the tree unless they are set', () => {
  const shape: LabOptions['settings'] = [['algorithm.rollout.initialBranches', '8']];
  expect(labConfig(options({ settings: shape })).algorithm.rollout.leavesPerTree).toBe(14);
  const set = [...shape, ['algorithm.rollout.leavesPerTree', '6'] as const];
  expect(labConfig(options({ settings: set })).algorithm.rollout.leavesPerTree).toBe(6);
});

test('a bad option names what there is', () => {
  expect(() => labConfig(options({ preset: 'quick' }))).toThrowError(
    /--preset.*got quick.*instant, classroom, research/,
  );
  expect(() => labConfig(options({ algorithm: 'ppo' }))).toThrowError(/--algorithm.*got ppo.*at2po/);
  expect(() => labConfig(options({ settings: [['optimiser.speed', '1']] }))).toThrowError(/learningRate/);
  expect(() => labConfig(options({ settings: [['temperature', 'hot']] }))).toThrowError(
    /config\.temperature.*"hot"/,
  );
  expect(() => labConfig(options({ settings: [['datasets', 'squad']] }))).toThrowError(/hotpot, 2wiki/);
});

test('the list names presets, algorithms and every setting', () => {
  const text = listChoices();
  for (const name of ['instant', 'at2po_random', 'corridor', 'optimiser.learningRate', 'child_softmax']) {
    expect(text).toContain(name);
  }
});

test('the result holds the curves of its log', async () => {
  const log = await scriptedRun(smallConfig());
  const result = summarise(log.filter(isLogged), 12.5);
  const held = log.filter((event) => event.kind === 'evaluation');
  expect(result.seconds).toBe(12.5);
  expect(result.heldOut).toEqual({
    questions: 8,
    before: { exactMatch: held[0].exactMatch, greedyExactMatch: held[1].exactMatch },
    after: { exactMatch: held[2].exactMatch, greedyExactMatch: held[3].exactMatch },
  });
  expect(result.updates.map(({ update }) => update)).toEqual([1, 2]);
  expect(result.updates.every(({ exactMatch }) => exactMatch >= 0 && exactMatch <= 1)).toBe(true);
  expect(result.config.preset).toBe('instant');
});
