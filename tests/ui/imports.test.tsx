/** Rollouts of other trainers on the page: opened as a person opens them, and what is read off the screen is what the reader counted. */
import { afterEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup } from 'vitest-browser-react';
import { importFiles } from '../../src/files/rollouts/import.ts';
import type { ChosenFile } from '../../src/protocol/protocol.ts';
import { formatCount, formatNumber } from '../../src/ui/parts/format.ts';
import { findings } from '../support/axe.ts';
import { open } from '../support/kept_runs.tsx';
import atpo from '../fixtures/imports/atpo_dump.jsonl?raw';
import chat from '../fixtures/imports/chat.jsonl?raw';
import inspect from '../fixtures/imports/inspect_browser.json?raw';
import nemo from '../fixtures/imports/nemo_gym_ids.jsonl?raw';
import ragen from '../fixtures/imports/ragen.jsonl?raw';
import seven from '../fixtures/imports/verl_0_6/7.jsonl?raw';
import ten from '../fixtures/imports/verl_0_6/10.jsonl?raw';
import wordle from '../fixtures/imports/verifiers_wordle_results.jsonl?raw';

afterEach(async () => {
  await cleanup();
  await page.viewport(1280, 800);
});

const file = (path: string, text: string): ChosenFile => ({ path, blob: new Blob([text]) });
const VERL = [file('dumps/7.jsonl', seven), file('dumps/10.jsonl', ten)];

type Opened = Awaited<ReturnType<typeof open>>;
const factsOf = ({ screen }: Opened): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...screen.container.querySelectorAll('.this-file .facts > div')].map((row) => [
      row.querySelector('dt')!.textContent,
      row.querySelector('dd')!.textContent,
    ]),
  );

/** Drops what is to be opened anywhere on the page. */
function drop(files: readonly ChosenFile[]): void {
  const dataTransfer = new DataTransfer();
  for (const { path, blob } of files) dataTransfer.items.add(new File([blob], path.split('/').at(-1)!));
  window.dispatchEvent(new DragEvent('dragover', { dataTransfer, cancelable: true }));
  window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
}

test.for([
  ['atpo_dump.jsonl', atpo],
  ['chat.jsonl', chat],
  ['inspect_browser.json', inspect],
  ['nemo_gym_ids.jsonl', nemo],
  ['ragen.jsonl', ragen],
  ['verifiers_wordle_results.jsonl', wordle],
] as const)(
  '%s dropped on the page is recognised, shown, and counted as its reader counts',
  async ([name, text]) => {
    const opened = await open({});
    const { screen, lab } = opened;
    const { summary } = await importFiles([file(name, text)]);
    drop([file(name, text)]);
    const news = screen.getByRole('status').filter({ hasText: 'Read as' });
    await expect.element(news).toHaveTextContent(`Read as ${summary.title}`);
    await expect.element(news).toHaveTextContent(summary.why);
    await expect.poll(() => screen.container.querySelectorAll('[role=treeitem]').length).toBeGreaterThan(1); // the tree, at once
    await news.getByRole('button', { name: 'About this file' }).click();
    const panel = screen.getByRole('region', { name: 'This file' });
    await expect.element(panel).toHaveTextContent(`Tier ${summary.tier}: ${summary.tierWords}`);
    const facts = factsOf(opened);
    for (const of of ['rollouts', 'branches', 'turns', 'observations'] as const)
      expect(facts[of], of).toBe(formatCount(summary[of]));
    expect(facts['tool calls']).toBe(formatCount(summary.calls));
    expect(facts.groups).toBe(`${formatCount(summary.groups)}, ${summary.groupedBy}`);
    expect(facts['tokens of turns']).toBe(summary.tokens === null ? 'unknown' : formatCount(summary.tokens));
    const known = summary.rewards.filter((reward) => reward !== null);
    const mean = known.reduce((sum, reward) => sum + reward, 0) / known.length;
    expect(facts.rewards).toContain(known.length === 0 ? 'unknown' : formatNumber(mean));
    const lints = [...screen.container.querySelectorAll('.this-file [data-lint]')];
    expect(lints.map((lint) => lint.getAttribute('data-lint'))).toEqual(
      summary.lints.map(({ kind }) => kind),
    );
    const leaves = lab.run.getState().updates.flatMap(({ trees }) => trees.flatMap((tree) => tree.leaves));
    expect(leaves.length).toBe(summary.branches);
    expect(await findings(screen.container)).toEqual([]);
  },
);

