import * as v from 'valibot';
import { expect, test } from 'vitest';
import { parameterCount } from '../../src/model/config.ts';
import { parameterMap } from '../../src/model/parameters.ts';
import { writeSafetensors } from '../../src/model/safetensors.ts';
import { decodeWeights } from '../../src/model/weights.ts';
import { parseRunConfig, withSetting } from '../../src/train/config/config.ts';
import { describeKnobs, schemasOf, type SettingsOf } from '../../src/train/config/settings.ts';
import { labConfig } from '../../src/train/engine/lab.ts';
import { parseLoggedEvent } from '../../src/protocol/log.ts';
import { real } from '../../src/protocol/schema.ts';
import { presets, withAlgorithm } from '../../src/train/config/presets.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { LabError, type ErrorReport, type ModelConfig, type RunConfig } from '../../src/units.ts';
import { scriptedEngine } from '../support/scripted_run.ts';
import { settingPaths, valueAt } from '../support/settings.ts';

const instant = presets.get('instant')!.config; // a preset of the catalogue

type Setting = readonly [path: string, value: unknown];

/** The report of what parsing refuses; null where it accepts. */
function refusal(settings: readonly Setting[], base: RunConfig = instant): ErrorReport | null {
  try {
    parseRunConfig(settings.reduce((config, [path, value]) => withSetting(config, path, value), base));
    return null;
  } catch (error) {
    if (error instanceof LabError) return error.report;
    throw error;
  }
}

const numbersOf = (config: RunConfig): readonly string[] =>
  settingPaths(config).filter((path) => typeof valueAt(config, path) === 'number');

test('a number that float32 cannot hold is refused by its name, in every setting', () => {
  const paths = numbersOf(instant);
  expect(paths.length).toBeGreaterThan(50);
  for (const path of paths) {
    for (const value of [1e-45, 1e-39, -1e-45, 1e39, 1e308, -1e308, NaN, Infinity, -Infinity]) {
      const report = refusal([[path, value]]);
      expect(report?.where, `${path} = ${value}`).toMatch(
        new RegExp(`(^|\\.)${path.replaceAll('.', '\\.')}$`),
      );
      expect(report?.got, path).toBe(String(value));
    }
  }
});

test('what a knob reaches is valid, and what it shows is every setting of an algorithm', () => {
  const knobs = describeKnobs({ environments: ['search'], datasets: ['hotpot'] });
  for (const { path, range } of knobs) {
    const ends = 'min' in range ? [range.min, range.max] : 'options' in range ? range.options : [true, false];
    for (const end of ends) {
      const value = range.kind === 'choices' ? [end] : end;
      const report = refusal([[path, value]]); // two settings may not go together: that names another reason
      if (report && !path.startsWith('prompts'))
        expect(report.what, `${path} = ${String(end)}`).not.toMatch('cannot be configured');
    }
  }
  const shown = new Set(knobs.map(({ path }) => path));
  const hidden = settingPaths(instant).filter((path) => !shown.has(path));
  const fixed = ['vocabularySize', 'rmsEpsilon', 'ropeTheta', 'queryKeyNorm', 'tiedOutput', 'previousTokenMixing', 'logitScale'].map((name) => `model.${name}`); // prettier-ignore
  expect(hidden.sort()).toEqual(
    [...fixed, 'preset', 'weights', 'algorithm.name', 'optimiser.epsilon'].sort(),
  );
});

test('a table that lacks a setting, has one too many or lets the wrong values through does not compile', () => {
  interface Group {
    readonly share: number;
    readonly rule: 'one' | 'two';
  }
  const [share, rule] = [{ schema: real(0, 1) }, { schema: v.picklist(['one', 'two']) }];
  const whole = { share, rule } satisfies SettingsOf<Group>;
  // @ts-expect-error rule is missing
  const short: SettingsOf<Group> = { share };
  // @ts-expect-error the group has no weight
  const long: SettingsOf<Group> = { share, rule, weight: share };
  // @ts-expect-error a rule is one of two words, not any
  const wide: SettingsOf<Group> = { share, rule: { schema: v.string() } };
  const parsed: Group = v.parse(v.strictObject(schemasOf(whole)), { share: 0.5, rule: 'one' });
  expect(parsed).toEqual({ share: 0.5, rule: 'one' });
  expect([short, long, wide].map((table) => Object.keys(table).length)).toEqual([1, 3, 2]);
});

