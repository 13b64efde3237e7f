import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import type { RunCommand, EngineEvent } from '../../src/protocol/protocol.ts';
import { VIEWS } from '../../src/store/place/selection.ts';
import { LOADED_BY_HAND } from '../../src/units.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { applyTheme } from '../../src/ui/shell/theme.ts';
import { colourFindings, seriousFindings } from '../support/axe.ts';
import { savedFiles } from '../support/kept_runs.tsx';
import { askingLab, scriptedLog } from '../support/scripted_lab.ts';
import { CONFIG, ENVIRONMENT, SAMPLE_LOG } from '../support/sample_log.ts';

const READY: EngineEvent = {
  kind: 'ready',
  adapter: { vendor: 'acme', architecture: 'x1', description: 'Acme X1', software: false },
  algorithms: [
    {
      name: 'at2po',
      title: 'AT²PO',
      description: 'The paper.',
      family: 'The paper’s comparison',
      paper: { title: 'Turn-based Policy Optimization', arxiv: '2601.04767' },
      evidence: 'equals the numbers of the published code',
      verified: true,
      caution: null,
      config: CONFIG.algorithm,
      sources: [{ path: 'loss.clipLow', source: 'paper, App. B.4' }],
      differences: [{ topic: 'cap', paper: 'none', code: '10', here: 'code' }],
    },
  ],
  environments: [ENVIRONMENT],
  presets: [
    {
      name: 'instant',
      title: 'Instant',
      description: 'Two hops.',
      config: CONFIG,
      scale: { rows: 0.2, turnBand: [0.02, 0.03] },
    },
  ],
  knobs: [
    {
      path: 'optimiser.learningRate',
      title: 'Learning rate',
      term: 'lr',
      unit: '',
      description: 'AdamW’s step.',
      paperDefault: 1e-6,
      source: 'Table 4',
      range: { kind: 'number', min: 1e-6, max: 1e-2, scale: 'log' },
      basic: true,
      when: [],
    },
    {
      path: 'algorithm.credit.valueRule',
      title: 'Value rule',
      term: 'V(n)',
      unit: '',
      description: 'How values are backed up.',
      paperDefault: 'child_softmax',
      source: 'code',
      range: { kind: 'choice', options: ['child_softmax', 'child_mean'], titles: ['softmax of H', 'mean'] },
      basic: true,
      when: [],
    },
  ],
};

let lab: Lab;
let sent: RunCommand[];

beforeEach(async () => {
  sent = [];
  lab = createLab((command) => sent.push(command));
  lab.player.add(SAMPLE_LOG);
  lab.player.finish();
  lab.run.apply(SAMPLE_LOG);
  await render(<App lab={lab} />);
});
afterEach(() => cleanup());

describe('the Train view', () => {
  test('shows the numbers of the newest update', async () => {
    await expect.element(page.getByText('rollouts 75 %')).toBeVisible();
    await expect.element(page.getByText('held out 62 %')).toBeVisible();
    await expect.element(page.getByText('tokens 0.31')).toBeVisible();
    await expect.element(page.getByText('clipped 2 %')).toBeVisible();
    await expect.element(page.getByText('ppo_kl 0.0021')).toBeVisible();
    await expect.element(page.getByText('Update 2 of 40')).toBeVisible();
    await expect.element(page.getByText('730 ms · 60 tokens sampled')).toBeVisible();
  });

  test('sums each curve up in a sentence', async () => {
    const chart = page.getByRole('img', { name: /^Exact match/ });
    await expect
      .element(chart)
      .toHaveAccessibleName(
        'Exact match: rollouts 50 % at update 1, 75 % at update 2; held out 33 % at update 0, 62 % at update 2.',
      );
  });

  test('values are of the update on screen, though a later one is asked for and still to come', async () => {
    lab.selection.select({ update: 8 });
    await expect.element(page.getByRole('heading', { name: 'values at update 2' })).toBeVisible();
    await expect.element(page.getByText('tokens 0.31')).toBeVisible();
    await expect.element(page.getByText('Update 2 of 40')).toBeVisible();
    await expect.element(page.getByText('a run of 2 updates')).toBeVisible();
    await userEvent.keyboard('[[');
    expect(lab.selection.getState().update).toBe(1);
    await expect.element(page.getByRole('heading', { name: 'values at update 1' })).toBeVisible();
    await expect.element(page.getByText('held out 33 % at update 0')).toBeVisible();
  });

  test('gives the curves as a table', async () => {
    await page.getByRole('button', { name: 'As a table' }).click();
    const row = page.getByRole('row', { name: /^1 / });
    await expect.element(row).toHaveTextContent('150 %–0.370.418 %0.002150 %');
  });

  test('marks the best path, the dead tree and the leaves in words', async () => {
    await expect
      .element(page.getByRole('button', { name: /^Prompt 1/ }))
      .toHaveAccessibleName(
        'Prompt 1 1 of 3 Yara mother? 3 leaves: 1 correct, 1 wrong, 1 malformed. Open its tree.',
      );
    await expect
      .element(page.getByRole('button', { name: /^Prompt 2/ }))
      .toHaveAccessibleName(/^Prompt 2 dead Yara mother\? 3 leaves: 3 wrong/);
    await expect.element(page.getByText('dead', { exact: true }).last()).toBeVisible();
    await expect.element(page.getByText('Best path: correct, reward +1')).toBeVisible();
    const transcript = document.querySelector('.transcript');
    const tokens = [...(transcript?.querySelectorAll('.token') ?? [])].map(({ textContent }) => textContent);
    expect(tokens.join(' ')).toBe(
      'think ‹ plan › search ‹ Yara mother › result ‹ Yara Pia › think ‹ Yara Pia › answer ‹ Pia ›',
    );
    expect(transcript?.querySelectorAll('[data-source="environment"]')).toHaveLength(4);
  });

  test('scrubs to an earlier update and follows again', async () => {
    await userEvent.keyboard('[[');
    await expect.element(page.getByText('Update 1 of 40')).toBeVisible();
    await expect.element(page.getByText('rollouts 50 %')).toBeVisible();
    expect(lab.selection.getState().update).toBe(1);
    await page.getByRole('button', { name: 'Newest' }).click();
    await expect.element(page.getByText('rollouts 75 %')).toBeVisible();
    expect(lab.selection.getState().update).toBeNull();
  });

  test('opens the tree of a prompt', async () => {
    await page.getByRole('button', { name: /^Prompt 2/ }).click();
    expect(lab.selection.getState()).toMatchObject({ view: 'tree', prompt: 1 });
  });
});

