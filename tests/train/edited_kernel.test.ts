import { isLogged } from '../../src/protocol/protocol.ts';
import { expect, test } from 'vitest';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { settingDifferences } from '../../src/store/record/run_difference.ts';
import { titleOf } from '../../src/store/record/shelf.ts';
import { parseRunConfig } from '../../src/train/config/config.ts';
import { blameEdit } from '../../src/train/engine/errors.ts';
import { labConfig, summarise } from '../../src/train/engine/lab.ts';
import { readRecording, recordingLines, writeRecording } from '../../src/files/recording.ts';
import { editLabel, gradientVerdict, textMark, withKernel, type EditedKernel } from '../../src/units.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const EDIT: EditedKernel = { name: 'policy_loss', source: 'fn main() {}', gradientCheck: 'differs' };
const LABEL = `edited policy_loss #${textMark(EDIT.source)} (gradient check failed)`;
const config = smallConfig({ updates: 1 });

test('an edited kernel passes the configuration’s guard, and none stays none', () => {
  expect(parseRunConfig(withKernel(config, EDIT)).editedKernel).toEqual(EDIT);
  expect('editedKernel' in parseRunConfig(config)).toBe(false);
  expect(withKernel(withKernel(config, EDIT), null)).toEqual(config);
});

test.each([
  [{ ...EDIT, name: 'adamw' }, 'config.editedKernel.name'],
  [{ ...EDIT, source: '' }, 'config.editedKernel.source'],
  [{ ...EDIT, gradientCheck: 'maybe' }, 'config.editedKernel.gradientCheck'],
])('a bad edit is refused by its path', (edit, path) => {
  expect(() => parseRunConfig({ ...config, editedKernel: edit })).toThrow(path);
});

test('a method that never runs policy_loss takes no edit of it', () => {
  const { algorithm } = config;
  const other = {
    ...config,
    algorithm: { ...algorithm, loss: { ...algorithm.loss, surrogate: 'regression' } },
  };
  expect(() => parseRunConfig({ ...other, editedKernel: EDIT })).toThrow('would never run');
});

test('two texts have two marks', () => {
  expect(editLabel(EDIT)).toBe(LABEL);
  expect(textMark('a')).not.toBe(textMark('b'));
  expect(textMark('a')).toMatch(/^[0-9a-f]{6}$/);
});

test('a verdict needs a token that was judged, and one that differs decides', () => {
  const found = (agrees: number, differs: number, notFinite: number) => ({
    counts: { agrees, differs, 'not-finite': notFinite },
  });
  expect(gradientVerdict(null)).toBe('unchecked');
  expect(gradientVerdict([found(0, 0, 0)])).toBe('unchecked');
  expect(gradientVerdict([found(0, 0, 0), found(3, 0, 0)])).toBe('agrees');
  expect(gradientVerdict([found(3, 0, 0), found(3, 1, 0)])).toBe('differs');
  expect(gradientVerdict([found(3, 0, 1)])).toBe('differs');
});

test('title, result, settings and recording of such a run name the edit, and the recording carries the text', async () => {
  const edited = withKernel(config, EDIT);
  const log = (await scriptedRun(edited)).filter(isLogged);
  expect(titleOf(foldEvents(EMPTY_RUN, log))).toContain(`, ${LABEL}, `);
  expect(summarise(log, 1).edited).toBe(LABEL);
  expect(settingDifferences(config, edited)).toEqual([{ path: 'editedKernel', a: 'none', b: LABEL }]);
  expect(JSON.parse([...recordingLines(log)][0])).toMatchObject({ format: 'turnwise-run', edited: LABEL });
  const read = [];
  for await (const event of readRecording(new Blob([await writeRecording(log)]).stream())) read.push(event);
  expect(read[0].kind === 'run-started' || read[1].kind === 'run-started').toBe(true);
  const started = read.find((event) => event.kind === 'run-started')!;
  expect(started.kind === 'run-started' && started.config?.editedKernel).toEqual(EDIT);
});

test('the command line’s kernel is in the configuration, its gradient not checked', () => {
  const options = {
    preset: 'instant',
    algorithm: null,
    seed: null,
    updates: 1,
    evaluationQuestions: 1,
    settings: [],
  };
  const { editedKernel } = labConfig({ ...options, kernel: ['policy_loss', 'text'] });
  expect(editedKernel).toEqual({ name: 'policy_loss', source: 'text', gradientCheck: 'unchecked' });
  expect(() => labConfig({ ...options, kernel: ['adamw', 'text'] })).toThrow('editedKernel.name');
});

test('a lost device names the edit that was running', () => {
  const report = { what: 'lost', where: 'here', got: 'a', wanted: 'b', next: 'Reset.' };
  expect(blameEdit(report, null)).toBe(report);
  expect(blameEdit(report, EDIT)).toMatchObject({
    where: `here, ${LABEL}`,
    next: expect.stringContaining('Reset.') as string,
  });
});
