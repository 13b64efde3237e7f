/** What a link opens, read off the page: what the sender read, or in words why not. */
import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { isLogged, type RunCommand } from '../../src/protocol/protocol.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { encodeSelection, followAddress, mirrorSelection } from '../../src/store/place/address.ts';
import type { Selection } from '../../src/store/place/selection.ts';
import { runName, type RunName } from '../../src/store/record/run_name.ts';
import {
  algorithmCatalogue,
  environmentCatalogue,
  knobCatalogue,
  presetCatalogue,
} from '../../src/train/config/catalogue.ts';
import { presets } from '../../src/train/config/presets.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { nodeId, type RunConfig } from '../../src/units.ts';
import { seriousFindings } from '../support/axe.ts';
import { liveTree, scriptedLab, scriptedLog } from '../support/scripted_lab.ts';
import { SCRIPTED_ADAPTER } from '../support/scripted_run.ts';

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
  await new Promise((resolve) => setTimeout(resolve, 100)); // sizes are measured
  return onScreen();
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

test('a link to a run that this browser does not have says so, shows its place here, and can be let go', async () => {
  const lab = await scriptedLab(linkTo(OTHER));
  await shown(lab);
  const { seed } = lab.run.getState().header!.config!;
  expect(notice()).toContain('This address is of a run that this browser does not have.');
  expect(notice()).toContain('Wanted: GRPO, preset instant, seed 77.');
  expect(notice()).toContain(`, preset instant, seed ${seed}, computed by no GPU.`);
  expect(notice()).toContain('Ask for the saved run and open it under Compare');
  expect(button('Train it here')).toBe(undefined);
  expect(document.querySelectorAll('.tree-view [data-node]').length).toBeGreaterThan(1);
  expect(await seriousFindings(document.body)).toEqual([]);
  button('Stay with what is here')!.click();
  await expect.poll(notice).toBe('');
  expect(lab.selection.getState()).toMatchObject({ run: { seed }, view: 'tree', update: 1 });
});

test('a run of the same name from another adapter is not taken for the sender’s', async () => {
  const { header } = (await scriptedLab()).run.getState();
  await shown(await scriptedLab(linkTo({ ...runName(header!), adapter: '89abcdef' })));
  expect(notice()).toMatch(
    /Wanted: .*, computed by another graphics adapter\. Got: a run of that name, computed by no GPU/,
  );
});

test('a run whose settings are known here can be trained, and its place is kept', async () => {
  const config: RunConfig = { ...presets.get('instant')!.config, seed: 77 };
  const run = runName({ config, adapter: SCRIPTED_ADAPTER });
  const commands: RunCommand[] = [];
  const lab = createLab((command) => commands.push(command), `${linkTo(run)}&node=3&phase=4`);
  lab.run.apply(await scriptedLog());
  await render(<App lab={lab} />);
  const catalogues = {
    algorithms: algorithmCatalogue(),
    environments: environmentCatalogue(),
    presets: presetCatalogue(),
    knobs: knobCatalogue(),
  };
  lab.transport.receive([{ kind: 'ready', adapter: SCRIPTED_ADAPTER, ...catalogues }]);
  await expect.poll(() => button('Train it here')).toBeDefined();
  button('Train it here')!.click();
  expect(commands).toContainEqual({ kind: 'open', config });
  expect(lab.selection.getState()).toMatchObject({ update: 1, node: 3, creditFrame: 4 });
  const started = (await scriptedLog()).find((event) => event.kind === 'run-started')!;
  lab.transport.receive([{ ...started, config }]);
  expect(lab.selection.getState().run).toEqual(run);
  await expect.poll(notice).toBe('');
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
