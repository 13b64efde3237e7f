import { afterEach, beforeEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import type { Lab } from '../../src/store/lab/lab.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatNumber } from '../../src/ui/parts/format.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';
import { seriousFindings } from '../support/axe.ts';

let lab: Lab;
let screen: RenderResult;

afterEach(() => cleanup());

beforeEach(async () => {
  lab = await scriptedLab();
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'tree', update: 1, prompt: tree.prompt.index });
  screen = await render(<App lab={lab} />);
});

const items = (): Element[] => [...screen.container.querySelectorAll('[role=treeitem]')];

test('every standing node of the tree is on screen and says its surprisal', () => {
  const { tree } = liveTree(lab);
  const standing = tree.nodes.filter((node) => node && !node.pruned);
  expect(items()).toHaveLength(standing.length);
  for (const node of standing) {
    if (!node || node.parent === null) continue;
    const label = screen.container.querySelector(`[data-node="${node.id}"]`)?.getAttribute('aria-label');
    const badge = node.origin.kind === 'expansion' ? ` +${node.origin.iteration + 1}` : '';
    const entropy = formatNumber(node.turnSurprisal);
    expect(label).toContain(`n${node.id} ${entropy}${badge}`);
    expect(label).toContain(', turn surprisal, nats per token');
  }
});

test('the expansion panel ranks all candidates with surprisal, penalty, score and the picks', async () => {
  const { tree } = liveTree(lab);
  const record = tree.expansions[0];
  await screen.getByRole('button', { name: 'iteration 1' }).click();
  const rows = [...screen.container.querySelectorAll('.candidates tbody tr:not(.threshold)')];
  const ranked = record.candidates.toSorted((a, b) => a.rank - b.rank);
  expect(rows).toHaveLength(ranked.length);
  ranked.forEach((candidate, index) => {
    const cells = [...rows[index].querySelectorAll('td')].map((cell) => cell.textContent);
    expect(cells[0]).toBe(String(index + 1));
    expect(cells[1]).toBe(candidate.node === 0 ? 'root' : `n${candidate.node}`);
    expect(cells[2]).toBe(formatNumber(candidate.turnSurprisal, 3));
    expect(cells[3]).toContain(`(${candidate.siblingCount})`);
    expect(cells[4]).toBe(formatNumber(candidate.score, 3));
    expect(cells[5].includes('✓')).toBe(candidate.pickCount > 0);
  });
  const picked = ranked.reduce((sum, { pickCount }) => sum + pickCount, 0);
  expect(picked).toBe(lab.run.getState().header!.config!.algorithm.rollout.picks);
});

test('pointing at a turn previews it and leaves the selected one selected', async () => {
  const { tree } = liveTree(lab);
  const [kept, pointed] = tree.nodes[0]!.children;
  const drawn = (id: number): Element => screen.container.querySelector(`[data-node="${id}"]`)!;
  const heading = () => screen.container.querySelector('.node-panels h2')?.textContent ?? '';
  lab.selection.select({ node: kept });
  await expect.poll(heading).toContain(`n${kept}`);
  await userEvent.hover(drawn(pointed));
  await expect.poll(heading).toContain(`n${pointed}`);
  expect(drawn(kept).getAttribute('aria-selected')).toBe('true');
  await userEvent.hover(screen.getByRole('button', { name: 'Keys' }));
  await expect.poll(heading).toContain(`n${kept}`);
});

test('growth can be scrubbed back to the question and forward to the whole tree', async () => {
  const { tree } = liveTree(lab);
  await screen.getByRole('button', { name: 'To the start of growth' }).click();
  expect(items()).toHaveLength(1);
  await screen.getByRole('button', { name: 'One node on' }).click();
  expect(items()).toHaveLength(2);
  lab.selection.select({ growth: tree.growth.length - 1 });
  await expect.poll(() => items().length).toBe(tree.nodes.filter((node) => node && !node.pruned).length);
});

