import { expect, test } from 'vitest';
import { keyedRandom } from '../../src/algo/random.ts';
import { UnknownDatasetError, UnreadablePromptError } from '../../src/env/errors.ts';
import { checkModelConfig } from '../../src/model/config.ts';
import { writeSafetensors } from '../../src/model/safetensors.ts';
import { createTokenizer } from '../support/tokenizer.ts';
import { decodeWeights } from '../../src/model/weights.ts';
import { parseObservation } from '../../src/store/ask/hand_tree.ts';
import { runWords } from '../../src/store/record/run_name.ts';
import { environmentNamed, parseRunConfig, withSetting } from '../../src/train/config/config.ts';
import { parseRunCommand } from '../../src/train/engine/guard.ts';
import { labConfig, type LabOptions } from '../../src/train/engine/lab.ts';
import { parseLoggedEvent } from '../../src/protocol/log.ts';
import { presets } from '../../src/train/config/presets.ts';
import { LabError, quote, type ErrorReport, type RunConfig } from '../../src/units.ts';
import { settingPaths } from '../support/settings.ts';

const instant = presets.get('instant')!.config; // a preset of the catalogue
const LONG = 'x'.repeat(5000);

const lab = (settings: LabOptions['settings'], changes: Partial<LabOptions> = {}): RunConfig =>
  labConfig({
    ...{ preset: 'instant', algorithm: null, seed: null, updates: null, evaluationQuestions: 8 },
    settings,
    ...changes,
  });

const NOTHING: ErrorReport = { what: '', where: '', got: '', wanted: '', next: '' };

/** What was thrown; null where nothing was. */
function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return null;
  } catch (error) {
    return error;
  }
}

const weights = (metadata: Record<string, string>, ...names: readonly string[]): ArrayBuffer =>
  writeSafetensors(
    names.map((name) => ({ name, shape: [1], values: new Float32Array(1) })),
    metadata,
  );

test.each<[string, () => unknown]>([
  ['a setting', () => parseRunConfig(withSetting(instant, 'weights', [LONG]))],
  ['a size of the model', () => parseRunConfig(withSetting(instant, 'model.layers', LONG))],
  ['a flag of the model', () => checkModelConfig({ ...instant.model, tiedOutput: LONG })],
  ['a scalar of the model', () => checkModelConfig({ ...instant.model, logitScale: [LONG] })],
  ['an unknown setting', () => parseRunConfig({ ...instant, [LONG]: 1 })],
  ['an unknown path', () => withSetting(instant, LONG, 1)],
  ['an unknown path in a group', () => withSetting(instant, `optimiser.${LONG}`, 1)],
  ['an environment', () => environmentNamed(LONG)],
  ['a data set', () => parseRunConfig(withSetting(instant, 'datasets', [LONG]))],
  ['a command', () => parseRunCommand({ kind: LONG })],
  ['an event', () => parseLoggedEvent({ kind: LONG }, 'line 2')],
  ['an event’s field', () => parseLoggedEvent({ kind: 'loss', update: LONG }, 'line 2')],
  ['a recorded configuration', () => parseLoggedEvent({ kind: 'run-started', config: { [LONG]: 1 } }, 'line 2')], // prettier-ignore
  ['a preset of the command line', () => lab([], { preset: LONG })],
  ['an algorithm of the command line', () => lab([], { algorithm: LONG })],
  ['a setting of the command line', () => lab([['temperature', LONG]])],
  ['a path of the command line', () => lab([[LONG, '1']])],
  ['an edited kernel’s name', () => lab([], { kernel: [LONG, 'fn main() {}'] })],
  ['a word', () => createTokenizer(['a']).encode(LONG)],
  ['a vocabulary', () => createTokenizer([LONG, LONG])],
  ['a run that a link names', () => { throw new LabError('linked', { ...NOTHING, got: runWords({ method: LONG, preset: LONG, seed: 1, settings: '', adapter: '' }) }); }], // prettier-ignore
  ['a typed result', () => parseObservation(LONG, ['a'])],
  ['weights of another model', () => decodeWeights(weights({ config: LONG }, 'w'))],
  ['a tensor', () => decodeWeights(weights({ config: JSON.stringify(instant.model) }, LONG, 'w'))],
  ['a data set of an environment', () => { throw new UnknownDatasetError('search', LONG, ['hotpot']); }], // prettier-ignore
  ['a prompt', () => { throw new UnreadablePromptError('search', LONG); }], // prettier-ignore
])('%s is quoted with at most 80 characters of it', (_, act) => {
  const error = thrownBy(act);
  expect(error).toBeInstanceOf(LabError);
  const { message, report } = error as LabError;
  expect(message).toContain('xx');
  for (const text of [message, ...Object.values<string>({ ...report })]) expect(text).not.toMatch(/x{81}/);
});

test('every value can be quoted', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const value of [circular, 3n, [3n], Symbol('s'), () => 0, null, undefined, -0, '\ud83d'.repeat(99)])
    expect(quote(value).length).toBeLessThan(90);
  expect(quote('a'.repeat(78))).toBe(`"${'a'.repeat(78)}"`);
  expect(quote(`${'a'.repeat(78)}😀😀`)).toBe(`"${'a'.repeat(78)}…`); // no half of a character
});

test('a group that is set to something else is refused by its name, whatever is read from it later', () => {
  expect(thrownBy(() => lab([['algorithm', 'grpo']]))).toMatchObject({
    report: { where: 'config.algorithm', got: '"grpo"', wanted: 'a group of named values' },
  });
  expect(thrownBy(() => lab([['algorithm.rollout', 'null']]))).toMatchObject({
    report: { where: 'config.algorithm.rollout', got: 'null' },
  });
});

test('whatever is typed after --set gives a configuration or an error that says what is wrong', () => {
  const random = keyedRandom({ seed: 20261127, update: 0 }, 1);
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)];
  const leaves = settingPaths(instant);
  const groups = [...new Set(leaves.flatMap((path) => path.split('.').map((_, at, keys) => keys.slice(0, at + 1).join('.'))))]; // prettier-ignore
  const paths = [...groups, '', '.', 'algorithm.', '__proto__', 'constructor.name', 'datasets.0', 'model.x', 'seed.toString', 'editedKernel', LONG]; // prettier-ignore
  const values = ['', 'grpo', 'null', 'true', '[]', '{}', '{"__proto__":1}', '[null]', '0', '-1', '1', '2', '0.5', '1e-45', '1e308', 'NaN', '1e999', '"', '[[[', 'hotpot,nq', LONG]; // prettier-ignore
  let accepted = 0;
  for (let n = 0; n < 1000; n += 1) {
    const settings = Array.from(
      { length: 1 + random.integer(3) },
      () => [pick(paths), pick(values)] as const,
    );
    const changes = {
      preset: pick([...presets.keys()]),
      algorithm: pick([null, 'grpo', 'mcts_dpo', 'bapo']),
    };
    const error = thrownBy(() => lab(settings, changes));
    if (error === null) accepted += 1;
    else expect(error, JSON.stringify(settings)).toBeInstanceOf(LabError);
  }
  expect(accepted).toBeGreaterThan(10);
});
