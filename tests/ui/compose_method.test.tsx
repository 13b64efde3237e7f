import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import {
  algorithmCatalogue,
  environmentCatalogue,
  knobCatalogue,
  presetCatalogue,
} from '../../src/train/config/catalogue.ts';
import { presets, withAlgorithm } from '../../src/train/config/presets.ts';
import type { RunCommand, EngineEvent } from '../../src/protocol/protocol.ts';
import type { RunConfig } from '../../src/units.ts';
import { parseRunConfig } from '../../src/train/config/config.ts';
import { listen, refusalOf, type Listener } from '../support/questions.ts';
import { App } from '../../src/ui/shell/App.tsx';

/** What the engine says of itself: its real catalogues. */
const READY: EngineEvent = {
  kind: 'ready',
  adapter: { vendor: 'acme', architecture: 'x1', description: 'Acme X1', software: false },
  algorithms: algorithmCatalogue(),
  environments: environmentCatalogue(),
  presets: presetCatalogue(),
  knobs: knobCatalogue(),
};

const arpo = withAlgorithm(presets.get('instant')?.config as RunConfig, algorithms.arpo.config);
const pick = (name: RegExp, option: string) => page.getByRole('combobox', { name }).selectOptions(option);
const composed = () => document.querySelector('.knobs .method-changes')?.textContent;

let lab: Lab;
let sent: RunCommand[];
let listener: Listener;

beforeEach(async () => {
  sent = [];
  listener = listen();
  lab = createLab((command) => sent.push(command), '', undefined, null, listener);
  await render(<App lab={lab} />);
  lab.transport.receive([READY]);
  if (!document.querySelector('.knobs')) await userEvent.keyboard('s');
  await page.getByRole('button', { name: /^All \d+/ }).click();
  await pick(/^Algorithm/, 'arpo');
});
afterEach(async () => {
  await cleanup();
  localStorage.removeItem('turnwise-all-settings');
});

describe('a method composed in Settings', () => {
  test('says what its settings keep it from doing', async () => {
    await pick(/^Algorithm/, 'bapo');
    const caution = () => document.querySelector('.knobs p.small.caution');
    await expect.poll(() => caution()?.textContent).toContain('BAPO only explores in this run');
    expect(caution()?.textContent).toContain('Set evaluation.every to 6 or less');
    await pick(/^Algorithm/, 'grpo');
    await expect.poll(caution).toBeNull();
  });

  test('offers the factor of a bound where the bound is soft', async () => {
    const factor = page.getByLabelText(/Upper bound keeps/);
    expect(factor.elements()).toHaveLength(0);
    await pick(/^Upper bound/, 'soft');
    await expect.poll(() => factor.elements().length).toBeGreaterThan(0);
  });

  test('is named by exactly the settings that are not the method’s own, and is what Restart opens', async () => {
    await expect.element(page.getByRole('group', { name: 'About ARPO (soft)' })).toBeVisible();
    expect(composed()).toBeUndefined();
    await pick(/^Ratio level/, 'turn');
    await pick(/^Advantage rule/, 'diff_parent');
    await expect
      .poll(composed)
      .toBe('Composed: credit.advantageRule diff_parent (vanilla), loss.ratioLevel turn (token)');
    await page.getByRole('button', { name: 'Restart with this' }).click();
    const opened = sent.filter((command) => command.kind === 'open').at(-1);
    const { rollout, reward, filter, credit, loss } = arpo.algorithm;
    expect(opened?.config).toEqual({
      ...arpo,
      algorithm: {
        name: 'arpo',
        rollout,
        reward,
        filter,
        credit: { ...credit, advantageRule: 'diff_parent' },
        loss: { ...loss, ratioLevel: 'turn' },
      },
    });
    expect(sent.at(-1)?.kind).toBe('play');
  });

  test('offers no setting that its parts do not read', async () => {
    await expect.element(page.getByRole('spinbutton', { name: /^Beam/ })).toBeInTheDocument();
    for (const unread of [/^Rounds/, /^Picks per round/, /^Sibling penalty/, /^Retrieval$/, /^Gate, A > 0/])
      expect(page.getByRole('spinbutton', { name: unread }).elements(), String(unread)).toEqual([]);
    expect(page.getByRole('combobox', { name: /^Value rule/ }).elements()).toEqual([]);
    await pick(/^Advantage rule/, 'diff_parent');
    await expect.element(page.getByRole('combobox', { name: /^Value rule/ })).toBeInTheDocument();
    await pick(/^Shape/, 'turn_tree');
    await expect.element(page.getByRole('spinbutton', { name: /^Sibling penalty/ })).toBeInTheDocument();
    expect(page.getByRole('spinbutton', { name: /^Beam/ }).elements()).toEqual([]);
  });
});

