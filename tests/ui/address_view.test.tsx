import { afterEach, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { encodeSelection } from '../../src/store/place/address.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatSetting } from '../../src/ui/parts/format.ts';
import { seriousFindings } from '../support/axe.ts';
import { scriptedLab } from '../support/scripted_lab.ts';

let lab: Lab;
let screen: RenderResult;

afterEach(() => cleanup());

async function opened(hash: string): Promise<void> {
  lab = await scriptedLab(hash);
  screen = await render(<App lab={lab} />);
}

const pressed = (group: string): readonly (string | null)[] =>
  [...screen.container.querySelectorAll(`[aria-label="${group}"] [aria-pressed=true]`)].map((b) => b.textContent); // prettier-ignore
const address = (): string => encodeSelection({ ...lab.selection.getState(), run: null, recipe: null });
const notice = (): string => screen.container.querySelector('.notice')?.textContent ?? '';

test('a link opens the Loss view in the colour and with the clip band that the sender saw', async () => {
  const hash = '#v1&view=loss&update=1&prompt=2&tokens=gradient&clip=0.002,0.5';
  await opened(hash);
  expect(pressed('Colour tokens by')).toEqual(['gradient']);
  const fields = [...screen.container.querySelectorAll('section[aria-label="Clip band"] output')];
  expect(fields.map((field) => field.textContent)).toEqual([formatSetting(0.002, 3), formatSetting(0.5, 3)]);
  expect(notice()).toBe('');
  expect(address()).toBe(hash);
  await screen.getByRole('button', { name: 'weight', exact: true }).click();
  await screen.getByRole('button', { name: 'Back to the run’s own' }).click();
  expect(address()).toBe('#v1&view=loss&update=1&prompt=2&tokens=weight');
});

test('a link opens the Tree view as it was: path, folds, words and the rule asked about', async () => {
  const ask = '&onlyPath=1&folds=1,,0&words=surprisal&wholePath=1&expandBy=0.5,1,entropy';
  await opened(`#v1&view=tree&update=1&node=1${ask}`);
  expect(pressed('Show')).toEqual(['only path']);
  expect(screen.container.querySelector('.what-if-note')?.textContent).toMatch(/would be picked/i);
  expect(screen.container.querySelector<HTMLInputElement>('[aria-label="What if"] input')?.value).toBe('0.5');
  const folded = [...screen.container.querySelectorAll('[role=treeitem][aria-expanded=false]')];
  expect(folded.map((item) => item.getAttribute('aria-label'))).toEqual([expect.stringContaining('1')]);
});

test('a link opens the batch with its filter, and the Compare view on runs', async () => {
  await opened('#v1&view=tree&update=1&batch=1&filter=dead,,');
  expect(pressed('Which trees')[0]).toMatch(/^dead/);
  lab.selection.select({ view: 'compare', compared: 'runs' });
  await expect.poll(() => pressed('What to compare')).toEqual(['Runs side by side']);
});

test('what a link holds that the lab does not know is named, once, and the rest is shown', async () => {
  await opened('#v1&view=loss&update=1&tokens=red');
  expect(notice()).toContain('tokens=red');
  expect(pressed('Colour tokens by')).toEqual(['loss']);
  expect(await seriousFindings(screen.container)).toEqual([]);
  await screen.getByRole('button', { name: 'Dismiss' }).click();
  await expect.poll(notice).toBe('');
});