test('arrow keys walk the tree and a selected turn shows its transcript with every token', async () => {
  const { tree } = liveTree(lab);
  screen.container.querySelector<SVGGElement>('[data-node="0"]')?.focus();
  await userEvent.keyboard('{ArrowRight}');
  const first = tree.nodes[0]!.children[0];
  expect(lab.selection.getState().node).toBe(first);
  const vocabulary = lab.run.getState().header!.environment!.vocabulary;
  const node = tree.nodes[first]!;
  await screen.getByText('Every sampled token in numbers').click();
  const rows = [...screen.container.querySelectorAll('table.tokens tbody tr')];
  const sampled = node.tokens
    .map((id, index) => ({ id, index }))
    .filter(({ index }) => node.mask[index] === 1);
  expect(rows.map((row) => row.querySelector('code')?.textContent)).toEqual(
    sampled.map(({ id }) => vocabulary[id]),
  );
  expect(rows[0].querySelectorAll('td')[1].textContent).toBe(
    `${formatNumber(node.logProb![sampled[0].index], 3)} nats`,
  );
  expect(rows[0].querySelectorAll('td')[2].textContent).toBe(
    `${formatNumber(node.entropy![sampled[0].index], 3)} nats`,
  );
});

test('colouring by advantage shows the numbers that the engine logged', async () => {
  const { tree } = liveTree(lab);
  await screen.getByRole('button', { name: 'advantage', exact: true }).click();
  for (const leaf of tree.leaves) {
    const text = screen.container.querySelector(`[data-node="${leaf}"] text`)?.textContent ?? '';
    expect(Number(text.split(' ')[1].replace('−', '-'))).toBeCloseTo(tree.credit!.advantages[leaf]!, 2);
  }
});

test('from the batch three ways lead back to the same tree: a button, b and Escape', async () => {
  const drawing = (): Element | null => screen.container.querySelector('.tree-drawing');
  const ways = [
    () => screen.getByRole('button', { name: /^← Tree of prompt/ }).click(),
    () => userEvent.keyboard('b'),
    () => userEvent.keyboard('{Escape}'),
  ];
  const { prompt } = lab.selection.getState();
  for (const back of ways) {
    await screen.getByRole('button', { name: 'batch', exact: true }).click();
    await expect.poll(drawing).toBeNull();
    await back();
    await expect.poll(drawing).not.toBeNull();
    expect(lab.selection.getState()).toMatchObject({ prompt, batch: false });
  }
});

test('the threshold stands below the last pick, and turns of its score below it are said to tie', async () => {
  const { tree } = liveTree(lab);
  const record = tree.expansions[0];
  const alike = record.candidates.map((candidate) => ({ ...candidate, turnSurprisal: 0.5, siblingCount: 0 }));
  const tied = alike.map((candidate, rank) => ({ ...candidate, penalty: 0, score: 0.5, rank, pickCount: rank < 2 ? 1 : 0 })); // prettier-ignore
  lab.run.setState((state) => ({
    ...state,
    updates: state.updates.map((update) => ({
      ...update,
      trees: update.trees.map((entry) =>
        entry.prompt.index === tree.prompt.index
          ? { ...entry, expansions: [{ ...record, candidates: tied, picks: tied.slice(0, 2).map(({ node }) => node) }] } // prettier-ignore
          : entry,
      ),
    })),
  }));
  lab.selection.select({ expansionRule: { siblingPenalty: 0.05, picks: 2, expansion: 'entropy' } });
  const rows = (): readonly Element[] => [...screen.container.querySelectorAll('.candidates tbody tr')];
  await expect.poll(() => rows().findIndex((line) => line.className === 'threshold')).toBe(2);
  expect(rows()[2].textContent).toBe(`threshold 0.500; ${tied.length} turns tie here: the first in breadth-first order are picked`); // prettier-ignore
  expect(rows().map((line) => line.getAttribute('data-picked'))).toEqual(
    rows().map((_, at) => (at === 2 ? null : String(at < 2))),
  );
});

test('axe finds nothing serious in the Tree view', async () => {
  expect(await seriousFindings(screen.container)).toEqual([]);
});
