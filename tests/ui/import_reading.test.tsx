/** Other people's files on the page: reading that is left, a large file step by step, folders, alarms of steps, and what a teacher hides. */
import { afterEach, expect, test } from 'vitest';
import { cleanup } from 'vitest-browser-react';
import { importAsRecord } from '../../src/files/rollouts/look.ts';
import type { ChosenFile } from '../../src/protocol/protocol.ts';
import { stepAlarmsOf } from '../../src/store/alarms/step_alarms.ts';
import type { ImportTools } from '../../src/store/lab/imports.ts';
import { findings } from '../support/axe.ts';
import { open } from '../support/kept_runs.tsx';

afterEach(() => cleanup());

const CALL = '<tool_call>\n{"name": "search", "arguments": {}}\n</tool_call>\nuser\n<tool_response>\nyes\n</tool_response>\nassistant\n'; // prettier-ignore

/** Two rollouts of one question. */
const verlStep = (step: number, calls: number): string =>
  [0, 1]
    .map((score) =>
      JSON.stringify({
        input: `user\nQuestion of step ${step}\nassistant\n`,
        output: `${CALL.repeat(calls)}Answer ${step}.${score}`,
        gts: 'x',
        score,
        step,
      }),
    ) // prettier-ignore
    .join('\n');
const ragenStep = (step: number, reward: number): ChosenFile => ({
  path: `rollouts/step_${step}.jsonl`,
  blob: new Blob([
    [0, 0.2]
      .map((more) =>
        JSON.stringify({
          messages: [
            { role: 'user', content: 'Push the box.' },
            { role: 'assistant', content: 'Up' },
          ],
          metadata: { group_id: 0, env_id: 0, total_reward: reward + more },
        }),
      ) // prettier-ignore
      .join('\n'),
  ]),
});
const verlFile = (calls: readonly number[]): ChosenFile => ({
  path: 'long.jsonl',
  blob: new Blob([calls.map((count, at) => verlStep(at + 1, count)).join('\n')]),
});

/** Reads as the worker does, after what is waited for. */
const gated =
  (heldBytes: number | undefined, wait: () => Promise<void>): ImportTools['importRollouts'] =>
  async (files, choices, hooks) => {
    const left = new Promise<never>((_, reject) => hooks.signal.addEventListener('abort', () => reject(hooks.signal.reason as Error))); // prettier-ignore
    const record = await importAsRecord(files, choices, hooks, heldBytes);
    if (!files.some(({ only }) => only)) hooks.onFirst(record);
    await Promise.race([wait(), left]);
    return record;
  };

const never = (): Promise<void> => new Promise(() => undefined);

test('reading that is left keeps what was read on the shelf, and says so', async () => {
  const { screen, lab } = await open({ importRollouts: gated(undefined, never) });
  void lab.files.openAll([verlFile([1, 1])]);
  await expect.element(screen.getByText('The first of them are on screen.')).toBeVisible();
  await screen.getByRole('button', { name: 'Cancel' }).click();
  const said = screen.getByRole('status').filter({ hasText: 'was left' });
  await expect.element(said).toHaveTextContent('Reading of long.jsonl was left. What was read of it is on screen and under Runs.'); // prettier-ignore
  expect(lab.run.getState().updates).toHaveLength(2);
  expect(lab.shelf.getState().runs).toHaveLength(1);
  expect(await findings(screen.container)).toEqual([]);
  await said.getByRole('button', { name: 'Dismiss' }).click();
  await expect.element(said).not.toBeInTheDocument();
});

test('reading that is left before anything stands keeps nothing, and says so', async () => {
  const { screen, lab } = await open({ importRollouts: (_, __, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))) }); // prettier-ignore
  const before = lab.run.shown();
  void lab.files.openAll([verlFile([1, 1])]);
  await screen.getByRole('button', { name: 'Cancel' }).click();
  await expect.element(screen.getByRole('status').filter({ hasText: 'was left' })).toHaveTextContent('Reading of long.jsonl was left. Nothing of it is kept.'); // prettier-ignore
  expect(lab.run.shown()).toBe(before);
  expect(lab.shelf.getState().runs).toEqual([]);
});

