import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rollouts } from '../../src/algo/rollouts/index.ts';
import { condenseClaims, sayClaim, type MeasuredRun } from '../../src/train/config/claims.ts';
import claims from '../../src/train/config/preset_claims.json' with { type: 'json' };
import { knobCatalogue, presetCatalogue } from '../../src/train/config/catalogue.ts';
import { parseRunConfig, withSetting } from '../../src/train/config/config.ts';
import { presets } from '../../src/train/config/presets.ts';
import { LabError, type RunConfig } from '../../src/units.ts';

const instant = presets.get('instant')?.config as RunConfig;

/** The report of the error that parsing throws. */
function refusal(path: string, value: unknown, base: RunConfig = instant) {
  try {
    parseRunConfig(withSetting(base, path, value));
  } catch (error) {
    if (error instanceof LabError) return error.report;
    throw error;
  }
  throw new Error(`${path} = ${String(value)} was accepted`);
}

test('every preset is a valid configuration and comes back unchanged', () => {
  expect(presetCatalogue().map(({ name }) => name)).toEqual([
    'instant',
    'classroom',
    'research',
    'corridor',
    'boundary',
  ]);
  for (const { config } of presetCatalogue()) expect(parseRunConfig(structuredClone(config))).toEqual(config);
});

test('a record from before the factors of soft edges kept the whole gradient there', () => {
  const older: Partial<RunConfig['algorithm']['loss']> = { ...instant.algorithm.loss };
  Reflect.deleteProperty(older, 'lowerFactor');
  Reflect.deleteProperty(older, 'upperFactor');
  const config = parseRunConfig({ ...instant, algorithm: { ...instant.algorithm, loss: older } });
  expect(config).toEqual(instant);
  expect([config.algorithm.loss.lowerFactor, config.algorithm.loss.upperFactor]).toEqual([1, 1]);
  expect(refusal('algorithm.loss.lowerFactor', -0.5).wanted).toBe('a number from 0 to 10');
});

test('the instant preset is the measured one', () => {
  const { rollout, loss, credit } = instant.algorithm;
  expect([rollout.initialBranches, rollout.iterations, rollout.picks, rollout.leavesPerTree]).toEqual([
    5, 2, 3, 11,
  ]);
  expect([loss.clipLow, loss.clipHigh, instant.optimiser.learningRate]).toEqual([0.02, 0.03, 5e-4]);
  expect([instant.promptsPerUpdate, instant.promptsPerMinibatch, instant.updates]).toEqual([16, 4, 40]);
  expect(credit).toMatchObject({
    leafNormalisation: true,
    valueRule: 'child_softmax',
    advantageRule: 'node_value',
  });
});

test('the research preset grows the paper’s tree', () => {
  const rollout = presets.get('research')?.config.algorithm.rollout;
  expect(rollout).toMatchObject({ initialBranches: 10, iterations: 2, picks: 6, leavesPerTree: 22 });
});

test('an error names the setting, what it was and what it may be', () => {
  expect(refusal('optimiser.learningRate', -1)).toMatchObject({
    where: 'config.optimiser.learningRate',
    got: '-1',
    wanted: '0, or a number from 1e-12 to 1',
  });
  expect(refusal('seed', 1.5)).toMatchObject({ where: 'config.seed', got: '1.5', wanted: 'a whole number from 0 to 4294967295' }); // prettier-ignore
  expect(refusal('temperature', NaN)).toMatchObject({ where: 'config.temperature', got: 'NaN' });
  expect(refusal('algorithm.rollout.expansion', 'best').wanted).toBe('entropy or random');
  expect(refusal('datasets', []).wanted).toBe('at least one data set');
});

test('a missing or unknown setting is refused', () => {
  expect(() => parseRunConfig(null)).toThrowError(/config/);
  expect(() => parseRunConfig({ ...instant, seed: undefined })).toThrowError(/config\.seed.*got nothing/);
  expect(() => parseRunConfig({ ...instant, learningrate: 1 })).toThrowError(/config\.learningrate/);
  expect(() => withSetting(instant, 'optimiser.rate', 1)).toThrowError(/learningRate, beta1/);
});

test('settings that do not go together are refused', () => {
  expect(refusal('promptsPerMinibatch', 3).wanted).toBe('a divisor of 16 (promptsPerUpdate)');
  expect(refusal('algorithm.rollout.leavesPerTree', 23).wanted).toContain('at most 22');
  expect(parseRunConfig(withSetting(instant, 'algorithm.rollout.leavesPerTree', 7)).algorithm.rollout.leavesPerTree).toBe(7); // prettier-ignore
  expect(refusal('environment', 'maze').wanted).toBe('one of search, corridor');
  expect(refusal('datasets', ['hotpot', 'squad'])).toMatchObject({
    got: '"squad"',
    where: 'config.datasets',
  });
  expect(refusal('evaluation.datasets', ['corridor']).where).toBe('config.evaluation.datasets');
  expect(refusal('model.vocabularySize', 64).wanted).toBe('128, the words of search');
  expect(refusal('model.kvHeads', 3).where).toBe('model.kvHeads');
  expect(refusal('model.channels', 62).wanted).toBe('a multiple of 4');
  expect(refusal('algorithm.name', 'ppo').wanted).toContain('at2po');
});

