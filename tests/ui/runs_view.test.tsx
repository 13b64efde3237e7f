/** The runs that are kept, and what the page says of keeping: words and numbers are the entries' own. */
import { afterEach, expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { openBundle } from '../../src/files/bundle.ts';
import { readLogPart, readRecording, writeRecording, written } from '../../src/files/recording.ts';
import type { KeeperNews } from '../../src/keep/entry.ts';
import { startKeeper } from '../../src/keep/keeper_client.ts';
import { settledUpdates } from '../../src/keep/kept_log.ts';
import type { RunEvent, SettledUpdate } from '../../src/protocol/protocol.ts';
import { NO_TAB } from '../../src/store/lab/kept.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { configWords } from '../../src/store/record/run_difference.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { curvePath } from '../../src/ui/runs/Sparkline.tsx';
import { open, three, rows, savedFiles, titles } from '../support/kept_runs.tsx';
import { findings } from '../support/axe.ts';
import { smallTargets } from '../support/targets.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await cleanup();
  await page.viewport(1280, 800);
});

test('a row says what its entry holds, and what the run differs in where nobody named it', async () => {
  const { lab, screen } = await open({ entries: three });
  const { config } = lab.kept.getState().entries[1];
  const own = configWords(config!, lab.run.getState().ready);
  expect(own).toMatch(/ · seed 4$/);
  expect(rows().map((row) => row.toSpliced(4, 1))).toEqual([
    ['Beta', '', '–', '3 of 40', 'acme one', '2.34 MB', 'this browser'],
    [own, '', '90 %', '40 of 40', 'acme one', '510 B', 'this browser'],
    ['alpha', '', '42 %', '23 of 40', 'acme one', '2.34 MB', 'this browser'],
  ]);
  expect([...document.querySelectorAll('time')].map(({ dateTime }) => dateTime)).toEqual(
    lab.kept.getState().entries.map(({ changed }) => changed),
  );
  await expect
    .element(screen.getByRole('img', { name: /first 10 %, last 20 %, highest 30 %/ }).first())
    .toBeVisible();
  await expect.element(screen.getByText('12.0 MB of 3.20 GB; the browser may remove it')).toBeVisible();
  expect(await findings(screen.container)).toEqual([]);
  await page.viewport(390, 844);
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(390);
  expect(smallTargets(screen.container)).toEqual([]);
});

test('a name is made of the settings that differ from preset and method', async () => {
  const log = await scriptedLog();
  const ready = log.find((event) => event.kind === 'ready')!;
  const [{ name, config }] = ready.presets;
  const changed = { ...config, seed: 9, optimiser: { ...config.optimiser, learningRate: 0.25 } };
  expect(configWords({ ...config, seed: 9 }, ready)).toMatch(new RegExp(`^[^·]+ · ${name} · seed 9$`));
  expect(configWords(changed, ready)).toMatch(/ · learning rate 0\.25 · seed 9$/);
  expect(config.weights).not.toBe(null);
  expect(configWords({ ...config, weights: null }, ready)).toMatch(/ · no warm start · seed \d+$/);
});

test('a curve from 0 to 1 spans its height', () => {
  expect(curvePath([0, 1, 0.5])).toBe('M2.0 20.0L48.0 2.0L94.0 11.0');
  expect(curvePath([0.5])).toBe('M2.0 11.0h0.1');
});

test('a column sorts by its values, the other way at a second press, and says so', async () => {
  const { screen } = await open({ entries: three });
  expect([titles()[0], titles()[2]]).toEqual(['Beta', 'alpha']); // newest first
  const sort = (name: RegExp) => screen.getByRole('columnheader').getByRole('button', { name });
  await sort(/^run/).click();
  expect(titles().filter((title) => !/seed/.test(title))).toEqual(['alpha', 'Beta']);
  await sort(/^held-out/).click();
  expect(rows().map((row) => row[2])).toEqual(['90 %', '42 %', '–']);
  await sort(/^held-out/).click();
  expect(rows().map((row) => row[2])).toEqual(['–', '42 %', '90 %']);
  const head = screen.getByRole('columnheader', { name: /held-out/ });
  await expect.element(head).toHaveAttribute('aria-sort', 'ascending');
  await sort(/^updates/).click();
  expect(rows().map((row) => row[3])).toEqual(['40 of 40', '23 of 40', '3 of 40']);
});

