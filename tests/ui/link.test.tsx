/** What a link opens, read off the page: what the sender read, or in words why not. */
import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { readLogPart, readRecording, writeRecording } from '../../src/files/recording.ts';
import { entryAfter } from '../../src/keep/entry.ts';
import { isLogged, type Ready, type RunCommand } from '../../src/protocol/protocol.ts';
import { NO_KEEPER, NO_TAB, type KeeperEnd } from '../../src/store/lab/kept.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import {
  decodeSelection,
  encodeSelection,
  followAddress,
  mirrorSelection,
} from '../../src/store/place/address.ts';
import { INITIAL_SELECTION, type Selection } from '../../src/store/place/selection.ts';
import type { ReadRecording } from '../../src/store/record/read_record.ts';
import { recipeChanges, runName, type RunName } from '../../src/store/record/run_name.ts';
import {
  algorithmCatalogue,
  environmentCatalogue,
  knobCatalogue,
  presetCatalogue,
} from '../../src/train/config/catalogue.ts';
import { presets, withAlgorithm } from '../../src/train/config/presets.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { nodeId, type RunConfig } from '../../src/units.ts';
import { seriousFindings } from '../support/axe.ts';
import { liveTree, scriptedLab, scriptedLog } from '../support/scripted_lab.ts';
import { SCRIPTED_ADAPTER } from '../support/scripted_run.ts';
import { still } from '../support/still.ts';

const { href } = location;
let ends: readonly (() => void)[] = [];

afterEach(() => {
  ends.forEach((end) => end());
  ends = [];
  history.replaceState(null, '', href);
  return cleanup();
});

/** Words, numbers and the state of every control in the view. */
function onScreen(): string {
  const view = document.querySelector('main')!;
  const controls = [...view.querySelectorAll<HTMLInputElement>('input, select')].map(
    ({ value, checked }) => `${value} ${checked}`,
  );
  const marked = [...view.querySelectorAll('[aria-pressed=true], [aria-selected=true], [aria-current]')].map(
    ({ textContent }) => textContent,
  );
  const rings = [...view.querySelectorAll('[data-node]')].map(
    ({ attributes }) =>
    [...attributes].filter(({ name }) => name.startsWith('data-')).map(({ name, value }) => `${name}=${value}`).join(), // prettier-ignore
  );
  return [view.textContent, ...controls, ...marked, ...rings].join('\n');
}

async function shown(lab: Lab): Promise<string> {
  await render(<App lab={lab} />);
  await expect.poll(() => document.querySelector('main')?.textContent?.length ?? 0).toBeGreaterThan(100);
  return still(onScreen);
}

const notice = (): string => document.querySelector('.notice')?.textContent ?? '';
const button = (name: string) =>
  [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name);

async function sentAndOpened(change: Partial<Selection>) {
  const sender = await scriptedLab();
  const { tree } = liveTree(sender);
  sender.selection.select({ update: 1, prompt: tree.prompt.index });
  sender.selection.select(change);
  const sent = await shown(sender);
  await cleanup();
  const link = encodeSelection(sender.selection.getState());
  const receiver = await scriptedLab(link);
  return { sent, link, receiver, opened: await shown(receiver) };
}

test.each<[string, Partial<Selection>]>([
  [
    'Tree: turn, second pin, colour, fold, search, path and question',
    {
      view: 'tree',
      node: nodeId(2),
      pinned: { update: 2, prompt: 1, node: nodeId(1) },
      colour: 'advantage',
      folds: { collapsed: [nodeId(1)], opened: [], unstacked: true },
      find: { text: '', tag: 'search', reward: '', low: null, high: null },
      onlyPath: true,
      wholePath: true,
      expansionRule: { siblingPenalty: 0.5, picks: 1, expansion: 'entropy' },
    },
  ],
  ['Tree: growth', { view: 'tree', growth: 4, shading: 'surprisal' }],
  ['Tree: the batch through a filter', { view: 'tree', batch: true, filter: { status: 'live', dataset: '', reward: '' } }], // prettier-ignore
  ['Credit: phase, rules and what-if', { view: 'credit', creditFrame: 9, valueRule: 'leaf_mean', advantageRule: 'diff_parent' }], // prettier-ignore
  ['Loss: leaf, token, colour and band', { view: 'loss', leaf: nodeId(3), token: 30, tokenColour: 'ratio', clip: { low: 0.002, high: 0.5 } }], // prettier-ignore
  ['Compare: two rules', { view: 'compare', againstValue: 'child_mean', againstAdvantage: 'rloo' }],
])('a link opens what the sender saw. %s', async (_, change) => {
  const { sent, link, receiver, opened } = await sentAndOpened(change);
  expect(opened).toBe(sent);
  expect(notice()).toBe('');
  expect(encodeSelection(receiver.selection.getState())).toBe(link);
  const { header } = receiver.run.getState();
  expect(receiver.selection.getState().run).toEqual(runName(header!));
});