describe('the keyboard', () => {
  test('moves between views with 1 to 4 and between prompts with arrows', async () => {
    await userEvent.keyboard('{ArrowRight}');
    expect(lab.selection.getState().prompt).toBe(1);
    await expect.element(page.getByText('Prompt 2 · hotpot')).toBeVisible();
    await userEvent.keyboard('2');
    expect(lab.selection.getState().view).toBe('tree');
    await expect.element(page.getByRole('button', { name: 'Tree' })).toHaveAttribute('aria-current', 'page');
    await userEvent.keyboard('1');
    expect(lab.selection.getState().view).toBe('train');
  });

  test('lists its keys at ?', async () => {
    await userEvent.keyboard('?');
    const dialog = page.getByRole('dialog', { name: 'Keyboard' });
    await expect.element(dialog).toBeVisible();
    await expect.element(dialog).toHaveTextContent(/Space\s*play or pause/);
    await expect.element(dialog).toHaveTextContent(/\.\s*one phase/);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await expect.element(dialog).not.toBeInTheDocument();
  });

  test('plays and pauses with Space, and leaves Space to a focused button', async () => {
    lab.transport.receive([READY]);
    await userEvent.keyboard(' ');
    expect(lab.player.getState().playing).toBe(true);
    await userEvent.keyboard('k'); // the same, in every view
    expect(lab.player.getState().playing).toBe(false);
    expect(sent.map(({ kind }) => kind)).toEqual(['open']);
    await page.getByRole('button', { name: 'Train live' }).click();
    expect(sent.map(({ kind }) => kind)).toEqual(['open', 'play']);
    lab.transport.receive([{ kind: 'status', status: 'running', update: 1, phase: 'rollout' }]);
    await expect.element(page.getByRole('button', { name: 'Pause' })).toBeVisible();
    page.getByRole('button', { name: 'One update' }).element().focus();
    await userEvent.keyboard(' ');
    expect(sent.map(({ kind }) => kind)).toEqual(['open', 'play', 'step-update']);
  });
});

describe('settings', () => {
  test('are drawn from the engine’s description and offer a restart', async () => {
    lab.transport.receive([READY]);
    if (!document.querySelector('.knobs')) await userEvent.keyboard('s');
    const rate = page.getByRole('spinbutton', { name: /Learning rate/ });
    await expect.element(rate).toHaveValue(0.0005);
    await expect.element(rate).toHaveAccessibleDescription('AdamW’s step. Preset 5e−4, paper 1e−6.');
    await rate.fill('0.5');
    await userEvent.keyboard('{Enter}');
    await expect.element(rate).toHaveValue(0.01); // the nearest in range
    await page.getByRole('combobox', { name: /Value rule/ }).selectOptions('softmax of H');
    await page.getByRole('button', { name: 'Restart with this' }).click();
    const opened = sent.filter((command) => command.kind === 'open').at(-1);
    expect(opened?.config.optimiser.learningRate).toBe(0.01);
    expect(opened?.config.algorithm.credit.valueRule).toBe('child_softmax');
    expect(sent.at(-1)?.kind).toBe('play');
  });
});