test('a folder is one run with its steps; its rows lead to their trees', async () => {
  const opened = await open({});
  const { screen, lab } = opened;
  const { summary } = await importFiles(VERL);
  await lab.files.openAll(VERL);
  expect(lab.run.getState().updates).toHaveLength(summary.steps);
  expect(lab.shelf.getState().runs.map(({ title }) => title)).toEqual([
    `dumps, 2 files (${summary.title}), 2 updates`,
  ]);
  lab.selection.select({ view: 'train', update: 1 });
  const steps = screen.getByRole('region', { name: 'Over the steps' });
  await expect.element(steps).toHaveTextContent('Over 2 steps, step 7 to step 10 · values at step 7');
  const shown = [...screen.container.querySelectorAll('.step-charts figure')].map((figure) => [
    figure.getAttribute('data-measure'),
    figure.querySelector('b')!.textContent,
  ]);
  const [first] = summary.byStep;
  expect(Object.fromEntries(shown)).toMatchObject({
    reward: formatNumber(first.rewardMean),
    calls: formatNumber(first.calls / first.rollouts),
    turns: formatNumber(first.turns / first.rollouts),
    length: formatNumber(first.characters),
  });
  expect(Object.fromEntries(shown)).not.toHaveProperty('surprisal'); // nobody measured it
  const lint = summary.lints.find(({ places }) => places.length > 0)!;
  const [place] = lint.places;
  const row = screen.getByRole('button', { name: `${place.path}, row ${place.line}` }).first();
  await row.click();
  const { update, prompt, node } = lab.selection.getState();
  const { rollouts } = lab.run.getState().updates[update! - 1];
  const own = rollouts?.find((each) => each.prompt === prompt && each.leaf === node);
  expect(own?.place).toMatch(`${place.path}:${place.line}`);
});

test('what is refused is listed by row, what is no rollout file in five parts, and the page stays', async () => {
  const opened = await open({});
  const { screen, lab } = opened;
  const torn = `${seven.trim().split('\n').slice(0, 2).join('\n')}\n{"input": "torn\n`;
  drop([file('torn.jsonl', torn)]);
  await expect
    .element(screen.getByRole('status').filter({ hasText: 'Read as' }))
    .toHaveTextContent('2 rollouts in 1 group');
  lab.selection.select({ view: 'train' });
  await screen.getByText('1 row could not be read; the others were').click();
  await expect
    .element(screen.getByText(/A row is no JSON: got .*wanted one JSON value a line/))
    .toBeVisible();
  const before = lab.run.shown();
  drop([{ path: 'weights.pkl', blob: new Blob([new Uint8Array([0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0])]) }]);
  await expect
    .element(screen.getByRole('alert'))
    .toHaveTextContent(/weights\.pkl\): got pickled Python objects, wanted JSON.*Write text instead/);
  expect(lab.run.shown()).toBe(before);
});

test('a person corrects how a file is read, and sees first what that changes', async () => {
  const opened = await open({});
  const { screen, lab } = opened;
  drop([file('atpo_dump.jsonl', atpo)]);
  await screen.getByRole('button', { name: 'Read it otherwise …' }).click();
  const dialog = screen.getByRole('dialog', { name: 'How the file is read' });
  const as = await importFiles([file('atpo_dump.jsonl', atpo)]);
  const so = await importFiles([file('atpo_dump.jsonl', atpo)], { delimiters: 'none' });
  expect(so.summary.turns).not.toBe(as.summary.turns);
  await dialog
    .getByRole('combobox', { name: 'turns and observations' })
    .selectOptions('none: one turn a text');
  const turns = dialog.getByRole('row', { name: 'turns' });
  await expect.element(turns).toHaveTextContent(`turns${as.summary.turns}${so.summary.turns}`);
  expect(await findings(screen.container)).toEqual([]);
  await dialog.getByRole('button', { name: 'Read it so' }).click();
  await expect
    .poll(() => {
      const origin = lab.run.getState().header?.origin;
      return origin?.kind === 'imported' ? origin.summary?.turns : null;
    })
    .toBe(so.summary.turns);
  expect(lab.shelf.getState().runs).toHaveLength(1); // in the place of the first
});
