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

beforeEach(async () => {
  sent = [];
  lab = createLab((command) => sent.push(command));
  await render(<App lab={lab} />);
  lab.transport.receive([READY]);
  if (!document.querySelector('.knobs')) await userEvent.keyboard('s');
  await pick(/^Algorithm/, 'arpo');
});
afterEach(() => cleanup());

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
