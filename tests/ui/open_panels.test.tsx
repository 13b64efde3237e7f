/** The By hand panel and the kernel editor, open and full, for every eye: axe in both themes, a phone, 200 % zoom. */
import { EditorView } from '@codemirror/view';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { kernels } from '../../shaders/index.ts';
import { kernelCatalogue } from '../../src/train/inspect/kernels.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { applyTheme, type ThemeChoice } from '../../src/ui/shell/theme.ts';
import { colourFindings, findings } from '../support/axe.ts';
import { answerByHand } from '../support/hand_answer.ts';
import { askingLab, liveTree } from '../support/scripted_lab.ts';
import { smallTargets } from '../support/targets.ts';

const KEPT = ['turnwise-theme', 'turnwise-kernel-policy_loss'];

afterEach(async () => {
  await cleanup();
  document.getElementById('root')?.remove();
  await page.viewport(1280, 800);
});
afterAll(() => {
  KEPT.forEach((key) => localStorage.removeItem(key));
  applyTheme('light');
});

const root = (): HTMLElement => document.getElementById('root') as HTMLElement; // appended by open

async function open(theme: ThemeChoice) {
  const { lab, listener } = await askingLab();
  localStorage.setItem('turnwise-theme', theme);
  const container = Object.assign(document.createElement('div'), { id: 'root' });
  document.body.append(container);
  await render(<App lab={lab} />, { container });
  applyTheme(theme);
  return { lab, listener };
}

/** Two interventions, and a third being written: its observation has a word that is not known. */
async function byHand(theme: ThemeChoice): Promise<void> {
  const { lab, listener } = await open(theme);
  const answer = async () =>
    listener.answer('intervene', await answerByHand(listener.of('intervene').at(-1)!));
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'tree', update: 1, prompt: tree.prompt.index });
  const turn = tree.nodes.find((node) => node && node.depth === 1 && !node.pruned)!;
  lab.interventions.grow({ action: 'again', node: turn.id, count: 2, seed: 1 });
  await answer();
  const observation = turn.tokens.slice(0, turn.mask.indexOf(1));
  lab.interventions.grow({ action: 'edit', node: turn.id, count: 1, seed: 2, observation });
  await answer();
  lab.selection.select({ node: turn.id });
  await page.getByRole('button', { name: 'Edit observation' }).click();
  await page.getByRole('textbox', { name: /Observation before/ }).fill('<result> nobodyy </result>');
  await page.getByRole('button', { name: 'Continue from the edited observation' }).click();
  await expect.element(page.getByText('no word “nobodyy”')).toBeVisible();
  await expect.poll(() => root().querySelectorAll('.interventions li').length).toBe(2);
}

/** A text with a new line, a missing one and a fault on a third. */
async function editor(theme: ThemeChoice): Promise<void> {
  const { source } = kernels.policy_loss;
  localStorage.removeItem('turnwise-kernel-policy_loss');
  const { lab } = await open(theme);
  lab.selection.select({ view: 'profile' });
  const summary = page.getByText('Kernels: the WGSL that runs');
  await expect.element(summary).toBeVisible();
  (summary.element() as HTMLElement).click(); // opens it wherever the page stands
  lab.inspection.setState({ kernels: kernelCatalogue() });
  await page.getByRole('button', { name: 'Edit this kernel' }).click();
  const content = (): HTMLElement | null => root().querySelector('.cm-content');
  await expect.poll(content, { timeout: 20_000 }).not.toBeNull();
  const lines = source.split('\n').toSpliced(60, 1).toSpliced(80, 0, '  let twice = 2.0 * token;');
  const view = EditorView.findFromDOM(content()!)!;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: lines.join('\n') } });
  const problems = [{ line: 81, column: 21, message: 'unresolved value ‘token’' }];
  lab.inspection.setState({ compiled: { source: lines.join('\n'), problems } });
  await expect.element(page.getByText('unresolved value ‘token’').first()).toBeVisible();
  await page.getByRole('button', { name: 'Line 81', exact: true }).click(); // the editor draws what is in view
  await expect.poll(() => root().querySelectorAll('.cm-new-line').length).toBe(1);
}

describe.each([
  ['By hand', byHand],
  ['the kernel editor', editor],
] as const)('%s', (_, show) => {
  test.each([
    ['light', findings],
    ['dark', colourFindings],
  ] as const)('axe finds nothing, %s', async (theme, look) => {
    await show(theme);
    expect(await look(root())).toEqual([]);
  });

  test.each([
    ['a phone', 390, 844],
    ['1280 × 800 at 200 %', 640, 400],
  ] as const)('does not scroll sideways on %s, and its targets fit a finger', async (_, width, height) => {
    await page.viewport(width, height);
    await show('light');
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    expect(smallTargets(root())).toEqual([]);
  });
});