test('a step that only the file has is read back when it is chosen, or left and asked for', async () => {
  const gate = { wait: () => Promise.resolve() };
  const { screen, lab } = await open({ importRollouts: gated(300, () => gate.wait()) });
  await lab.files.openAll([verlFile([1, 1, 1, 1])]);
  await expect
    .element(screen.getByRole('status').filter({ hasText: 'Read as' }))
    .toHaveTextContent(
      /the page holds \d rollouts and reads the others from the file when their step is chosen/,
    );
  const said = (): string => screen.container.querySelector('.conversation')?.textContent ?? '';
  lab.selection.select({ update: 4 });
  await expect.poll(said).toContain('Question of step 4');
  gate.wait = never;
  lab.selection.select({ update: 3 });
  const reading = screen.getByRole('status').filter({ hasText: 'of update 3' });
  await expect
    .element(reading)
    .toHaveTextContent('Reading 1 group (2 rollouts) of update 3 from long.jsonl …');
  await reading.getByRole('button', { name: 'Cancel' }).click();
  await expect
    .element(reading)
    .toHaveTextContent('1 group (2 rollouts) of update 3 stands in long.jsonl alone.');
  expect(await findings(screen.container)).toEqual([]);
  gate.wait = () => Promise.resolve();
  await reading.getByRole('button', { name: 'Read them' }).click();
  await expect.poll(said).toContain('Question of step 3');
  await expect.element(reading).not.toBeInTheDocument();
});

const STEPS = [1, 2, 3];
const inFolder = (): File[] =>
  STEPS.map((step) => Object.defineProperty(new File([verlStep(step, 1)], `${step}.jsonl`), 'webkitRelativePath', { value: `dumps/${step}.jsonl` })); // prettier-ignore

test('a folder that is chosen, and one that is dropped, is one run with its steps', async () => {
  const { screen, lab } = await open({});
  const input = screen.container.querySelector<HTMLInputElement>('input[webkitdirectory]')!;
  const files = inFolder();
  Object.defineProperty(input, 'files', { value: files, configurable: true });
  Object.defineProperty(input, 'value', { value: '', writable: true, configurable: true });
  input.dispatchEvent(new Event('change', { bubbles: true }));
  const news = screen.getByRole('status').filter({ hasText: 'Read as' });
  await expect.element(news).toHaveTextContent('6 rollouts in 3 groups');
  const titles = () => lab.shelf.getState().runs.map(({ title }) => title);
  expect(titles()).toEqual([expect.stringMatching(/^dumps, 3 files .*, 3 updates$/)]);

  const entry = (file: File) => ({ isFile: true, isDirectory: false, fullPath: `/dumps/more/${file.name}`, file: (hear: (file: File) => void) => hear(file) }); // prettier-ignore
  const directory = (entries: readonly unknown[]) => {
    const batches = [entries.slice(0, 2), entries.slice(2), []]; // as browsers do, some at a time
    return { isFile: false, isDirectory: true, createReader: () => ({ readEntries: (hear: (some: readonly unknown[]) => void) => hear(batches.shift()!) }) }; // prettier-ignore
  };
  const dropped = directory([directory(files.map(entry))]);
  const dataTransfer = { types: ['Files'], files: [], items: [{ webkitGetAsEntry: () => dropped }] };
  window.dispatchEvent(Object.assign(new Event('drop', { cancelable: true }), { dataTransfer }));
  await expect.poll(titles).toHaveLength(2);
  expect(titles()[1]).toMatch(/3 files .*, 3 updates$/);
});

test('alarms of steps stand on screen with their numbers, by what each format says', async () => {
  const { screen, lab } = await open({});
  const lines = (): readonly (string | null)[] =>
    [...screen.container.querySelectorAll('.alarms .alarm')].map((line) => line.textContent);
  const calls = [4, 4, 4, 4, 4, 4, 4, 1, 1, 1, 1, 1];
  await lab.files.openAll([verlFile(calls)]);
  lab.selection.select({ view: 'train' });
  // Mean of the last five steps against the first five: 1.00 call of 4.00, at a reward that stays at 0.50.
  await expect.poll(lines).toHaveLength(1);
  expect(lines()[0]).toContain('Lazy collapse since step 11'); // (4 + 1 + 1 + 1 + 1) / 5 < 4 / 2
  expect(lines()[0]).toContain('1.00 calls per rollout');
  const rewards = [0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
  await lab.files.openAll(rewards.map((reward, at) => ragenStep(at + 1, reward)));
  lab.selection.select({ view: 'train' });
  await expect.poll(() => lines().join()).toContain('The reward falls');
  expect(stepAlarmsOf(lab.run.getState()).map(({ kind }) => kind)).toEqual(['reward-falling']);
});

test('what a teacher hides is not there: no questions beside an import, none of a run', async () => {
  await import('../../src/ui/questions/Questions.tsx'); // at hand, so that it would be there at once
  const { screen, lab } = await open({ hash: '#v1&view=loss&hide=questions' });
  await lab.files.openAll([verlFile([1, 1])]);
  lab.selection.select({ view: 'loss' });
  await expect.poll(() => screen.container.querySelector('.loss-view')).not.toBeNull();
  await expect.poll(() => screen.container.querySelector('.loss-view')!.textContent).not.toBe('');
  expect(screen.container.querySelector('.questions')).toBeNull();
  expect(screen.getByRole('button', { name: 'Questions' }).query()).toBeNull();
  lab.stage.showAll();
  await expect.poll(() => screen.container.querySelector('.questions')).not.toBeNull();
});