test('the step of the credit stepper is in the address as its phase', async () => {
  const { link, receiver } = await sentAndOpened({ view: 'credit', creditFrame: 9 });
  expect(link).toContain('&phase=9');
  expect(document.querySelector('[aria-label="Credit steps"] output')?.textContent).toMatch(/^9\//);
  expect(document.querySelector('.phases [aria-current=step]')).not.toBe(null);
  expect(receiver.selection.getState().creditFrame).toBe(9);
});

test('a link made while the newest update was followed opens that update, and the page’s own history follows on', async () => {
  const log = await scriptedLog();
  const second = log.findIndex((event) => event.kind === 'update-started' && event.update === 2);
  const sender = createLab(() => undefined);
  sender.run.apply(log.slice(0, second));
  ends = [
    mirrorSelection(sender.selection, window, { run: sender.run, delayMs: 0 }),
    followAddress(sender.selection, window),
  ];
  const { tree } = liveTree(sender);
  sender.selection.select({ view: 'tree', prompt: tree.prompt.index });
  await expect.poll(() => location.hash).toContain('&newest=1');
  const link = location.hash;
  const sent = await shown(sender);
  sender.run.apply(log.slice(second));
  await expect.poll(() => location.hash).toContain('&newest=2');
  sender.selection.select({ view: 'credit' });
  await expect.poll(() => location.hash).toContain('view=credit');
  history.back();
  await expect.poll(() => sender.selection.getState().view).toBe('tree');
  expect(sender.selection.getState().update).toBe(null);
  await cleanup();
  expect(await shown(await scriptedLab(link))).toBe(sent);
});

const OTHER: RunName = {
  method: 'grpo',
  preset: 'instant',
  seed: 77,
  settings: '0123abcd',
  adapter: '89abcdef',
};

const linkTo = (run: RunName): string =>
  encodeSelection({ ...createLab(() => undefined).selection.getState(), run, view: 'tree', update: 1 });

const notices = (): readonly string[] =>
  [...document.querySelectorAll('.notice, .error-banner')].map(({ textContent }) => textContent);

test('a link to a run that this browser does not have is one sentence, and nothing of another run stands at its address', async () => {
  const lab = await scriptedLab(`${linkTo(OTHER)}&prompt=99&node=500`);
  ends = [mirrorSelection(lab.selection, window, { run: lab.run, delayMs: 0 })];
  await shown(lab);
  const { seed } = lab.run.getState().header!.config!;
  const entries = history.length;
  await expect.poll(notices).toHaveLength(1);
  expect(document.querySelector('.notice p')?.textContent).toBe(
    `This link asks for GRPO, preset instant, seed 77 at update 1 in Tree, which this browser does not have; AT²PO, preset instant, seed ${seed} is shown instead: ask who sent the link for the saved file and open that in Runs.`,
  );
  expect(button('Train this run here')).toBe(undefined);
  const own = runName(lab.run.getState().header!);
  await expect.poll(() => decodeSelection(location.hash).run).toEqual(own);
  expect(history.length).toBe(entries); // Back leads to where the person came from
  expect(lab.selection.getState()).toMatchObject({ run: { seed }, view: 'tree', prompt: 0, node: null });
  expect(document.querySelectorAll('.tree-view [data-node]').length).toBeGreaterThan(1);
  expect(await seriousFindings(document.body)).toEqual([]);
  button('Dismiss')!.click();
  await expect.poll(notices).toEqual([]);
});

test('a run of the same name from another adapter is not taken for the sender’s', async () => {
  const { header } = (await scriptedLab()).run.getState();
  await shown(await scriptedLab(linkTo({ ...runName(header!), adapter: '89abcdef' })));
  await expect
    .poll(notice)
    .toContain('computed by another graphics adapter at update 1 in Tree, which this browser does not have; the run of that name here is shown instead'); // prettier-ignore
});

const READY: Ready = {
  kind: 'ready',
  ...{ adapter: SCRIPTED_ADAPTER, algorithms: algorithmCatalogue() },
  ...{ environments: environmentCatalogue(), presets: presetCatalogue(), knobs: knobCatalogue() },
};

test('a link carries the recipe: a run with changed settings can be trained from it, and its place is kept', async () => {
  const own = presets.get('instant')!.config;
  const config: RunConfig = {
    ...withAlgorithm(own, algorithms.dapo.config),
    ...{ seed: 77, optimiser: { ...own.optimiser, learningRate: 0.0007 } },
  };
  const run = runName({ config, adapter: SCRIPTED_ADAPTER });
  const recipe = recipeChanges(config, READY);
  expect(recipe).toEqual([{ path: 'optimiser.learningRate', value: 0.0007 }]);
  const link = encodeSelection({
    ...INITIAL_SELECTION,
    run,
    recipe,
    view: 'tree',
    update: 1,
    node: nodeId(3),
  });
  expect(link.length).toBeLessThan(200);
  const commands: RunCommand[] = [];
  const lab = createLab((command) => commands.push(command), `${link}&phase=4`);
  lab.run.apply(await scriptedLog());
  await render(<App lab={lab} />);
  lab.transport.receive([READY]);
  await expect.poll(() => button('Train this run here')).toBeDefined();
  expect(notice()).toContain('This link asks for DAPO, preset instant, seed 77 at update 1 in Tree');
  button('Train this run here')!.click();
  expect(commands).toContainEqual({ kind: 'open', config });
  expect(lab.selection.getState()).toMatchObject({ update: 1, node: 3, creditFrame: 4 });
  const started = (await scriptedLog()).find((event) => event.kind === 'run-started')!;
  lab.transport.receive([{ ...started, config }]);
  expect(lab.selection.getState().run).toEqual(run);
  await expect.poll(notices).toEqual([]);
});

test('after a restart, Back shows the old run at its address: it is kept in this browser', async () => {
  const log = await scriptedLog();
  const bytes = await writeRecording(log);
  const started = log.find((event) => event.kind === 'run-started')!;
  const config = started.config!;
  const codec = { write: writeRecording, read: readLogPart };
  const entry = entryAfter(null, 'a', { update: 2, headlines: log.filter(isLogged) }, 1, started.date)!;
  let isKept = true;
  const keeper: KeeperEnd = {
    ...NO_KEEPER,
    list: () => Promise.resolve(isKept ? [entry] : []),
    open: () => Promise.resolve(new Blob([bytes])),
  };
  const read: ReadRecording = (file) => readRecording(file);
  const lab = createLab(() => undefined, '', read, codec, {}, { keeper, tab: NO_TAB });
  ends = [
    mirrorSelection(lab.selection, window, { run: lab.run, delayMs: 0 }),
    followAddress(lab.selection, window),
  ];
  lab.transport.receive([{ ...READY, presets: [{ ...READY.presets[0], config }] }]);
  lab.transport.trainLive();
  lab.transport.receive(log.filter(isLogged));
  lab.selection.select({ view: 'tree', update: 2 });
  await expect.poll(() => location.hash).toContain('update=2');
  const old = location.hash;
  await render(<App lab={lab} />);
  lab.transport.setDraft({ ...config, seed: 9 });
  lab.transport.restart();
  lab.transport.receive([{ ...started, config: { ...config, seed: 9 } }]);
  await expect.poll(() => location.hash).toContain('instant,9,');
  const next = location.hash;
  history.back();
  await expect.poll(() => location.hash).toBe(old);
  await expect.poll(() => lab.run.getState().header?.config?.seed).toBe(config.seed);
  await expect.poll(() => document.querySelectorAll('.tree-view [data-node]').length).toBeGreaterThan(1);
  expect(lab.selection.getState()).toMatchObject({ view: 'tree', update: 2 });
  expect(location.hash).toBe(old);
  expect(notices()).toEqual([]);
  isKept = false;
  history.forward();
  await expect.poll(() => location.hash).toBe(next);
  await expect.poll(() => lab.run.getState().header?.config?.seed).toBe(9);
  history.back(); // nobody has it any more
  await expect
    .poll(notice)
    .toContain(`seed ${config.seed} at update 2 in Tree, which this browser does not have; `);
  expect(lab.run.getState().header?.config?.seed).toBe(9);
  await expect.poll(() => decodeSelection(location.hash).run?.seed).toBe(9);
});

test('an update, a prompt or a turn that is not there is named', async () => {
  const lab = await scriptedLab('#v1&view=tree&update=40');
  lab.player.finish();
  await shown(lab);
  expect(notice()).toContain('Update 40 is not there. Wanted: update 40. Got: a run of 2 updates.');
  lab.selection.select({ update: 1, prompt: 99 });
  await expect
    .poll(notice)
    .toContain('Prompt 100 is not there. Wanted: prompt 100. Got: update 1 with 8 prompts.');
  const { tree } = liveTree(lab);
  lab.selection.select({ prompt: tree.prompt.index, node: nodeId(500) });
  await expect
    .poll(notice)
    .toContain(`Turn n500 is not there. Wanted: turn n500. Got: a tree of ${tree.nodes.length} nodes`);
  button('Stay with what is here')!.click();
  await expect.poll(notice).toBe('');
});

test('a link to an update that the recording does not have opens its end, and says so', async () => {
  const lab = createLab(() => undefined, '#v1&view=tree&update=300');
  lab.player.add((await scriptedLog()).filter(isLogged));
  lab.player.finish();
  lab.player.seek(300); // as the page does once the recording is read
  await shown(lab);
  expect(notice()).toContain('Update 300 is not there. Wanted: update 300. Got: a run of 2 updates.');
  expect(document.querySelectorAll('.tree-view [data-node]').length).toBeGreaterThan(1);
});

test('a link pasted into the open page leads to what the recording has not come to yet', async () => {
  const lab = createLab(() => undefined);
  lab.player.add((await scriptedLog()).filter(isLogged));
  lab.player.finish();
  lab.player.seek(1);
  ends = [followAddress(lab.selection, window)];
  await shown(lab);
  expect(lab.run.getState().updates).toHaveLength(1);
  location.hash = '#v1&view=tree&update=2&prompt=1'; // no entry of the page's own
  await expect.poll(() => document.querySelector('main')?.textContent).toContain('update 2');
  expect(lab.run.getState().updates).toHaveLength(2);
  expect(notice()).toBe('');
});