test('what is deleted is gone from the table until it is taken back', async () => {
  const { lab, screen, calls } = await open({ entries: three });
  await screen.getByRole('button', { name: 'Delete: Beta' }).click();
  await expect.element(screen.getByText(/^Deleted Beta\./)).toBeVisible();
  expect(titles()).not.toContain('Beta');
  expect(lab.kept.getState().entries.find(({ id }) => id === 'a')!.removed).not.toBeNull();
  await screen.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(titles).toContain('Beta');
  await expect.element(screen.getByText(/^Deleted Beta\./)).not.toBeInTheDocument();
  expect(calls).toEqual(['change a removed', 'change a removed']);
});

test('a name, a note and a pin are given by keys alone; Escape leaves all as it was', async () => {
  const { screen, calls } = await open({ entries: three });
  (screen.getByRole('button', { name: 'Rename: Beta' }).element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  await userEvent.keyboard('Gamma{Enter}'); // the old name is selected
  await expect.poll(titles).toContain('Gamma');
  (screen.getByRole('button', { name: 'Note: Gamma' }).element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  await userEvent.keyboard('after 7 runs{Enter}'); // a digit is text here, not a view
  await expect.element(screen.getByText('after 7 runs')).toBeVisible();
  await screen.getByRole('button', { name: 'Rename: Gamma' }).click();
  await userEvent.keyboard('lost{Escape}');
  expect(titles()).toContain('Gamma');
  await screen.getByRole('button', { name: 'Pin: Gamma', exact: true }).click();
  await expect.element(screen.getByRole('button', { name: 'Unpin: Gamma' })).toBeVisible();
  expect(calls).toEqual(['change a name', 'change a note', 'change a pinned']);
});

test('Resume goes on from the checkpoint and says at which update; finished and live runs have none', async () => {
  const { lab, screen, calls, sent } = await open({ entries: three });
  await expect.element(screen.getByRole('button', { name: /Resume: .*seed 4/ })).toBeDisabled();
  await screen.getByRole('button', { name: 'Resume: alpha' }).click();
  await expect.element(screen.getByText('Resumed at update 1.')).toBeVisible();
  expect(calls).toEqual(['go on c', 'open c']);
  expect(sent.slice(-2)).toMatchObject([{ kind: 'resume', keep: 'c' }, { kind: 'play' }]);
  lab.selection.select({ view: 'runs' });
  await expect.element(screen.getByText('live', { exact: true })).toBeVisible();
  await expect.element(screen.getByRole('button', { name: 'Resume: alpha' })).toBeDisabled();
  await expect.element(screen.getByRole('button', { name: 'Delete: alpha' })).toBeDisabled();
  await screen.getByRole('button', { name: 'Dismiss' }).last().click();
  await expect.element(screen.getByText('Resumed at update 1.')).not.toBeInTheDocument();
});

test('Show puts the run as it was written on screen; Duplicate trains its configuration', async () => {
  const { lab, screen, sent, log } = await open({ entries: three });
  await screen.getByRole('button', { name: 'Show: Beta' }).click();
  await expect.poll(() => lab.transport.getState().source).toBe('file');
  const updates = log.filter(({ kind }) => kind === 'update-started').length;
  expect(lab.run.getState().updates).toHaveLength(updates);
  lab.selection.select({ view: 'runs' });
  await screen.getByRole('button', { name: /Duplicate: .*seed 4/ }).click();
  const { config } = lab.kept.getState().entries.find(({ id }) => id === 'b')!;
  await expect.poll(() => lab.transport.getState().asked).toEqual(config);
  expect(sent.slice(-2)).toEqual([{ kind: 'open', config }, { kind: 'play' }]);
});

test('where room is short the oldest runs without a pin are offered, and none is taken', async () => {
  const { lab, screen } = await open({ entries: three, usage: 2.9e9 });
  const offer = screen.getByRole('note', { name: 'Room is short' });
  await expect.element(offer).toBeVisible();
  const offered = [...offer.element().querySelectorAll('button')].map(({ textContent }) => textContent);
  expect(offered).toEqual([expect.stringMatching(/^Delete .*seed 4, 510 B$/), 'Delete Beta, 2.34 MB']);
  expect(lab.kept.getState().entries.every(({ removed }) => removed === null)).toBe(true);
  await screen.getByRole('button', { name: 'Keep it for good' }).click();
  await expect.element(screen.getByText('2.90 GB of 3.20 GB; the browser keeps it for good.')).toBeVisible();
});

test('the shipped recording and opened files stand in the table; two that are ticked say what differs, by keys alone', async () => {
  const { lab, screen, log } = await open({ entries: (config) => three(config).slice(0, 1) });
  const events = log.filter((event) => event.kind !== 'ready') as readonly RunEvent[];
  const started = events.find((event) => event.kind === 'run-started')!;
  const { config } = started;
  const other = { ...config!, seed: 4, optimiser: { ...config!.optimiser, learningRate: 0.25 } };
  const adapter = { ...started.adapter!, description: 'Acme Two' };
  const file = events.map((event) => (event === started ? { ...started, config: other, adapter } : event));
  lab.player.add(events);
  lab.player.finish();
  lab.player.seek(2);
  await lab.shelf.open(new File([await writeRecording(file)], 'other.ndjson.gz'));
  await expect.poll(() => rows().map((row) => row[7])).toEqual(expect.arrayContaining(['this browser', 'file', 'shipped'])); // prettier-ignore
  const ready = lab.run.getState().ready;
  expect(titles()).toContain(configWords(other, ready));
  await expect.element(screen.getByRole('button', { name: 'What differs?' })).toBeDisabled();
  for (const title of [configWords(config!, ready), configWords(other, ready)]) {
    (
      screen.getByRole('checkbox', { name: `Compare: ${title}`, exact: true }).element() as HTMLElement
    ).focus();
    await userEvent.keyboard(' ');
  }
  await expect.element(screen.getByText('2 runs ticked.')).toBeVisible();
  expect(await findings(screen.container)).toEqual([]);
  (screen.getByRole('button', { name: 'What differs?' }).element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  const cells = (): string[][] =>
    [...document.querySelectorAll('.what-changed tbody tr')].map((row) =>
      [...row.children].map(({ textContent }) => textContent),
    );
  const title = ready!.knobs.find(({ path }) => path === 'optimiser.learningRate')!.title;
  const own = ready!.presets[0].config.optimiser.learningRate;
  await expect.poll(cells).toEqual([
    ['Seed seed', String(config!.seed), '4', '–'],
    [`${title} optimiser.learningRate`, String(config!.optimiser.learningRate), '0.25', String(own)],
    ['Graphics adapter ', 'no GPU', 'Acme Two', '–'],
  ]);
  await expect
    .element(screen.getByText('Nothing came out differently in the 2 updates they share.'))
    .toBeVisible();
});

test('a run that another tab trains is followed, by two keepers over this browser’s own storage', async () => {
  const under = (await scriptedLog()).map((event) => event.kind === 'run-started' ? { ...event, config: { ...event.config!, updates: 40 } } : event); // prettier-ignore
  const log = new Blob([await writeRecording(under)]);
  const checkpoints = [1, 2].map((update) => ({ update, file: new Blob([new Uint8Array(100)]) }));
  const settled: SettledUpdate[] = [];
  for await (const each of settledUpdates({ log, checkpoints })) settled.push(each);
  const [start, first, second] = settled;
  const id = crypto.randomUUID();
  const told: KeeperNews[] = [];
  const writer = startKeeper((news) => told.push(news)); // of the tab that trains
  const engine = writer.join();
  const record = async (update: SettledUpdate): Promise<void> => {
    const before = told.length;
    engine.postMessage({ id, ...written(update) });
    await expect.poll(() => told.slice(before).map(({ kind }) => kind)).toEqual(['kept']);
  };
  await record(start);
  await record(first);
  const keeper = startKeeper(() => undefined); // of this one
  const codec = { write: writeRecording, read: readLogPart };
  const lab = createLab(() => undefined, '', (blob) => readRecording(blob), codec, {}, { keeper, tab: NO_TAB }); // prettier-ignore
  try {
    await render(<App lab={lab} />);
    await lab.kept.refresh();
    await lab.kept.show(id);
    expect(lab.run.getState().updates).toHaveLength(1);
    await record(second);
    await expect.poll(() => lab.run.getState().updates.length).toBe(2);
    await expect
      .element(
        page.getByText('This run is trained in another tab and followed here: update 2 is the newest.'),
      )
      .toBeVisible();
    expect(await lab.kept.goOn(id, true)).toBe(false); // one writer a run
    expect(lab.kept.getState().trouble?.what).toBe('This run is open in another tab');
    writer.close();
    await expect.poll(() => keeper.goOn(id).then((checkpoint) => checkpoint?.update, () => null)).toBe(2); // prettier-ignore
  } finally {
    await keeper.change(id, { removed: '2026-11-28' });
    writer.close();
    keeper.close();
  }
});

test('an empty shelf says where runs live and how to keep them', async () => {
  const { screen } = await open({});
  await expect.element(screen.getByText(/this browser’s storage.*save it to a file/)).toBeVisible();
  expect(await findings(screen.container)).toEqual([]);
});

const TROUBLE = { what: 'The storage is full', where: 'update 3', got: 'a', wanted: 'b', next: 'Save it.' };

test('what the page says when a run went on, and when it is no longer written down', async () => {
  const { lab, screen, log } = await open({});
  lab.kept.setState({ returned: { why: 'reload', update: 23, cause: null } });
  await expect.element(screen.getByText('Resumed at update 23: the page was loaded again.')).toBeVisible();
  lab.kept.setState({ returned: { why: 'device', update: 23, cause: 'Out of memory' } });
  const device = 'The graphics device was lost (Out of memory). The run went on from update 23.';
  await expect.element(screen.getByText(device)).toBeVisible();
  lab.kept.hear({ kind: 'trouble', id: 'a', report: TROUBLE });
  const returned = screen.getByRole('status').filter({ hasText: device });
  await returned.getByRole('button', { name: 'Dismiss' }).click();
  await expect.element(screen.getByText(device)).not.toBeInTheDocument();
  await expect.element(screen.getByRole('alert')).toHaveTextContent('The storage is full. Save it.');
  await expect.element(screen.getByRole('button', { name: 'Save now' })).not.toBeInTheDocument(); // no live run
  lab.transport.trainLive();
  const events = log.filter(({ kind }) => kind !== 'ready') as readonly RunEvent[];
  lab.run.apply(events); // the live record, which is on screen
  const saved = savedFiles();
  await screen.getByRole('button', { name: 'Save now' }).click();
  await expect.poll(() => saved.length).toBe(1);
  expect(saved[0].name).toMatch(/^[a-z0-9.-]+-seed-\d+\.turnwise$/);
  const kinds: string[] = [];
  for await (const { kind } of readRecording((await openBundle(saved[0].blob)).log)) kinds.push(kind);
  expect(kinds.filter((kind) => kind === 'metrics')).toHaveLength(
    events.filter(({ kind }) => kind === 'metrics').length,
  );
  await screen.getByRole('button', { name: 'Dismiss' }).last().click();
  await expect.element(screen.getByRole('alert')).not.toBeInTheDocument();
});