// Each was accepted, and ended as a shader's error, a step skipped or a word that is not in the vocabulary.
test.each<Setting>([
  ['model.headSize', 256],
  ['model.headSize', 132],
  ['model.layers', 100_000],
  ['model.layers', 257],
  ['model.channels', 2 ** 20],
  ['model.hidden', 2 ** 30],
  ['model.heads', 2 ** 20],
  ['model.vocabularySize', 2 ** 30],
  ['model.logitScale', 1e30],
  ['model.logitScale', 1e-30],
  ['model.ropeTheta', 0.5], // angles would grow beyond every position
  ['model.rmsEpsilon', 1e-30], // the cube of its inverse root, which the backward pass takes
  ['model.rmsEpsilon', 1e30],
  ['temperature', 1e-38],
  ['temperature', 1e-6],
  ['temperature', 0],
  ['optimiser.learningRate', 1e-30],
  ['optimiser.epsilon', 1e-30], // below the root of the least square that float32 holds
  ['optimiser.gradientClip', 1e-30], // squares of what it leaves are 0
  ['algorithm.loss.gatePositive', 1e-30], // 4/τ
  ['algorithm.loss.gateNegative', 1e-30],
  ['algorithm.loss.beta', 1e-30],
  ['algorithm.loss.logRatioCap', 60], // the square of e^60 leaves no finite norm
])('%s = %s, which no device computes, is refused at once', (path, value) => {
  const report = refusal([[path, value]]);
  expect(report?.where).toMatch(new RegExp(`(^|\\.)${path.replaceAll('.', '\\.')}$`));
  expect(report?.got).toBe(String(value));
  expect(report?.wanted).toMatch(/\d/);
});

test('bounds themselves are accepted, and so is what methods use', () => {
  for (const [path, value] of [
    ['model.headSize', 128],
    ['model.layers', 256],
    ['temperature', 0.01],
    ['temperature', 10],
    ['optimiser.learningRate', 0],
    ['optimiser.epsilon', 1e-16],
    ['algorithm.loss.logRatioCap', 30],
    ['algorithm.loss.clipLow', 0],
  ] as const)
    expect(refusal([[path, value]], { ...instant, weights: null }), path).toBeNull();
});

test('sizes that are each possible are refused where their parameters fill more than a buffer, without listing them', () => {
  const wide: readonly Setting[] = [
    ['model.layers', 256],
    ['model.channels', 4096],
    ['model.hidden', 8192],
  ];
  expect(refusal(wide)).toMatchObject({
    where: 'model.layers',
    got: expect.stringContaining('parameters') as unknown,
    wanted: expect.stringContaining('1,000,000,000') as unknown,
  });
});

test('parameters are counted as they are laid out, for models of all kinds', () => {
  const [no, yes] = [false, true];
  for (const queryKeyNorm of [no, yes])
    for (const tiedOutput of [no, yes])
      for (const previousTokenMixing of [no, yes])
        for (const [layers, heads, kvHeads] of [
          [1, 2, 1],
          [3, 6, 3],
          [2, 4, 4],
        ]) {
          // prettier-ignore
          const flags = { queryKeyNorm, tiedOutput, previousTokenMixing };
          const model: ModelConfig = { ...instant.model, ...flags, layers, heads, kvHeads, hidden: 36 };
          expect(parameterCount(model)).toBe(parameterMap(model).count);
        }
});

