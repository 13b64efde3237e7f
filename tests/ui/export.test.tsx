/** What the Export menu gives a person, read from the files that the browser is handed, against the store's numbers. */
import { strFromU8, unzipSync } from 'fflate';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { App } from '../../src/ui/shell/App.tsx';
import type { Lab } from '../../src/store/lab/lab.ts';
import { decodeSelection } from '../../src/store/place/address.ts';
import { importFiles } from '../../src/files/rollouts/import.ts';
import { seriousFindings } from '../support/axe.ts';
import { scriptedLab } from '../support/scripted_lab.ts';

let saved: { name: string; blob: Blob }[] = [];

beforeEach(() => {
  saved = [];
  const blobs = new Map<string, Blob>();
  const createObjectURL = URL.createObjectURL.bind(URL);
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    const url = createObjectURL(blob);
    blobs.set(url, blob as Blob);
    return url;
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, blob: blobs.get(this.href)! });
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  return cleanup();
});

async function openMenu(): Promise<{ lab: Lab; screen: Awaited<ReturnType<typeof render>> }> {
  const lab = await scriptedLab('#v1&view=train');
  const screen = await render(<App lab={lab} />);
  document.querySelector<HTMLElement>('.export-menu summary')!.focus();
  await userEvent.keyboard('{Enter}');
  await expect.element(screen.getByRole('button', { name: 'Metrics (CSV)' })).toBeVisible();
  return { lab, screen };
}

async function next(count: number): Promise<{ name: string; text: string }> {
  await expect.poll(() => saved.length).toBe(count);
  const { name, blob } = saved[count - 1];
  return { name, text: await blob.text() };
}

test('the menu is opened, used and closed with the keyboard, and axe finds nothing', async () => {
  const { screen } = await openMenu();
  expect(await seriousFindings(document.body)).toEqual([]);
  await userEvent.keyboard('{Tab}{Enter}');
  expect((await next(1)).name).toMatch(/-metrics\.csv$/);
  await expect.element(screen.getByText(/^Saved .*-metrics\.csv\.$/)).toBeVisible();
  await userEvent.keyboard('{Escape}');
  expect(document.querySelector<HTMLDetailsElement>('.export-menu')!.open).toBe(false);
  expect(document.activeElement?.textContent).toBe('Export');
});

test('the CSV has the metrics of every update of the store', async () => {
  const { lab, screen } = await openMenu();
  await screen.getByRole('button', { name: 'Metrics (CSV)' }).click();
  const { text } = await next(1);
  const rows = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const column = rows[0].split(',').indexOf('exactMatch [share]');
  const { updates } = lab.run.getState();
  const told = rows.slice(1).map((row) => row.split(',')).filter(([update]) => update !== '0'); // prettier-ignore
  expect(told.map((row) => Number(row[column]))).toEqual(updates.map(({ metrics }) => metrics!.exactMatch));
});

test('nodes of the update on screen, tokens and traces of all updates', async () => {
  const { lab, screen } = await openMenu();
  lab.selection.select({ update: 1 });
  await screen.getByRole('button', { name: 'Nodes (JSONL)' }).click();
  const nodes = await next(1);
  expect(nodes.name).toMatch(/-update1-nodes\.jsonl$/);
  const lines = (text: string) => text.trimEnd().split('\n').map((line) => JSON.parse(line) as { kind: string; update: number }); // prettier-ignore
  const { updates } = lab.run.getState();
  const count = updates[0].trees.reduce((sum, tree) => sum + tree.nodes.length, 0);
  expect(lines(nodes.text).filter(({ kind, update }) => kind === 'node' && update === 1)).toHaveLength(count);
  await screen.getByRole('button', { name: /^all \d+ update/ }).click();
  await screen.getByRole('button', { name: 'Tokens (JSONL)' }).click();
  const tokens = lines((await next(2)).text);
  expect(new Set(tokens.slice(1).map(({ update }) => update))).toEqual(
    new Set(updates.map(({ update }) => update)),
  );
  await screen.getByRole('button', { name: 'Traces (JSONL)' }).click();
  const traces = await next(3);
  expect(traces.name).toMatch(/-all-traces\.jsonl$/);
  const { rollouts } = await importFiles([{ path: traces.name, blob: new Blob([traces.text]) }]);
  const rewards = updates.flatMap(({ trees }) => trees.flatMap((tree) => tree.leaves.map((leaf) => tree.rewards![leaf]))); // prettier-ignore
  expect(rollouts.map(({ reward }) => reward)).toEqual(rewards);
});

