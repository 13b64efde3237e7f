/** Alarms as a person reads them, on a run that trains, one that is over and one that was recorded. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { ALARM_KINDS } from '../../src/store/alarms/alarm_signs.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { findings } from '../support/axe.ts';
import { DYING_RUNS } from '../support/dying_runs.ts';
import { RUN_SOURCES } from '../support/run_sources.ts';

let lab: Lab;
let screen: RenderResult;

beforeEach(async () => {
  lab = createLab(() => undefined);
  screen = await render(<App lab={lab} />);
});
afterEach(() => cleanup());

const alarms = (): readonly Element[] => [...screen.container.querySelectorAll('.alarm')];
const chosen = (): string | null | undefined =>
  screen.container.querySelector('[role=treeitem][aria-selected=true]')?.getAttribute('data-node');

const promptShown = (): string | undefined =>
  screen.container.querySelector<HTMLSelectElement>('.prompt-bar select')?.selectedOptions[0].text;

describe.each(ALARM_KINDS)('%s', (kind) => {
  const { events, since, numbers, example, almost } = DYING_RUNS[kind];

  test.each(RUN_SOURCES)('is said on %s, with its beginning and its numbers', async (_, show) => {
    show(lab, events);
    await expect.poll(() => alarms().length).toBe(1);
    const [alarm] = alarms();
    expect(alarm.getAttribute('data-kind')).toBe(kind);
    expect(alarm.querySelector('strong')?.textContent).toMatch(new RegExp(`^▲ .* since update ${since}$`));
    expect(alarm.querySelector('.number')?.textContent).toBe(numbers);
    expect(screen.container.querySelector('.tab .alarm-count')?.textContent).toBe('▲ 1 alarm');
  });

  test('leads to its example, which is on screen then', async () => {
    lab.run.apply(events);
    await screen.getByRole('button', { name: /: show an example$/ }).click();
    expect(lab.selection.getState()).toMatchObject(example);
    await expect
      .poll(() => screen.container.querySelector('.prompt-bar')?.textContent)
      .toContain(`update ${example.update}`);
    if (example.view === 'loss')
      await expect
        .poll(() => screen.container.querySelector('.leaf-picker [aria-pressed=true]')?.textContent)
        .toContain(`n${example.leaf}`);
    else if (example.node !== undefined) await expect.poll(chosen).toBe(String(example.node));
    else await expect.poll(promptShown).toContain('dead');
    expect(await findings(screen.container)).toEqual([]);
  });

  test.each(Object.entries(almost))('is not said: %s', async (_, run) => {
    lab.run.apply(run);
    await expect.poll(() => screen.container.querySelectorAll('.tree-button').length).toBe(2);
    expect(alarms()).toEqual([]);
    expect(screen.container.querySelector('.alarm-count')).toBeNull();
  });
});
