/** A foreign run on the page, opened as any recording: its words, its rewards, credit by src/algo, and what each view lacks. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { assignCredit, type Credit } from '../../src/algo/credit/credit.ts';
import { readInWorker } from '../../src/files/file_reader.ts';
import { DEFAULT_CREDIT } from '../../src/store/credit/credit.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { missingIn } from '../../src/store/record/needs.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import type { TreeState } from '../../src/store/record/run_state.ts';
import type { View } from '../../src/store/place/selection.ts';
import { formatSigned } from '../../src/ui/parts/format.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { NO_SIGNALS, type CreditConfig } from '../../src/units.ts';
import { seriousFindings } from '../support/axe.ts';
import text from '../fixtures/foreign_run.ndjson?raw';

let lab: Lab;
let screen: RenderResult;

afterEach(() => cleanup());

beforeEach(async () => {
  lab = createLab(() => undefined, '#v1&view=compare&compare=runs', readInWorker);
  screen = await render(<App lab={lab} />);
  const file = new File([text], 'foreign_run.ndjson');
  const input = screen.container.querySelector<HTMLInputElement>('input[type=file]')!;
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
  await screen.getByRole('button', { name: 'Show rollouts.jsonl' }).click();
});

const treeOf = (update: number, prompt: number): TreeState =>
  lab.run.getState().updates[update - 1].trees[prompt];
const show = (view: View, update = 1, prompt = 0): void => lab.selection.select({ view, update, prompt });
const noteText = (): readonly string[] =>
  [...screen.container.querySelectorAll('[role=note][aria-label="What this record lacks"] p')].map(
    (p) => p.textContent,
  );
const label = (node: number): string =>
  screen.container.querySelector(`[role=treeitem][data-node="${node}"]`)?.getAttribute('aria-label') ?? '';

function creditOf(update: number, config: CreditConfig): readonly Credit[] {
  const scored = lab.run.getState().updates[update - 1].trees.filter(({ rewards }) => rewards !== null);
  return assignCredit(
    scored.map((state) => ({ tree: rolloutTree(state)!, rewards: state.rewards!, signals: NO_SIGNALS })),
    config,
  );
}

test('Tree reads its words, rewards and worth; what nobody measured is said to be unknown', async () => {
  show('tree');
  lab.selection.select({ colour: 'reward', node: treeOf(1, 0).nodes[2]!.id });
  await expect.poll(() => label(2)).toContain('n2 1, reward, correct');
  expect(label(3)).toContain('n3 0.50, reward, partial');
  expect(label(4)).toContain('n4 0, reward, wrong');
  expect(screen.container.querySelector('.prompt-bar')?.textContent).toContain(
    'In which city was Ada Lovelace born? answer: London',
  );
  expect(screen.container.querySelector('.node-panels .transcript')?.textContent).toBe(
    '\nresult: Ada Lovelace was born in London, England.\nanswer: London',
  );
  const facts = screen.container.querySelector('.node-panels .facts')!.textContent;
  expect(facts).toContain('surprisal Hunknown');
  const [credit] = creditOf(1, DEFAULT_CREDIT);
  expect(facts).toContain(formatSigned(credit.values.byNode[2]));
  expect(facts).toContain(formatSigned(credit.advantages.byNode[2]));
  const words = [...screen.container.querySelectorAll('.node-panels .token')];
  expect(words.at(-1)?.getAttribute('title')).toBe('London: probability unknown');
  lab.selection.select({ colour: 'entropy' });
  await expect.poll(() => label(2)).toContain('surprisal unknown');
  expect(label(2)).not.toContain('0.00');
});

test('Credit computes values and advantages by the default rules, and by those that a person chooses', async () => {
  show('credit', 2, 0);
  await expect.element(screen.getByRole('group', { name: 'Credit rules' })).toBeVisible();
  const { length } = lab.run.getState().updates[1].trees[0].nodes;
  const shown = async (config: CreditConfig): Promise<void> => {
    lab.selection.select({ creditFrame: 10_000 });
    const [credit] = creditOf(2, config);
    for (let node = 1; node < length; node += 1)
      await expect
        .poll(() => label(node))
        .toContain(`n${node} A ${formatSigned(credit.advantages.byNode[node])}`);
  };
  await shown(DEFAULT_CREDIT);
  const select = screen.getByRole('combobox', { name: 'value' });
  const soft = [...(select.element() as HTMLSelectElement).options].find(
    ({ value }) => value === 'child_softmax',
  );
  expect(soft?.disabled).toBe(true); // it reads the surprisal
  await screen.getByRole('combobox', { name: 'advantage' }).selectOptions('diff_parent');
  await shown({ ...DEFAULT_CREDIT, advantageRule: 'diff_parent' });
  expect(screen.container.textContent).not.toContain('the run was not trained with this');
});

test('every view says what it lacks, and shows no empty chart', async () => {
  const run = lab.run.getState();
  for (const view of ['train', 'tree', 'credit', 'loss', 'compare', 'profile'] as const) {
    show(view);
    const sentences = missingIn(view, { run, tree: treeOf(1, 0) });
    await expect.poll(noteText).toEqual(sentences);
    expect(screen.container.querySelector('#view canvas, .curves figure'), view).toBeNull();
    expect(await seriousFindings(screen.container), view).toEqual([]);
  }
  show('credit', 2, 2);
  await expect.poll(noteText).toEqual([expect.stringContaining('no rewards for this tree')]);
});
