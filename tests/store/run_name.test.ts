import { describe, expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { withAlgorithm } from '../../src/store/lab/knobs.ts';
import { configOf, recipeChanges, runName, runWords, sameRun } from '../../src/store/record/run_name.ts';
import type { EventOf } from '../../src/protocol/protocol.ts';
import type { RunHeader } from '../../src/store/record/run_state.ts';
import { algorithmCatalogue, presetCatalogue } from '../../src/train/config/catalogue.ts';
import { presets } from '../../src/train/config/presets.ts';
import { decodeSelection, encodeSelection } from '../../src/store/place/address.ts';
import { INITIAL_SELECTION } from '../../src/store/place/selection.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { SCRIPTED_ADAPTER, smallConfig } from '../support/scripted_run.ts';
import { EXAMPLES } from '../../src/lessons/examples.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

const named = (changes: Partial<Pick<RunHeader, 'config' | 'adapter'>> = {}) =>
  runName({ config: smallConfig(), adapter: SCRIPTED_ADAPTER, ...changes });

const ready = { algorithms: algorithmCatalogue(), presets: presetCatalogue() } as EventOf<'ready'>; // only these are read

describe('the name of a run', () => {
  test('is in words a person knows', () => {
    expect(runWords(named())).toMatch(/^AT.*, preset instant, seed \d+$/);
  });

  test('differs by seed, by any setting, and by adapter', () => {
    const { algorithm } = smallConfig();
    const loss = { ...algorithm.loss, clipLow: algorithm.loss.clipLow * 1.01 };
    const others = [
      named({ config: smallConfig({ seed: 99 }) }),
      named({ config: smallConfig({ algorithm: { ...algorithm, loss } }) }),
      named({ adapter: { ...SCRIPTED_ADAPTER, architecture: 'other' } }),
    ];
    for (const other of others) expect(sameRun(other, named())).toBe(false);
    expect(sameRun(named(), named())).toBe(true);
  });

  test('is the same for the order of settings, and for a recording of the run, which rounds', async () => {
    const config = smallConfig({ temperature: 0.123456789 });
    const name = named({ config });
    const turned = Object.fromEntries(Object.entries(config).reverse()) as unknown as typeof config;
    expect(named({ config: turned })).toEqual(name);
    const log = (await scriptedLog()).map((event) =>
      event.kind === 'run-started' ? { ...event, config } : event,
    );
    const bytes = await writeRecording(log);
    for await (const event of readRecording(new Blob([bytes]).stream()))
      if (event.kind === 'run-started') expect(runName(event)).toEqual(name);
  });
});

describe('the settings behind a name', () => {
  test('are found for any method and seed of a preset', () => {
    const preset = presets.get('instant')!;
    for (const method of Object.values(algorithms)) {
      const config = withAlgorithm({ ...preset.config, seed: 4242 }, method.config, preset.scale);
      expect(configOf({ ready }, named({ config }))).toEqual(config);
    }
  });

  test('are not found where one was changed by hand', () => {
    const preset = presets.get('instant')!;
    expect(configOf({ ready }, named({ config: { ...preset.config, temperature: 0.9 } }))).toBe(null);
    expect(configOf({ ready: null }, named({ config: preset.config }))).toBe(null);
  });
});

const CASES = presetCatalogue().flatMap(({ name, config, scale }) =>
  Object.values(algorithms).map((method) => {
    const own =
      method.config.name === config.algorithm.name ? config : withAlgorithm(config, method.config, scale);
    return [`${method.config.name}, ${name}`, own] as const;
  }),
);

test.each(CASES)(
  'a link holds the recipe of %s with two changed settings, in less than 200 characters',
  (_, own) => {
    const loss = { ...own.algorithm.loss, clipHigh: 0.345 };
    const config = { ...own, seed: 4294967295, temperature: 0.85, algorithm: { ...own.algorithm, loss } };
    const run = runName({ config, adapter: SCRIPTED_ADAPTER });
    const recipe = recipeChanges(config, ready);
    expect(recipe!.length).toBeLessThanOrEqual(2);
    const link = encodeSelection({ ...INITIAL_SELECTION, run, recipe, view: 'tree', update: 12, prompt: 3 });
    expect(link.length).toBeLessThan(200);
    const read = decodeSelection(link);
    expect(configOf({ ready }, read.run!, read.recipe!)).toEqual(config);
    expect(configOf({ ready }, read.run!, [...read.recipe!, { path: 'updates', value: 3 }])).toBe(null);
  },
);

test('a link that is opened while a small example is on screen names the person’s own run, which is put back', async () => {
  const lab = createLab(() => undefined);
  lab.run.apply(await scriptedLog());
  const own = runName(lab.run.getState().header!);
  lab.lessons.showExample(EXAMPLES[0].text);
  expect(lab.run.getState().header).not.toEqual(null);
  expect(runName(lab.run.getState().header!)).not.toEqual(own);
  lab.selection.setState(decodeSelection('#v1&view=compare&update=2'), true);
  expect(lab.selection.getState().run).toEqual(own);
  expect(runName(lab.run.getState().header!)).toEqual(own);
});
