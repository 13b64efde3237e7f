/** Each question read on screen, on a file that has the fault and on one that nearly has it. */
import { afterEach, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { page } from 'vitest/browser';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { importFiles } from '../../src/files/rollouts/import.ts';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { seriousFindings } from '../support/axe.ts';
import { scriptedLab } from '../support/scripted_lab.ts';
import { episodes, stepFiles, trajectories } from '../support/questioned_files.ts';

let lab: Lab;
let screen: RenderResult;

afterEach(() => cleanup());

/** Opens files as the page would, in Loss, where an import's questions stand. */
async function open(files: readonly { path: string; text: string }[]): Promise<void> {
  if (!lab || !document.querySelector('.loss-view')) {
    lab = createLab(() => undefined, '#v1&view=loss', readRecording);
    screen = await render(<App lab={lab} />);
  }
  const { rollouts } = await importFiles(files.map(({ path, text }) => ({ path, blob: new Blob([text]) })));
  const written = await writeRecording(toRecord(rollouts, { file: 'rollouts.jsonl', format: 'f' }));
  await lab.shelf.open(new File([written], 'rollouts.jsonl'));
  lab.transport.show(lab.shelf.getState().runs.at(-1)!.record);
  lab.selection.select({ view: 'loss', update: 1 });
}

const openText = (text: string): Promise<void> => open([{ path: 'rollouts.jsonl', text }]);

const QUESTIONS = {
  learning: 'Why is my loss 0? Is anything learnt?',
  masks: 'Does the loss cover the right tokens?',
  boundaries: 'Would rendering the conversation again give other tokens?',
  mismatch: 'Do sampler and trainer agree?',
  turns: 'What does a baseline by turn index do to my rewards?',
  tools: 'Does the policy stop to use its tools?',
} as const;
const panel = (question: keyof typeof QUESTIONS): HTMLElement | null =>
  screen.container.querySelector(`section[aria-label="${QUESTIONS[question]}"]`);
const textOf = (question: keyof typeof QUESTIONS): string => panel(question)?.textContent ?? '';
const reads = (question: keyof typeof QUESTIONS) => expect.poll(() => textOf(question));

test('nothing is learnt from dead groups, masks are wrong, sampler and trainer part; turns lead to the tree', async () => {
  const ln2 = Math.log(2);
  await openText(
    episodes([
      { group: 'a', reward: 1, mask: [1, 1, 1, 1, 0, 1, 1] },
      { group: 'a', reward: 1, trainer: [-1 + ln2, -0.5, -2 - 2 * ln2, -0.25] },
      { group: 'b', reward: 0, sampler: [-1, -0.5, -2, 0] },
      { group: 'b', reward: 0, mask: [0, 0, 1, 1, 0, 1, 0] },
    ]),
  );
  await reads('learning').toContain('Nothing is learnt from the rewards: in 2 of 2 groups all rollouts earned the same'); // prettier-ignore
  expect(textOf('learning')).toContain('A = (r − mean) / (deviation + 10⁻⁶) = 0.00, 0.00');
  // 16 written tokens, one of them outside the loss; 2 of the 15 have another log-probability.
  expect(textOf('learning')).toContain('exactly 1 for 13 of 15 tokens');
  expect(textOf('masks')).toContain('3 of 4 checks find a fault in 8 turns.');
  expect(textOf('masks')).toContain('2 of 12 (16.7 %), in 1 rollout');
  expect(textOf('masks')).toContain('1 of 16 (6.3 %), in 1 rollout');
  expect(textOf('masks')).toContain('0 have exactly 0 too: the last ones were put there rather than sampled.'.replace('0 have', '0 of 7 have')); // prettier-ignore
  expect(textOf('boundaries')).toContain('Unknown: the file does not hold the ids of a turn’s whole context');
  expect(textOf('mismatch')).toContain('Over 15 tokens');
  // Ratios 2 and 1/4 among 13 of 1: at C = 1.5 the first is cut.
  const { getByLabelText } = page;
  await getByLabelText('Threshold C').fill('1.5');
  await reads('mismatch').toContain(
    'At 1.500 it cuts the weight of 1 of 15 tokens (6.7 %), in 1 of 4 rollouts.',
  );
  expect(textOf('mismatch')).toContain('Mean weight 0.983'); // (13 + 1.5 + 0.25) / 15
  await getByLabelText('Correction').selectOptions('reject-token');
  await reads('mismatch').toContain('At 1.500 it drops 2 of 15 tokens (13.3 %)');
  await getByLabelText('Threshold C').fill('0.5');
  await reads('mismatch').toContain('A threshold is a number of at least 1');
  expect(await seriousFindings(screen.container)).toEqual([]);

  const [place] = panel('masks')!.querySelectorAll<HTMLButtonElement>('.places button');
  expect(place.textContent).toBe('rollouts.jsonl:1 (t0), turn 1');
  place.click();
  await expect.poll(() => lab.selection.getState().view).toBe('tree');
  const { prompt, node } = lab.selection.getState();
  expect([prompt, node]).toEqual([0, lab.run.getState().updates[0].rollouts![0].turns[0].node]);
});

test('a reward that nearly is the same teaches; right masks and equal log-probabilities have no fault', async () => {
  await openText(episodes([1, 1, 0, 0.001].map((reward, at) => ({ group: at < 2 ? 'a' : 'b', reward }))));
  await reads('learning').toContain('Something is learnt: 1 of 2 groups have rewards that differ');
  expect(textOf('learning')).toContain('exactly 1 for 16 of 16 tokens; |log ratio| at most 0.0000');
  expect(textOf('masks')).toContain('No fault in 8 turns.');
  expect(textOf('mismatch')).toContain('|Δ| 0.0000, from 0.0000 to 0.0000');
  expect(textOf('mismatch')).toContain('it cuts the weight of 0 of 16 tokens (0.0 %)');
});

test('contexts that tokenise a turn anew, and rewards of turns in different states', async () => {
  await openText(
    trajectories([
      { rewards: [0, 10], tool: 'rich', rendered: [1, 2, 3, 5] },
      { rewards: [0, 8], tool: 'rich' },
      { rewards: [0, 2], tool: 'poor' },
      { rewards: [0, 0], tool: 'poor' },
    ]),
  );
  await reads('boundaries').toContain('Yes: 1 of 4 contexts hold other tokens for the same words');
  const cells = [...panel('boundaries')!.querySelectorAll('tbody td')].map((cell) => cell.textContent);
  expect(cells).toEqual(['rollouts.jsonl:1, turn 2', '4 of 4, in the turn before', '2 3 4', '2 3 5 8', 'the same']); // prettier-ignore
  expect(textOf('turns')).toContain('1 of 1 groups have a reward for each turn.');
  // After 'rich' the second turns earn 10 and 8, after 'poor' 2 and 0; over all four the baseline is 5.
  expect(textOf('turns')).toContain('mixes different states in 4 of 8 turns, and leaves 0 with 0');
  expect(textOf('turns')).toContain('against the mean of the same state 2 of 8');
  const [baselines, advantages] = panel('turns')!.querySelectorAll('table');
  expect([...baselines.querySelectorAll('tbody tr')].at(-1)!.textContent).toBe('245.000after n1: 9.000 (2), after n1: 1.000 (2)'); // prettier-ignore
  const second = [...advantages.querySelectorAll('tbody tr')][3]; // 8 of the second rollout
  expect([...second.querySelectorAll('td')].slice(1).map((cell) => cell.textContent)).toEqual(['2', '8.000', '8.000', '▲ +3.000', '▲ +3.000', '▼ −1.000']); // prettier-ignore
  await openText(trajectories([0, 1, 2, 3].map((reward) => ({ rewards: [0, reward], tool: 'same' }))));
  await reads('turns').toContain('mixes different states in 0 of 8 turns');
  expect(textOf('boundaries')).toContain('No: of 4 contexts that can be compared, 4 begin with the tokens as they were sampled.'); // prettier-ignore
});

test('tools that fall out of use are told with their step; a dip is none', async () => {
  await open(stepFiles([3, 3, 3, 3, 2, 1, 0, 0, 0]));
  await reads('tools').toContain('Yes: less than half of the calls are left: they go from 3.00 to 0.00 a rollout'); // prettier-ignore
  expect(textOf('tools')).toContain('stay below nine tenths from step 5 on, while the reward goes from 0.15 to 0.75.'); // prettier-ignore
  expect(textOf('masks')).toContain('Unknown: the file has no token ids.');
  panel('tools')!.querySelector<HTMLButtonElement>('button')!.click();
  await expect.poll(() => lab.selection.getState().update).toBe(5);
  await open(stepFiles([3, 3, 0, 0, 3, 3]));
  await reads('tools').toContain('No: the calls stay: they go from 3.00 to 3.00');
});

test('of a run of ours they stand behind a button, hold its update and lead to its turns', async () => {
  lab = await scriptedLab();
  lab.selection.select({ view: 'train', update: null });
  screen = await render(<App lab={lab} />);
  await screen.getByRole('button', { name: 'Questions', exact: true }).click();
  await reads('boundaries').toContain('No: tokens go in as they came out');
  const { update: held } = lab.selection.getState();
  const shown = lab.run.getState().updates[held! - 1];
  const tokens = shown.minibatches.flatMap(({ rows }) => rows.flatMap((row) => [...row.tokenIndex])).length;
  expect(textOf('mismatch')).toContain(`Over ${tokens.toLocaleString('en-US')} tokens`);
  expect([held, shown.ended]).toEqual([lab.run.getState().updates.length, true]);
  const [first] = panel('learning')!.querySelectorAll<HTMLButtonElement>('.places button');
  first.click();
  await expect.poll(() => screen.container.querySelector('dialog.questions-dialog')).toBeNull();
  const [tree] = shown.trees;
  expect(lab.selection.getState()).toMatchObject({ view: 'tree', prompt: 0, leaf: tree.leaves[0] });
});
