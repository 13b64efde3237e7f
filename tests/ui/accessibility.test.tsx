/** Every view for every eye and hand: axe finds nothing, nothing scrolls sideways, targets fit a finger, keys reach all. */
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import type { Lab } from '../../src/store/lab/lab.ts';
import { VIEWS, type View } from '../../src/store/place/selection.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { applyTheme, type ThemeChoice } from '../../src/ui/shell/theme.ts';
import { colourFindings, findings } from '../support/axe.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';
import { METRICS } from '../support/sample_log.ts';
import { smallTargets } from '../support/targets.ts';

const THEME_KEY = 'turnwise-theme';

async function open(view: View, theme: ThemeChoice = 'light'): Promise<Lab> {
  const lab = await scriptedLab();
  const { update, tree } = liveTree(lab);
  lab.selection.select({ view, update: update.update, prompt: tree.prompt.index });
  localStorage.setItem(THEME_KEY, theme);
  const container = Object.assign(document.createElement('div'), { id: 'root' });
  document.body.append(container);
  await render(<App lab={lab} />, { container });
  applyTheme(theme);
  await expect.element(page.getByRole('main')).toBeVisible();
  return lab;
}

const root = (): HTMLElement => document.getElementById('root') as HTMLElement; // appended by open

afterEach(async () => {
  await cleanup();
  document.getElementById('root')?.remove();
  await page.viewport(1280, 800);
});
afterAll(() => {
  localStorage.removeItem(THEME_KEY);
  applyTheme('light');
});

describe.each([
  ['light', findings],
  ['dark', colourFindings],
] as const)('axe, %s', (theme, look) => {
  test.each(VIEWS)('finds nothing in %s', async (view) => {
    await open(view, theme);
    expect(await look(root())).toEqual([]);
  });
});

describe.each([
  ['a phone', 390, 844],
  ['1280 × 800 at 200 %', 640, 400],
] as const)('on %s', (_, width, height) => {
  test.each(VIEWS)('%s does not scroll sideways and its targets fit a finger', async (view) => {
    await page.viewport(width, height);
    await open(view);
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    expect(smallTargets(root())).toEqual([]);
  });
});

test.each(VIEWS)(
  'in a window of a laptop %s scrolls inside itself, and the page is no longer than the window',
  async (view) => {
    await open(view);
    expect(document.documentElement.scrollHeight).toBeLessThanOrEqual(innerHeight);
  },
);

test('keys reach every view, and ? lists them', async () => {
  const lab = await open('train');
  for (const [index, view] of VIEWS.entries()) {
    await userEvent.keyboard(String(index + 1));
    expect(lab.selection.getState().view).toBe(view);
  }
  await userEvent.keyboard('?');
  const listed = [...document.querySelectorAll('.key-help dd')].map((entry) => entry.textContent);
  expect(listed).toEqual(
    expect.arrayContaining(['Train view', 'Compare view', 'Profile view', 'update after']),
  );
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => document.querySelector('.key-help')).toBeNull(); // a dialog tells that it closed in a task of its own
});

test.each(VIEWS)(
  'the keys of %s open at their first line, with the focus in sight, also in a low window',
  async (view) => {
    await page.viewport(1280, 400);
    await open(view);
    await userEvent.keyboard('?');
    const dialog = page.getByRole('dialog', { name: 'Keyboard' });
    await expect.element(dialog).toBeVisible();
    expect(dialog.element().scrollTop).toBe(0);
    expect(dialog.element().contains(document.activeElement)).toBe(true);
    const { top, bottom } = document.activeElement!.getBoundingClientRect();
    expect(top).toBeGreaterThanOrEqual(0);
    expect(bottom).toBeLessThanOrEqual(innerHeight);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => document.querySelector('dialog')).toBeNull();
  },
);

test('focus goes from the skip link through the views to the view, and is seen', async () => {
  await open('train');
  const seen: string[] = [];
  for (let step = 0; step < 4; step += 1) {
    await userEvent.tab();
    const focused = document.activeElement as HTMLElement;
    seen.push(focused.textContent.trim());
    expect(getComputedStyle(focused).outlineStyle).not.toBe('none');
  }
  expect(seen).toEqual(['Skip to the view', '1Train', '2Tree', '3Credit']);
});

test('an alarm stands in Train, is counted in its tab, leads to its example and can be put away', async () => {
  const lab = await open('train');
  const updates = lab.run.getState().updates.length;
  expect(document.querySelector('.alarm')).toBeNull();
  lab.run.apply([{ kind: 'metrics', update: updates, metrics: { ...METRICS, skippedSteps: 2 } }]);
  const alert = page.getByRole('alert');
  await expect.element(alert).toHaveTextContent(`▲ Numbers are not finite since update ${updates}`);
  expect(document.querySelector('.alarm')?.textContent).toContain('2 of the steps skipped');
  expect(document.querySelector('.tab .alarm-count')?.textContent).toBe('▲ 1 alarm');
  expect(await findings(root())).toEqual([]);
  await page.getByRole('button', { name: /not finite: show an example/ }).click();
  expect(lab.selection.getState()).toMatchObject({ update: updates });
  lab.selection.select({ view: 'train' });
  await page.getByRole('button', { name: /not finite: dismiss/ }).click();
  await expect.poll(() => document.querySelector('.alarm, .alarm-count')).toBeNull();
});
