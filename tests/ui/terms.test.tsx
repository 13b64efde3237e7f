/** Labels of the lab lead to the glossary: none that names a term is without its link, by a press or by a key. */
import { afterEach, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { loadGlossary } from '../../src/lessons/catalogue.ts';
import { termIn } from '../../src/lessons/label_terms.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { VIEWS, type View } from '../../src/store/place/selection.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { findings } from '../support/axe.ts';
import { liveTree, scriptedLog } from '../support/scripted_lab.ts';
import { PROFILE } from '../support/sample_profile.ts';

/** The scripted run with an engine that lists its settings, at the first tree that has credit to show. */
async function open(view: View): Promise<Lab> {
  const lab = createLab(() => undefined, `#v1&update=1&view=${view}`);
  const log = await scriptedLog();
  lab.transport.receive(log.filter(({ kind }) => kind === 'ready'));
  lab.run.apply(log);
  const { tree } = liveTree(lab);
  const [leaf] = tree.leaves;
  lab.selection.select({ prompt: tree.prompt.index, leaf, node: tree.nodes[leaf]?.parent ?? leaf });
  const container = Object.assign(document.createElement('div'), { id: 'root' });
  document.body.append(container);
  await render(<App lab={lab} />, { container });
  await expect.element(page.getByRole('main')).toBeVisible();
  return lab;
}

afterEach(async () => {
  await cleanup();
  document.getElementById('root')?.remove();
  await page.viewport(1280, 800);
});

const LABELS = 'th:not(:has(button + button)), dt, label, legend, h2, h3, caption, figcaption .heading, .readout, .legend, [role="group"] > button'; // prettier-ignore

/** What a label says itself: no words of its control, of the data, or for readers alone. */
function wordsOf(label: Element): string {
  const copy = label.cloneNode(true) as Element;
  copy.querySelectorAll('select, input, code, output, .visually-hidden').forEach((part) => part.remove());
  return copy.textContent.replaceAll(/\s+/g, ' ').trim();
}

/** Labels on screen that name a term of the glossary and have no link to it. */
const unlinked = (): readonly string[] =>
  [...document.querySelectorAll(`#root :is(${LABELS})`)]
    .filter((label) => label.checkVisibility() && !label.matches('.visually-hidden'))
    .filter((label) => termIn(wordsOf(label)) !== null && !label.querySelector('[data-term]'))
    .map((label) => `${label.tagName.toLowerCase()}: ${wordsOf(label)}`);

const linked = (): number => document.querySelectorAll('[data-term]').length;

test.each(VIEWS)('no label of %s that names a term is without its link', async (view) => {
  const lab = await open(view);
  if (view === 'train') {
    await userEvent.keyboard('s');
    await page.getByRole('button', { name: /^All \d+$/ }).click();
    await expect.poll(() => document.querySelectorAll('.knob').length).toBeGreaterThan(30);
    await page.getByRole('button', { name: 'As a table' }).click();
  }
  if (view === 'profile') {
    lab.inspection.setState({ profiles: [PROFILE] });
    await expect.poll(() => document.querySelector('.profile-table')).toBeTruthy();
  }
  if (view === 'loss') {
    const token = [...document.querySelectorAll<HTMLElement>('.transcript .token')].at(-1);
    token?.click();
  }
  if (view === 'experiments') await expect.poll(() => document.querySelector('.experiments')).toBeTruthy();
  else await expect.poll(linked).toBeGreaterThan(view === 'runs' ? 2 : 4);
  expect(unlinked()).toEqual([]);
  if (view !== 'tree') return;
  await userEvent.keyboard('b');
  await expect.poll(() => document.querySelector('[aria-label="Which trees"]')).toBeTruthy();
  expect(unlinked()).toEqual([]);
});

test('a label that is new and has no link is found', async () => {
  await open('credit');
  expect(unlinked()).toEqual([]);
  const label = Object.assign(document.createElement('h2'), { textContent: 'Advantages of today' });
  document.getElementById('view')!.append(label);
  expect(unlinked()).toEqual(['h2: Advantages of today']);
});

test('a press opens the glossary’s words and works no control; a button keeps its press', async () => {
  const lab = await open('credit');
  const glossary = await loadGlossary('en');
  const note = (): HTMLElement => [...document.querySelectorAll<HTMLElement>('.term-note')].at(-1)!;
  const normalise = page.getByRole('checkbox', { name: 'normalise leaves' });
  const before = (normalise.element() as HTMLInputElement).checked;
  document.querySelector<HTMLElement>('label .term-word[data-term="normalisation"]')!.click();
  await expect.poll(() => note().textContent).toContain(glossary.normalisation.title);
  expect(note().matches(':popover-open')).toBe(true);
  expect((normalise.element() as HTMLInputElement).checked).toBe(before);
  expect(lab.selection.getState().leafNormalisation).toBeNull();
  await userEvent.keyboard('{Escape}');
  expect(note().matches(':popover-open')).toBe(false);
  const phase = document.querySelector<HTMLElement>('.phases [data-term="advantage"]')!;
  phase.click();
  expect(note().matches(':popover-open')).toBe(false);
  await expect.poll(() => lab.selection.getState().creditFrame).toBeGreaterThan(0);
});

test('labels add no tab stop: a key lists all terms on screen, those of the focused button first', async () => {
  await open('tree');
  const glossary = await loadGlossary('en');
  expect([...document.querySelectorAll<HTMLElement>('.term-word')].filter(({ tabIndex }) => tabIndex >= 0)).toEqual([]); // prettier-ignore
  const reward = document.querySelector<HTMLElement>('.tree-tools [data-term="reward"]')!.closest('button')!;
  reward.focus();
  await userEvent.keyboard('w');
  const titles = (): readonly string[] => [...document.querySelectorAll('.term-list .term-title')].map(({ textContent }) => textContent); // prettier-ignore
  await expect.poll(() => titles()[0]).toBe(glossary.reward.title);
  expect(titles()).toContain(glossary.advantage.title);
  expect(new Set(titles()).size).toBe(titles().length);
  expect(await findings(document.querySelector('.term-list')!)).toEqual([]);
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => document.querySelector('.term-list')).toBeNull();
  await userEvent.keyboard('?');
  await page.getByRole('button', { name: 'Terms on screen' }).click(); // for a finger
  await expect.poll(() => titles().length).toBeGreaterThan(5);
});
