/** The batch of trees sorted and filtered, updates found, and credit chosen by a method's name, as a person reads and does it. */
import { afterEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { measureTrees, updatesWith } from '../../src/store/loss/finding.ts';
import { encodeSelection } from '../../src/store/place/address.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatNumber, formatShare, formatSigned } from '../../src/ui/parts/format.ts';
import { seriousFindings } from '../support/axe.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let lab: Lab;
let screen: RenderResult;

afterEach(() => cleanup());

async function open(hash: string): Promise<void> {
  lab = await scriptedLab(hash);
  screen = await render(<App lab={lab} />);
}

const texts = (selector: string): readonly string[] =>
  [...screen.container.querySelectorAll(selector)].map(({ textContent }) => textContent);

test('trees stand by spread or disagreement with the number that they stand by, and filters say how many pass', async () => {
  await open('#v1&view=tree&update=1&batch=1&order=spread');
  const { update } = liveTree(lab);
  const { algorithm } = lab.run.getState().header!.config!;
  const { contextLength } = lab.run.getState().header!.environment!;
  const against = { valueRule: null, advantageRule: null, leafNormalisation: null };
  const measures = measureTrees(update, { own: algorithm.credit, against, contextLength }, algorithm.loss);
  const spreads = measures.map(({ spread }) => spread!).toSorted((a, b) => b - a);
  await expect.poll(() => texts('.tree-caption > .number + .number')).toEqual(spreads.map((spread) => `σ ${formatNumber(spread, 2)}`)); // prettier-ignore
  await screen
    .getByRole('combobox', { name: 'Order of the trees' })
    .selectOptions('disagreement of two rules');
  const shares = measures.map(({ disagreement }) => disagreement!).toSorted((a, b) => b - a);
  await expect.poll(() => texts('.tree-caption > .number + .number')).toEqual(shares.map((share) => `${formatShare(share)} differ`)); // prettier-ignore
  expect(encodeSelection(lab.selection.getState())).toContain('&order=disagreement');
  const parted = measures.filter(({ disagreement }) => disagreement! > 0).length;
  const clipped = measures.filter((measure) => measure.clipped > 0).length;
  const states = texts('[aria-label="Which trees"] button[aria-pressed]');
  expect(states.slice(-2)).toEqual([`clipped ${clipped}`, `parted ${parted}`]);
  await screen.getByRole('button', { name: `parted ${parted}` }).click();
  await expect.poll(() => texts('.tree-button').length).toBe(parted);
  expect(await seriousFindings(screen.container)).toEqual([]);
});

test('n and N go from update to update in which it happened, and the count is the metrics’ own', async () => {
  await open('#v1&view=tree&update=1&batch=1&sign=malformed');
  const { updates } = lab.run.getState();
  const malformed = updates[0].metrics!;
  const four = [0, 0.5, 0, 0.25].map((share, at) => ({ ...updates[0], update: at + 1, metrics: { ...malformed, malformed: share } })); // prettier-ignore
  lab.run.setState({ updates: four });
  expect(updatesWith(four, 'malformed')).toEqual([2, 4]);
  const finder = screen.getByRole('group', { name: 'Find an update' });
  await expect.element(finder).toHaveTextContent('2 of 4 updates');
  const here = (): number | null => lab.selection.getState().update;
  for (const [key, wanted] of [['n', 2], ['n', 4], ['n', 4], ['N', 2], ['N', 2]] as const) {
    await userEvent.keyboard(key);
    await expect.poll(here).toBe(wanted);
  } // prettier-ignore
  await expect.element(finder).toHaveTextContent('this one too');
  await finder.getByRole('combobox').selectOptions('a tree is dead');
  await expect.poll(() => lab.selection.getState().sign).toBe('dead');
});

test('credit is chosen by a method’s name, in Credit and on both sides of Compare, and is that method’s', async () => {
  await open('');
  const { tree, update } = liveTree(lab);
  lab.selection.select({ view: 'credit', update: 1, prompt: tree.prompt.index, creditFrame: 1e6 });
  const own = lab.run.getState().header!.config!.algorithm.credit;
  const names = screen.getByRole('group', { name: 'Credit as in' });
  const pressed = (): readonly string[] => texts('.named-credit [aria-pressed=true]');
  await expect.poll(pressed).toEqual(['AT²PO node_value']);
  const leaf = tree.leaves[0];
  const label = (): string => screen.container.querySelector(`.tree-drawing [data-node="${leaf}"] .node-label`)?.textContent ?? ''; // prettier-ignore
  for (const [name, advantageRule] of [['GRPO vanilla', 'vanilla'], ['Tree-GRPO tree_grpo', 'tree_grpo']] as const) {
    await names.getByRole('button', { name, exact: true }).click();
    await expect.poll(pressed).toEqual([name]);
    const { advantages } = recredit(tree, own, { ...OWN_CREDIT, advantageRule }, update.trees)!;
    lab.selection.select({ creditFrame: 1e6 });
    await expect.poll(() => label().replace(/[↑↓]/g, '')).toBe(`n${leaf} A ${formatSigned(advantages.byLeaf![leaf])}`); // prettier-ignore
  } // prettier-ignore
  await names.getByRole('button', { name: 'AT²PO node_value' }).click();
  expect(lab.selection.getState()).toMatchObject({
    advantageRule: null,
    valueRule: null,
    leafNormalisation: null,
  });
  lab.selection.select({ view: 'compare' });
  await screen
    .getByRole('group', { name: 'Rule B' })
    .getByRole('button', { name: 'Tree-GRPO tree_grpo' })
    .click();
  expect(lab.selection.getState()).toMatchObject({ againstAdvantage: 'tree_grpo', advantageRule: null });
  await expect.poll(pressed).toEqual(['AT²PO node_value', 'Tree-GRPO tree_grpo']);
  expect(await seriousFindings(screen.container)).toEqual([]);
});
