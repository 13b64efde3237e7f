/** Rollouts of other trainers on the page: opened as a person opens them, and what is read off the screen is what the reader counted. */
import { afterEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup } from 'vitest-browser-react';
import { assignCredit } from '../../src/algo/credit/credit.ts';
import { startKeeper } from '../../src/keep/keeper_client.ts';
import { encodeSelection } from '../../src/store/place/address.ts';
import { importFiles } from '../../src/files/rollouts/import.ts';
import { promptOf } from '../../src/files/rollouts/rollout.ts';
import type { ChosenFile } from '../../src/protocol/protocol.ts';
import { DEFAULT_CREDIT } from '../../src/store/credit/credit.ts';
import { conversationOf, findPassages } from '../../src/store/record/conversation.ts';
import { joinerOf, rolloutTree } from '../../src/store/record/reading.ts';
import { NO_SIGNALS } from '../../src/units.ts';
import { formatCount, formatNumber, formatSigned } from '../../src/ui/parts/format.ts';
import { findings } from '../support/axe.ts';
import { open, rows } from '../support/kept_runs.tsx';
import atpo from '../fixtures/imports/atpo_dump.jsonl?raw';
import chat from '../fixtures/imports/chat.jsonl?raw';
import nemo from '../fixtures/imports/nemo_gym_ids.jsonl?raw';
import seven from '../fixtures/imports/verl_0_6/7.jsonl?raw';
import ten from '../fixtures/imports/verl_0_6/10.jsonl?raw';
import trajectory from '../fixtures/imports/verifiers_trajectory.jsonl?raw';

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
  ['nemo_gym_ids.jsonl', nemo],
] as const)(
  '%s dropped on the page is recognised, shown, and counted as its reader counts',
  async ([name, text]) => {
    const opened = await open({});
    const { screen, lab } = opened;
    const { summary, rollouts } = await importFiles([file(name, text)]);
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
    const asked = screen.container.querySelector('.answer .question')!;
    const [{ rows: ownRows, answer }] = rollouts;
    const told = promptOf(ownRows[0])
      .find(({ author }) => author === 'system')
      ?.text.trim();
    if (told) expect(asked.textContent).not.toContain(told.slice(0, 30)); // what is asked, not what is told to all
    expect(asked.querySelector('.truth') !== null).toBe(answer !== null);
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

const wordsOf = ({ lab }: Opened) => {
  const run = lab.run.getState();
  return { texts: run.texts, joiner: joinerOf(run) };
};
const saidOn = ({ screen }: Opened): readonly (readonly [string, string])[] =>
  [...screen.container.querySelectorAll('.conversation li[data-author]')].map(
    (item) => [item.getAttribute('data-author')!, item.querySelector('.said')!.textContent] as const,
  );

test('a page that is opened again has the import on its shelf and on screen, with the same numbers', async () => {
  const keeper = startKeeper(() => undefined);
  try {
    const one = await open({ browser: keeper });
    const { summary } = await importFiles(VERL);
    await one.lab.files.openAll(VERL);
    const [{ id }] = one.lab.kept.getState().entries;
    const { trees } = one.lab.run.getState().updates[1];
    const leaf = trees[0].leaves.at(-1)!;
    one.lab.selection.select({ view: 'tree', update: 2, leaf, node: leaf });
    await expect.poll(() => saidOn(one).length).toBeGreaterThan(1);
    const [place, said] = [one.lab.selection.getState(), saidOn(one)];
    one.lab.selection.select({ view: 'train' });
    await expect.poll(() => factsOf(one).rollouts).toBe(formatCount(summary.rollouts));
    const facts = factsOf(one);
    await cleanup();

    const two = await open({ browser: keeper, hash: encodeSelection(place) });
    await expect.poll(() => saidOn(two)).toEqual(said);
    two.lab.selection.select({ view: 'train' });
    await expect.poll(() => factsOf(two)).toEqual(facts);
    two.lab.selection.select({ view: 'runs' });
    const own = () => rows().find(([title]) => title === `dumps, 2 files (${summary.title})`);
    await expect.poll(() => own()?.toSpliced(4, 3)).toEqual([`dumps, 2 files (${summary.title})`, '', '–', '2', 'this browser']); // prettier-ignore
    const means = summary.byStep.map(({ rewardMean }) => formatNumber(rewardMean));
    await expect
      .element(two.screen.getByRole('img', { name: `first ${means[0]}, last ${means[1]},` }))
      .toBeVisible();
    const buttons = two.screen.container.querySelectorAll(`[aria-label$=": ${own()![0]}"]`);
    expect([...buttons].flatMap((button) => button.textContent || [])).toEqual(['Show', 'Save', 'Pin', 'Rename', 'Note', 'Delete']); // prettier-ignore
    expect(await findings(two.screen.container)).toEqual([]);
    await keeper.change(id, { removed: '2026-11-28' });
  } finally {
    keeper.close();
  }
});

test('a path is a conversation; a row is split off and put back; words lead to their turn', async () => {
  const opened = await open({});
  const { screen, lab } = opened;
  drop([file('atpo_dump.jsonl', atpo)]);
  await expect.element(screen.getByRole('region', { name: 'Conversation' })).toBeVisible();
  const { trees } = lab.run.getState().updates[0];
  const prompt = trees.findIndex(({ nodes }) => nodes.some((node) => node?.origin.kind === 'imported' && node.origin.inferred)); // prettier-ignore
  const leaf = trees[prompt].leaves.at(-1)!;
  lab.selection.select({ update: 1, prompt, leaf, node: leaf });
  const wanted = conversationOf(trees[prompt], leaf, wordsOf(opened));
  await expect.poll(() => saidOn(opened)).toEqual(wanted.map(({ author, text }) => [author, text.trim()]));
  const panel = screen.getByRole('region', { name: 'Conversation' });
  await expect.element(panel).toHaveTextContent('group inferred: equal prompt');
  await expect.element(panel).toHaveTextContent(/rows the same for 1 turn, recovered from common prefixes/);
  const before = trees[prompt];
  await panel.getByRole('button', { name: 'Split this row off' }).last().click();
  const nodes = (): number => lab.run.getState().updates[0].trees[prompt].nodes.length;
  await expect.poll(nodes).toBeGreaterThan(before.nodes.length);
  await panel.getByRole('button', { name: 'Merge them' }).first().click();
  await expect.poll(() => lab.run.getState().updates[0].trees[prompt].nodes).toEqual(before.nodes);
  await panel.getByRole('button', { name: 'Undo the last change of a tree' }).click();
  await expect.poll(nodes).toBeGreaterThan(before.nodes.length);
  await panel.getByRole('button', { name: 'Undo the last change of a tree' }).click();
  await expect.poll(() => lab.run.getState().updates[0].trees[prompt]).toEqual(before);
  const query = { text: 'SEARCH', author: 'policy', prompt: null, low: null, high: null } as const;
  const hits = [...findPassages(trees, query, wordsOf(opened))].flat();
  await screen.getByRole('searchbox', { name: 'Words in all conversations' }).fill('SEARCH');
  await screen.getByRole('combobox', { name: 'Written by' }).selectOptions('policy');
  const search = screen.getByRole('search', { name: 'Search the batch' });
  await expect
    .element(search.getByRole('status'))
    .toHaveTextContent(new RegExp(`^${hits.length} passages?$`));
  const last = hits[Math.min(hits.length, 50) - 1];
  await search.getByRole('listitem').last().getByRole('button').click();
  await expect.poll(() => lab.selection.getState()).toMatchObject({ prompt: last.prompt, node: last.node });
  expect(await findings(screen.container)).toEqual([]);
});

test('beside each turn stand its own reward, the advantage of the trainer, and what rules give here', async () => {
  const opened = await open({});
  const { screen, lab } = opened;
  drop([file('verifiers_trajectory.jsonl', trajectory)]);
  await expect.poll(() => screen.container.querySelector('.turn-credit')).not.toBeNull();
  const { trees, rollouts } = lab.run.getState().updates[0];
  const [tree] = trees;
  const known = rollouts!.filter(({ prompt, turns }) => prompt === 0 && turns.some(({ advantage }) => advantage !== null)); // prettier-ignore
  expect(known.length).toBeGreaterThan(0);
  const rules = { ...DEFAULT_CREDIT };
  const scored = trees.filter(({ rewards }) => rewards !== null);
  const credits = assignCredit(scored.map((state) => ({ tree: rolloutTree(state)!, rewards: state.rewards!, signals: NO_SIGNALS })), rules); // prettier-ignore
  const here = credits[scored.indexOf(tree)].advantages.byNode;
  for (const { leaf, turns } of known) {
    lab.selection.select({ update: 1, prompt: 0, leaf, node: leaf });
    const rows = () =>
      [...screen.container.querySelectorAll('.turn-credit tbody tr')].map((row) => [
        Number(row.getAttribute('data-node')),
        ...[...row.querySelectorAll('td')].slice(-6).map((cell) => cell.textContent),
      ]);
    const wanted = turns.map(({ node, advantage }) => [
      node,
      formatSigned(advantage),
      formatSigned(here[node]),
      formatSigned(advantage === null ? null : here[node] - advantage),
    ]);
    await expect.poll(() => rows().map((row) => row.slice(0, 4))).toEqual(wanted);
  }
});