test('every knob names a setting of the configuration, and its range is valid', () => {
  const knobs = knobCatalogue();
  expect(new Set(knobs.map(({ path }) => path)).size).toBe(knobs.length);
  for (const { path, range, description } of knobs) {
    expect(description.length, path).toBeGreaterThan(20);
    const values = range.kind === 'integer' || range.kind === 'number' ? [range.min, range.max] : range.kind === 'switch' ? [true, false] : []; // prettier-ignore
    for (const value of values) {
      try {
        parseRunConfig(withSetting(instant, path, value));
      } catch (error) {
        const { what } = (error as LabError).report; // only what does not go together with the rest may be refused
        expect(what, `${path} = ${value}`).toMatch(
          /do not divide|copies of one leaf|does not fit this size|bad kvHeads/,
        );
      }
    }
  }
});

test('knobs of the algorithm carry the paper’s defaults', () => {
  const knobs = new Map(knobCatalogue().map((knob) => [knob.path, knob]));
  expect(knobs.get('algorithm.rollout.initialBranches')).toMatchObject({ term: 'M', paperDefault: 10 });
  expect(knobs.get('algorithm.loss.clipHigh')).toMatchObject({
    paperDefault: 4e-3,
    source: 'paper, App. B.4 (ε_r)',
  });
  expect(knobs.get('algorithm.credit.valueRule')?.range).toMatchObject({ kind: 'choice' });
});

test('a setting of the rollout is read where its shape declares it, and shapes say what they are', () => {
  const knobs = new Map(knobCatalogue().map((knob) => [knob.path, knob]));
  for (const [shape, { settings, title }] of Object.entries(rollouts)) {
    expect(knobs.get('algorithm.rollout.shape')?.range).toMatchObject({
      titles: expect.arrayContaining([expect.stringContaining(title)]) as unknown,
    });
    for (const path of settings)
      expect(knobs.get(`algorithm.${path}`)?.when[0].values, `${shape} reads ${path}`).toContain(shape);
  }
  expect(knobs.get('algorithm.rollout.picks')?.when[0].values).not.toContain('chains');
  expect(knobs.get('algorithm.rollout.shape')?.when).toEqual([]);
});

test('a size of the model that the warm start has not is refused in its row, with what fits and what to do', () => {
  const report = refusal('model.layers', 3);
  expect(report.where).toBe('config.model.layers');
  expect(report.got).toBe('3');
  expect(report.wanted).toBe(
    '2: warmstart-search-d64L2.safetensors has channels 64, layers 2, heads 4, kvHeads 4, headSize 16, hidden 128',
  );
  expect(report.next).toMatch(/warm start none \(weights null\)/);
  const random = parseRunConfig({ ...withSetting(instant, 'model.layers', 3), weights: null });
  expect(random.model.layers).toBe(3);
  for (const { config } of presetCatalogue()) expect(parseRunConfig(config)).toEqual(config);
});

test('few settings are basic, and each shape of a model has a row', () => {
  const knobs = knobCatalogue();
  const basic = knobs.filter((knob) => knob.basic);
  expect(basic.length).toBeGreaterThan(9);
  expect(basic.length).toBeLessThan(knobs.length / 3);
  const sizes = knobs.filter(({ path }) => path.startsWith('model.')).map(({ path }) => path.slice(6));
  expect(sizes.sort()).toEqual(['channels', 'headSize', 'heads', 'hidden', 'kvHeads', 'layers']);
  const { range } = knobs.find(({ path }) => path === 'model.hidden')!;
  expect(range).toMatchObject({ kind: 'integer', multipleOf: 4 });
});

test('what a preset says that one will see is what was measured of it as it is now: npm run results', () => {
  const files = ['docs/results', 'docs/results/presets'].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => `${folder}/${name}`)); // prettier-ignore
  const runs = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as MeasuredRun);
  expect(condenseClaims(runs, presets)).toEqual(claims);
  expect(Object.keys(claims)).toEqual(['instant', 'classroom', 'corridor', 'boundary']);
  const settings = ({ config }: MeasuredRun) => ({ ...parseRunConfig(config), seed: 0, evaluation: null });
  for (const run of runs) {
    const { config } = presets.get(run.config.preset)!;
    expect(settings(run), run.config.preset).toEqual({ ...config, seed: 0, evaluation: null });
  }
  expect(presets.get('research')?.description).not.toContain('Measured');
  const corridor = runs.filter(({ config }) => config.preset === 'corridor');
  const after = corridor
    .map(({ heldOut }) => Math.round(100 * heldOut.after.exactMatch))
    .sort((a, b) => a - b);
  expect(presets.get('corridor')?.description).toContain(`0 % before, ${after[0]} % to ${after.at(-1)} % after 60 updates`); // prettier-ignore
  expect(sayClaim('nothing')).toBe('');
});