test('trees that make no tree are refused before a run starts', () => {
  const search = withAlgorithm(instant, algorithms.mcts_dpo.config);
  expect(refusal([], search)).toBeNull();
  expect(refusal([['algorithm.rollout.iterations', 0]], search)).toMatchObject({
    where: 'config.algorithm.rollout.iterations',
    got: '0',
    wanted: expect.stringContaining('at least 1') as unknown,
  });
  // A loss that compares siblings needs two of them.
  expect(refusal([['algorithm.rollout.leavesPerTree', 1]], search)?.where).toBe(
    'config.algorithm.rollout.leavesPerTree',
  );
  expect(refusal([['algorithm.rollout.width', 1]], search)?.where).toBe('config.algorithm.rollout.width');
  const chain: readonly Setting[] = [
    ['algorithm.rollout.shape', 'chains'],
    ['algorithm.rollout.initialBranches', 1],
    ['algorithm.rollout.leavesPerTree', 2], // one path and its copy
  ];
  expect(refusal(chain, search)?.where).toBe('config.algorithm.rollout.initialBranches');
  expect(refusal(chain)).toBeNull(); // other losses train on a single path
  expect(refusal([['algorithm.rollout.iterations', 0], ['algorithm.rollout.leavesPerTree', 5]])).toBeNull(); // prettier-ignore
});

test('a loss of whole rows is refused where a mini-batch has more rows than its tables', () => {
  const many: readonly Setting[] = [
    ['promptsPerUpdate', 1024],
    ['promptsPerMinibatch', 1024],
  ];
  const rows: readonly Setting[] = [
    ['algorithm.rollout.initialBranches', 8],
    ['algorithm.rollout.leavesPerTree', 8],
  ];
  for (const [name, setting] of [
    ['a_star_po', 'promptsPerMinibatch'],
    ['mcts_dpo', 'promptsPerMinibatch'],
    ['istar', 'promptsPerUpdate'], // its second network takes one step over the whole update
  ] as const) {
    const report = refusal([...many, ...rows], withAlgorithm(instant, algorithms[name].config));
    expect(report, name).toMatchObject({ where: `config.${setting}`, got: '1024' });
    expect(report?.wanted).toContain('4096 rows');
  }
  expect(refusal(many)).toBeNull();
});

test('an update that no tab could hold is refused', () => {
  const grown: readonly Setting[] = [
    ['algorithm.rollout.iterations', 256],
    ['algorithm.rollout.picks', 64],
    ['algorithm.rollout.leavesPerTree', 256],
    ['promptsPerMinibatch', 4],
  ];
  expect(refusal([...grown, ['promptsPerUpdate', 4]])).toBeNull();
  expect(refusal([...grown, ['promptsPerUpdate', 1024]])?.where).toBe('config.promptsPerUpdate');
  const continued: Setting = ['algorithm.rollout.shape', 'continuation_tree'];
  const branches: Setting = ['algorithm.rollout.initialBranches', 256];
  expect(refusal([...grown, continued, branches])?.where).toBe('config.algorithm.rollout.iterations');
  const again: readonly Setting[] = [
    ['algorithm.filter.rule', 'dynamic_sampling'],
    ['algorithm.filter.generationBatches', 64],
  ];
  expect(refusal([...grown, ...again, ['promptsPerUpdate', 4]])?.where).toBe('config.promptsPerUpdate');
});

test('the page, the command line, recordings and weights refuse by one check, before anything is sized', async () => {
  const layers = 100_000;
  const config: RunConfig = { ...instant, model: { ...instant.model, layers } };
  const { engine, events, backend, send, ask } = scriptedEngine(instant);
  backend.checkFits = () => Promise.reject(new Error('nothing is sized'));
  await engine.start();
  const estimate = await ask({ kind: 'estimate', config });
  await send({ kind: 'open', config });
  const wanted = { where: 'model.layers', got: '100000', wanted: 'a whole number from 1 to 256' };
  expect(estimate).toMatchObject({ bytes: null, problem: wanted });
  expect(events.find(({ kind }) => kind === 'failed')).toMatchObject({ report: wanted });
  expect(backend.policies).toEqual([]);

  const options = { preset: 'instant', algorithm: null, seed: null, updates: null, evaluationQuestions: 8 };
  expect(() => labConfig({ ...options, settings: [['model.layers', '100000']] })).toThrow('model.layers');
  const started = { kind: 'run-started', config };
  expect(() => parseLoggedEvent(started, 'line 2')).toThrow('model.layers');
  const file = writeSafetensors([], { config: JSON.stringify(config.model) });
  expect(() => decodeWeights(file)).toThrow('model.layers');
});
