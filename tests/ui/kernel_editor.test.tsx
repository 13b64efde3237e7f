import { EditorView } from '@codemirror/view';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { kernels } from '../../shaders/index.ts';
import { createLab, type Lab } from '../../src/store/lab.ts';
import { Engine } from '../../src/train/engine.ts';
import { openGpuBackend } from '../../src/train/gpu_backend.ts';
import type { RunEvent } from '../../src/train/protocol.ts';
import { textMark } from '../../src/units.ts';
import { App } from '../../src/ui/App.tsx';
import { seriousFindings } from '../support/axe.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

const KEY = 'turnwise-kernel-policy_loss';
const ORIGINAL = kernels.policy_loss.source;
const WRITE = 'dlogProb[s] = token.y * term.gradient;';

let engine: Engine;
let hear: (event: RunEvent) => void = () => undefined;
beforeAll(async () => {
  engine = new Engine({
    post: (event) => hear(event),
    openBackend: () => openGpuBackend(),
    fetchWeights: () => Promise.resolve(new ArrayBuffer(0)),
  });
  await engine.start();
});
afterAll(() => engine.dispose());
afterEach(async () => {
  await cleanup();
  localStorage.removeItem(KEY);
});

/** A page with a finished run on screen, its engine the real one, the loss kernel open. */
async function openEditor() {
  const log = await scriptedLog();
  const lab: Lab = createLab((command) => void engine.dispatch(command));
  lab.transport.setState({ engine: { kind: 'ready' } });
  lab.run.apply(log.filter(({ kind }) => kind !== 'failed'));
  hear = (event) => lab.transport.receive([event]);
  lab.selection.select({ view: 'profile' });
  await page.viewport(1280, 800);
  const screen = await render(<App lab={lab} />);
  const summary = screen.getByText('Kernels: the WGSL that runs');
  await expect.element(summary).toBeVisible();
  (summary.element() as HTMLElement).click(); // opens it wherever the page stands
  await screen.getByRole('button', { name: 'Edit this kernel' }).click();
  const content = (): HTMLElement | null => screen.container.querySelector('.cm-content');
  await expect.poll(content, { timeout: 20_000 }).not.toBeNull();
  const write = (text: string): void => {
    const view = EditorView.findFromDOM(content()!)!;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  };
  const words = (): string => screen.container.querySelector('.kernel-editor')!.textContent ?? '';
  return { lab, screen, write, words };
}

const soon = { timeout: 30_000 };

test('a broken line is named with what the compiler says, and cannot be run', async () => {
  const { screen, write, words } = await openEditor();
  await expect.poll(words, soon).toContain('✓ It compiles on this device');
  const text = ORIGINAL.replace('let mean = logRatio[', 'let mean = logRatios[');
  write(text);
  const line = text.split('\n').findIndex((each) => each.includes('logRatios')) + 1;
  await expect.poll(words, soon).toContain(`Line ${line}`);
  expect(screen.container.querySelector('.kernel-problems')!.textContent).toContain('logRatios');
  expect(words()).toContain('1 line new, 1 line of the original gone');
  await expect.element(screen.getByRole('button', { name: 'Run with this kernel' })).toBeDisabled();
  expect(screen.container.querySelectorAll('.cm-lint-marker-error').length).toBe(1);
  expect(localStorage.getItem(KEY)).toBe(text);
  expect(await seriousFindings(screen.container)).toEqual([]);
  await screen.getByRole('button', { name: 'Reset to the original' }).click();
  await expect.poll(words, soon).toContain('✓ It compiles on this device');
  expect(localStorage.getItem(KEY)).toBeNull();
});

test('twice the gradient is found with its numbers; the loss alike, it passes; a run with it is labelled', async () => {
  const { lab, screen, write, words } = await openEditor();
  write(ORIGINAL.replace(WRITE, 'dlogProb[s] = 2.0 * token.y * term.gradient;'));
  const check = screen.getByRole('button', { name: 'Check its gradient now' });
  await expect.element(check, soon).toBeEnabled();
  await check.click();
  await expect.poll(words, soon).toContain('✕ The edited gradient is not that of the edited loss');
  const worst = screen.container.querySelector('.gradient-check tbody tr')!;
  const [numeric, stated] = [...worst.querySelectorAll('td')].map(({ textContent }) =>
    Number((textContent ?? '').replaceAll('−', '-')),
  );
  expect(stated / numeric).toBeCloseTo(2, 1);
  const token = lab.inspection.getState().kernelTrial!.gradients![0].tokens[0];
  expect(numeric).toBeCloseTo(token.numeric, 4);

  const both = ORIGINAL.replace(
    WRITE,
    'tokenLoss[s] = 2.0 * term.loss; dlogProb[s] = 2.0 * token.y * term.gradient;',
  );
  write(both);
  await expect.poll(() => lab.inspection.getState().compiled?.source, soon).toBe(both);
  await check.click();
  await expect.poll(words, soon).toContain('✓ The edited gradient is that of the edited loss');

  await screen.getByRole('button', { name: 'Run with this kernel' }).click();
  const label = `edited policy_loss #${textMark(both)} (gradient checked)`;
  await expect.poll(() => lab.run.getState().header?.config.editedKernel?.source, soon).toBe(both);
  await expect.poll(() => screen.container.querySelector('.edited-badge')?.textContent).toBe(label);
  await expect.poll(() => screen.container.textContent).toContain(`This run trained with an ${label}`);
  await engine.dispatch({ kind: 'close' });
});