test('the verl folder of the run’s method and of another: a zip whose settings are theirs; what it cannot say is said', async () => {
  const { lab, screen } = await openMenu();
  const zipped = async (count: number) => {
    await expect.poll(() => saved.length).toBe(count);
    return unzipSync(new Uint8Array(await saved[count - 1].blob.arrayBuffer()));
  };
  await screen.getByRole('button', { name: 'verl folder (zip)' }).click();
  const own = await zipped(1);
  const { clipLow, clipHigh } = lab.run.getState().header!.config!.algorithm.loss;
  const settings = strFromU8(own['at2po-verl/turnwise_settings.py']);
  expect(settings).toContain(`"clipLow": ${clipLow},`);
  expect(settings).toContain(`"clipHigh": ${clipHigh},`);
  await expect.element(screen.getByText('Saved at2po-verl.zip. It says all of the method.')).toBeVisible();
  await screen.getByLabelText('Method of the folder').selectOptions('a2tgpo');
  await screen.getByRole('button', { name: 'verl folder (zip)' }).click();
  const other = await zipped(2);
  expect(strFromU8(other['a2tgpo-verl/launch.sh'])).toContain('ACCEPT_DIFFERENCES');
  await expect.element(screen.getByText(/^Saved a2tgpo-verl\.zip\. \d+ settings not expressed: .*loss\.clipAdaptation/)).toBeVisible(); // prettier-ignore
  expect(await seriousFindings(document.body)).toEqual([]);
});

test('the link on the clipboard opens what is on screen; what it cannot carry is said', async () => {
  const write = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
  const lab = await scriptedLab('#v1&view=tree&prompt=1');
  lab.transport.show(lab.run.copy()); // as a record of the shelf
  lab.selection.select({ prompt: 1 });
  const screen = await render(<App lab={lab} />);
  await screen.getByRole('button', { name: 'Copy link' }).click();
  await expect.element(screen.getByText('Link copied.')).toBeVisible();
  const { hash } = new URL(write.mock.calls[0][0]);
  expect(decodeSelection(hash)).toMatchObject({
    view: 'tree',
    prompt: 1,
    update: lab.run.getState().updates.length,
  });
  expect(document.querySelector('.copy-link')!.textContent).toContain('It does not carry');
  expect(await seriousFindings(document.body)).toEqual([]);
});

test('where the clipboard is refused the link can be copied by hand', async () => {
  vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new DOMException('no', 'NotAllowedError'));
  const lab = await scriptedLab('#v1&view=tree');
  const screen = await render(<App lab={lab} />);
  await screen.getByRole('button', { name: 'Copy link' }).click();
  await expect.element(screen.getByLabelText('Link', { exact: true })).toBeVisible();
  expect(document.querySelector<HTMLInputElement>('.copy-link input')!.value).toMatch(/#v1&.*view=tree/);
});

test('Cite has the link of the state and the paper', async () => {
  const { lab, screen } = await openMenu();
  lab.selection.select({ view: 'credit' });
  await screen.getByRole('button', { name: 'Cite' }).click();
  const text = document.querySelector<HTMLTextAreaElement>('.export-panel textarea')!.value;
  expect(text).toMatch(/url = \{http.*#v1.*view=credit/);
  expect(text).toContain('eprint = {2601.04767}');
});
