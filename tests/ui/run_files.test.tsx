/** Runs as files: saved, dropped, opened, damaged. Words and numbers are the files' own. */
import { afterEach, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup } from 'vitest-browser-react';
import { openBundle, writeBundle } from '../../src/files/bundle.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { configOf, entryOf, open, savedFiles } from '../support/kept_runs.tsx';
import { linkNow } from '../../src/store/export/link.ts';
import { findings } from '../support/axe.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await cleanup();
  await page.viewport(1280, 800);
});

test('a run is saved with the checkpoints of a person’s choice', async () => {
  const { screen, calls } = await open({ entries: (config) => [entryOf(config, 'a', { name: 'First' })] });
  const saved = savedFiles();
  await screen.getByRole('button', { name: 'Save: First' }).click();
  const choice = screen.getByLabelText('Recipe and log, with');
  await expect.element(choice).toHaveDisplayValue('the newest checkpoint: it can be resumed');
  await choice.selectOptions('all checkpoints: it can be resumed from each');
  await screen.getByRole('button', { name: 'Save', exact: true }).last().click();
  await expect.poll(() => saved.map(({ name }) => name)).toEqual(['first.turnwise']);
  expect(calls).toContain('bundle a all');
});

const drop = (file: File): void => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(file);
  window.dispatchEvent(new DragEvent('dragover', { dataTransfer, cancelable: true }));
  window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
};

async function runFile(damage: (bytes: Uint8Array<ArrayBuffer>) => void = () => undefined): Promise<File> {
  const log = await scriptedLog();
  const file = await writeBundle({
    ...{ name: 'Saved one', note: 'with a note', adapter: null, recipe: configOf(log) },
    log: new Blob([await writeRecording(log)]),
    checkpoints: [{ update: 2, file: new Blob([new Uint8Array(500)]) }],
  });
  const bytes = new Uint8Array(await file.arrayBuffer());
  damage(bytes);
  return new File([bytes], 'one.turnwise');
}

test('a run dropped on the page is open, says what it holds, is kept and resumed', async () => {
  const { lab, screen, calls } = await open({ entries: (config) => [entryOf(config, 'taken')] });
  lab.selection.select({ view: 'train' });
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(await runFile());
  window.dispatchEvent(new DragEvent('dragover', { dataTransfer, cancelable: true }));
  await expect.element(screen.getByText('Drop files or a folder to open them')).toBeVisible();
  window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
  const notice = screen.getByRole('status').filter({ hasText: 'is open' });
  await expect
    .element(notice)
    .toHaveTextContent('Saved one is open. It holds a checkpoint after update 2. Note: with a note');
  await expect.element(screen.getByText('Drop files or a folder to open them')).not.toBeInTheDocument();
  expect(lab.transport.getState().source).toBe('file');
  expect(await findings(screen.container)).toEqual([]);
  await screen.getByRole('button', { name: 'Keep it in this browser' }).click();
  await expect.element(notice).toHaveTextContent('It is kept in this browser, under Runs.');
  await screen.getByRole('button', { name: 'Resume it' }).click();
  await expect.poll(() => calls).toContain('go on taken');
});

test('what is damaged in a run file is said, and the rest is open; what is no file of the lab is refused', async () => {
  const { lab, screen } = await open({});
  drop(await runFile((bytes) => (bytes[bytes.length - 700] ^= 1)));
  await expect
    .element(screen.getByRole('status').filter({ hasText: 'is open' }))
    .toHaveTextContent(/A part of the file is damaged: checkpoints\/000002.safetensors .*The rest is open\./);
  expect(lab.run.getState().updates.length).toBeGreaterThan(0);
  await screen.getByRole('button', { name: 'Dismiss' }).click();
  drop(new File(['hello'], 'notes.txt'));
  await expect
    .element(screen.getByRole('alert'))
    .toHaveTextContent(
      /A row is no JSON \(notes\.txt, line 1\): got .*, wanted one JSON value a line, or a JSON document/,
    );
  await screen.getByRole('button', { name: 'Dismiss' }).click();
  await expect.element(screen.getByRole('alert')).not.toBeInTheDocument();
});

test('the run on screen is saved from the badge in the header, and a file is opened by a button', async () => {
  const { lab, screen, log } = await open({});
  lab.run.apply(log.filter(({ kind }) => kind !== 'ready'));
  const saved = savedFiles();
  lab.selection.select({ view: 'tree' });
  await screen.getByText(/^Recorded run/).click();
  await screen.getByRole('button', { name: 'Save', exact: true }).click();
  await expect.poll(() => saved.length).toBe(1);
  const { log: file, damaged, checkpoints } = await openBundle(saved[0].blob);
  expect([damaged, checkpoints]).toEqual([[], []]);
  let updates = 0;
  for await (const { kind } of readRecording(file)) if (kind === 'metrics') updates += 1;
  expect(updates).toBe(lab.run.getState().updates.length);
  await screen.getByLabelText('Open', { exact: true }).upload(await runFile());
  await expect.element(screen.getByText('Saved one is open.')).toBeVisible();
});

test('the run file of the page’s address is on screen at the place of the hash, and the link keeps it', async () => {
  const { lab, screen } = await open({});
  const file = await runFile();
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(file));
  lab.selection.select({ view: 'tree', update: 2, prompt: 1 });
  const page = { origin: location.origin, pathname: '/lab/', search: '?run=runs/one.turnwise' };
  expect(await lab.files.openLinked(`${page.origin}${page.pathname}${page.search}#v1`)).toBe(true);
  expect(lab.selection.getState()).toMatchObject({ view: 'tree', update: 2, prompt: 1 });
  await expect.element(screen.getByText('Saved one is open.')).toBeVisible();
  const link = linkNow(lab, page);
  expect(link.href).toContain('/lab/?run=runs/one.turnwise#v1&run=');
  expect(link.limits).toEqual([]);
  const other = lab.run.contents();
  lab.run.become({ ...other, state: { ...other.state, header: { ...other.state.header!, date: '2026' } } });
  expect(linkNow(lab, page).href).not.toContain('?run='); // another run is on screen
});

test.for([
  ['runs/one.turnwise', () => new Response('', { status: 404 }), /got status 404, wanted a run/],
  ['runs/one', () => new Response('<p>', { headers: { 'content-type': 'text/html' } }), /got a web page/],
  ['runs/one', () => new Response('<!doctype html>'), /got bytes that begin with "<!do"/],
  ['https://other.example/one', () => Response.error(), /got https:\/\/other\.example, wanted an address on/],
] as const)('%s is refused in five parts, and the page stays as it is', async ([name, answer, words]) => {
  const { lab, screen, log } = await open({});
  lab.run.apply(log.filter(({ kind }) => kind !== 'ready'));
  const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(() => Promise.resolve(answer()));
  expect(await lab.files.openLinked(`${location.origin}/?run=${encodeURIComponent(name)}`)).toBe(false);
  await expect.element(screen.getByRole('alert')).toHaveTextContent(words);
  expect(fetched).toHaveBeenCalledTimes(name.startsWith('https') ? 0 : 1); // a stranger is not even asked
  expect(lab.run.getState().updates.length).toBeGreaterThan(0);
});
