import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { createLab } from '../../src/store/lab/lab.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { scriptedLog } from '../support/scripted_lab.ts';

afterEach(() => cleanup());

/** A run whose second update has trees under way and no rewards yet. */
async function growing() {
  const log = await scriptedLog();
  const second = log.findIndex((event) => event.kind === 'phase' && event.update === 2);
  const ended = log.findIndex((event, at) => at > second && event.kind === 'rewards');
  const lab = createLab(() => undefined);
  lab.run.apply(log.slice(0, ended));
  return lab;
}

test.each([
  ['credit', 'Credit starts when'],
  ['loss', 'The loss of this row comes when'],
  ['compare', 'Rules can be compared when'],
] as const)('%s says what it waits for and leads to the last finished update', async (view, words) => {
  const lab = await growing();
  lab.selection.select({ view });
  const screen = await render(<App lab={lab} />);
  await expect.element(screen.getByText(words)).toBeVisible();
  await screen.getByRole('button', { name: 'See update 1, which is finished' }).click();
  await expect.element(screen.getByText('update 1', { exact: true })).toBeVisible();
  expect(screen.container.textContent).not.toContain(words);
  expect(lab.selection.getState().update).toBe(1);
});

test('in the first update there is nothing to lead to', async () => {
  const log = await scriptedLog();
  const lab = createLab(() => undefined);
  lab.run.apply(
    log.slice(
      0,
      log.findIndex(({ kind }) => kind === 'rewards'),
    ),
  );
  lab.selection.select({ view: 'compare' });
  const screen = await render(<App lab={lab} />);
  await expect.element(screen.getByText('Rules can be compared when')).toBeVisible();
  expect(screen.container.textContent).not.toContain('which is finished');
});