describe('trouble', () => {
  const report = { what: 'The device was lost', where: 'update 2, loss', got: 'lost', wanted: 'a device', next: 'Press Reset.' }; // prettier-ignore

  test('is said in five parts, can be dismissed and loses nothing', async () => {
    lab.run.apply([{ kind: 'failed', update: 2, report }]);
    const alert = page.getByRole('alert');
    await expect.element(alert).toHaveTextContent(/The device was lost\. Press Reset\.\s*Where\s*update 2, loss\s*Got\s*lost\s*Wanted\s*a device/); // prettier-ignore
    await expect.element(page.getByText('rollouts 75 %')).toBeVisible();
    await alert.getByRole('button', { name: 'Dismiss' }).click();
    await expect.element(alert).not.toBeInTheDocument();
    expect(lab.run.getState().updates).toHaveLength(2);
  });

  test('without an engine the recorded run stays and plays', async () => {
    const missing = { ...report, what: 'This browser offers no WebGPU', got: 'no navigator.gpu' };
    lab.transport.receive([{ kind: 'failed', update: 0, report: missing }]);
    await expect.element(page.getByText(/You see a recorded run/)).toHaveTextContent(/To train live: .*#enable-unsafe-webgpu|To train live: /); // prettier-ignore
    await expect.element(page.getByText('Recorded run · no WebGPU here')).toBeVisible();
    const badge = document.querySelector('.badge[data-kind=none]');
    expect(badge?.querySelector('.popover')?.textContent).toMatch(/runs from files work in full.*does not: training/); // prettier-ignore
    for (const view of VIEWS) {
      lab.selection.select({ view });
      await expect.poll(() => document.querySelector('main')?.textContent.length).toBeGreaterThan(50);
      expect(document.querySelector('.boundary'), view).toBeNull();
    }
    lab.selection.select({ view: 'train' });
    await page.getByRole('button', { name: 'Resume' }).click();
    expect(lab.player.getState().playing).toBe(true);
    expect(sent).toEqual([]);
  });
});

describe('accessibility', () => {
  test.each([
    ['light', seriousFindings],
    ['dark', colourFindings],
  ] as const)('axe finds nothing serious in the %s theme', async (theme, look) => {
    lab.transport.receive([READY]);
    if (!document.querySelector('.knobs')) await userEvent.keyboard('s');
    applyTheme(theme);
    await new Promise(requestAnimationFrame);
    expect(await look(document.body)).toEqual([]);
  });
});

test('held-out questions are asked of the weights after the update on screen, and the answer says which they are', async () => {
  await cleanup(); // another page
  const { lab: asking, listener } = await askingLab();
  asking.selection.select({ view: 'train', update: 1 });
  const screen = await render(<App lab={asking} />);
  const { config, date } = asking.run.getState().header!;
  await screen.getByText('Held-out score').click();
  await screen.getByLabelText('questions', { exact: true }).fill('7');
  await screen.getByRole('button', { name: 'Score held-out questions after update 1' }).click();
  const place = { run: date, update: 1 };
  expect(listener.of('replay')).toMatchObject([{ to: place }]);
  await listener.answer('replay', { from: null, update: 1, events: [] });
  expect(listener.of('held-out')).toMatchObject([{ at: place, questions: 7, datasets: config!.evaluation.datasets }]); // prettier-ignore
  const score = { dataset: 'hotpot', unknown: 0, reliability: 0.5, right: '' };
  const scores = [{ ...score, greedy: false, exactMatch: 3 / 7 }, { ...score, greedy: true, exactMatch: 4 / 7 }]; // prettier-ignore
  await listener.answer('held-out', { update: 1, questions: 7, scores, parameters: 'replayed' });
  await expect
    .element(screen.getByText(/^After update 1, 7 held-out questions/))
    .toHaveTextContent('hotpot sampled 43 %, hotpot greedy 57 % (weights after update 1: the start).');
});

test('Load weights looks at the file and starts the draft from it; Save weights hands out what the engine says', async () => {
  await cleanup(); // another page
  const { lab: asking, listener } = await askingLab();
  asking.selection.select({ view: 'train' });
  asking.transport.restart();
  asking.transport.receive((await scriptedLog()).filter(({ kind }) => kind !== 'ready'));
  const screen = await render(<App lab={asking} />);
  if (!document.querySelector('.knobs')) await userEvent.keyboard('s');
  await screen
    .getByLabelText('Load weights')
    .upload(new File([new Uint8Array([1, 2, 3])], 'mine.safetensors'));
  await expect.poll(() => listener.of('check-weights').length).toBe(1);
  expect([...new Uint8Array(listener.of('check-weights')[0].bytes)]).toEqual([1, 2, 3]);
  expect(listener.of('check-weights')[0].config.weights).toBe(LOADED_BY_HAND); // not the warm start's: a size of its own is no fault
  await listener.answer('check-weights', { parameterCount: 3 });
  await expect
    .element(screen.getByRole('combobox', { name: /^Warm start/ }))
    .toHaveDisplayValue('mine.safetensors');
  const saved = savedFiles();
  await screen.getByRole('button', { name: 'Save weights' }).click();
  await expect.poll(() => listener.of('save-weights').length).toBe(1);
  await listener.answer('save-weights', { update: 2, bytes: new Uint8Array([4, 5]).buffer });
  await expect.poll(() => saved.length).toBe(1);
  expect(saved[0].name).toMatch(/\.safetensors$/);
  expect([...new Uint8Array(await saved[0].blob.arrayBuffer())]).toEqual([4, 5]);
  vi.restoreAllMocks();
});