describe('rows of Settings', () => {
  const rows = () => [...document.querySelectorAll('.knobs .knob label[id]')].map((row) => row.textContent);
  const changed = () => [...document.querySelectorAll('.changed-settings li')].map((row) => row.textContent);
  const search = page.getByRole('searchbox', { name: 'Search the settings' });
  const status = () => document.querySelector('.settings-search [role=status]')?.textContent;

  beforeEach(() => pick(/^Algorithm/, 'at2po'));

  test('are few at first, or all, and the browser remembers which', async () => {
    const all = rows().length;
    expect(document.querySelector('.settings-tools')?.textContent).toContain(`All ${all}`);
    await page.getByRole('button', { name: 'Basic' }).click();
    await expect.poll(() => rows().length).toBeLessThan(all / 2);
    expect(rows()).toContain('Learning rate lr');
    expect(rows()).not.toContain('Discount γ');
    expect(localStorage.getItem('turnwise-all-settings')).toBe('no');
  });

  test('are found by title, term, path and description, and reached by arrow keys', async () => {
    await page.getByRole('button', { name: 'Basic' }).click();
    for (const [text, row] of [
      ['feed-forward', 'Feed-forward width d_ff'],
      ['d_ff', 'Feed-forward width d_ff'],
      ['loss.dualclip', 'Dual clip c'],
      ['softmax nothing', undefined],
      ['AdamW’s step', 'Learning rate lr'],
    ] as const) {
      await search.fill(text);
      await expect.poll(() => rows()[0]).toBe(row);
    }
    await search.fill('optimiser decay');
    await expect.poll(rows).toEqual(['First moment decay β₁', 'Second moment decay β₂', 'Weight decay λ']);
    expect(status()).toBe('3 settings found');
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowUp}{ArrowUp}');
    await expect.poll(status).toBe('Weight decay, 3 of 3; Enter goes there');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('spinbutton', { name: /^Weight decay/ })).toHaveFocus();
    await search.fill('x');
    await userEvent.keyboard('{Escape}');
    await expect.element(search).toHaveValue('');
  });

  test('that are not the preset’s stand on top, lead to their row and are reset one by one', async () => {
    expect(changed()).toEqual([]);
    await page.getByRole('spinbutton', { name: /^Discount|^Dual clip/ }).fill('7');
    await userEvent.keyboard('{Enter}');
    await pick(/^Algorithm/, 'grpo');
    await page.getByRole('spinbutton', { name: /^Learning rate/ }).fill('0.002');
    await userEvent.keyboard('{Enter}');
    await expect
      .poll(changed)
      .toEqual(['Method GRPO preset AT²POReset', 'Learning rate 0.002 preset 5e−4Reset']);
    await page.getByRole('button', { name: 'Basic' }).click();
    await page.getByRole('spinbutton', { name: /^Temperature/ }).fill('0.5');
    await userEvent.keyboard('{Enter}');
    await page.getByRole('button', { name: 'Learning rate', exact: true }).click();
    await expect.element(page.getByRole('spinbutton', { name: /^Learning rate/ })).toHaveFocus();
    await page.getByRole('button', { name: 'Reset Learning rate' }).click();
    await page.getByRole('button', { name: 'Reset Method' }).click();
    await expect.poll(changed).toEqual(['Temperature 0.5 preset 1Reset']);
    const { config } = presets.get('instant')!;
    expect(lab.transport.getState().draft).toEqual({ ...config, temperature: 0.5 });
  });

  test('say of a size that the warm start has not what fits, and only a choice starts from random parameters', async () => {
    const layers = page.getByRole('spinbutton', { name: /^Layers/ });
    await layers.fill('3');
    await userEvent.keyboard('{Enter}');
    const draft = () => lab.transport.getState().draft!;
    await expect
      .poll(() => (listener.of('estimate').at(-1)?.config as RunConfig | undefined)?.model.layers)
      .toBe(3);
    expect(draft().weights).toBe('warmstart-search-d64L2.safetensors');
    const problem = await refusalOf(Promise.resolve().then(() => parseRunConfig(draft())));
    await listener.answer('estimate', { bytes: null, problem });
    const row = () => document.querySelector('.knob[data-bad=true]')?.textContent;
    await expect.poll(row).toContain('Layers');
    expect(row()).toContain('wanted 2: warmstart-search-d64L2.safetensors has channels 64, layers 2');
    expect(row()).toContain('Choose warm start none');
    await pick(/^Warm start/, 'none: random parameters');
    await expect.poll(row).toBeUndefined();
    expect(parseRunConfig(draft())).toMatchObject({ weights: null, model: { layers: 3 } });
    await page.getByRole('spinbutton', { name: /^Feed-forward/ }).fill('50');
    await page.getByRole('spinbutton', { name: /^Query heads/ }).fill('6');
    await userEvent.keyboard('{Enter}');
    expect(draft().model).toMatchObject({ hidden: 52, heads: 6, kvHeads: 6 });
  });
});
