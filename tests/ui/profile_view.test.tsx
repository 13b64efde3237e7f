import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import type { RunCommand, EngineEvent } from '../../src/protocol/protocol.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { CONFIG, ENVIRONMENT, START, updateEvents } from '../support/sample_log.ts';
import { seriousFindings } from '../support/axe.ts';
import type { Ask, Question } from '../../src/train/inspect/index.ts';
import { listen, type Listener } from '../support/questions.ts';
import { PROFILE, row } from '../support/sample_profile.ts';

const READY: EngineEvent = {
  kind: 'ready',
  adapter: { vendor: 'v', architecture: 'a', description: 'd', software: true },
  algorithms: [],
  environments: [ENVIRONMENT],
  presets: [
    {
      name: 'instant',
      title: 'Instant',
      description: '',
      config: CONFIG,
      scale: { rows: 0.2, turnBand: [0, 0] },
    },
  ],
  knobs: [],
};

let lab: Lab;
let sent: (RunCommand | Question)[];
let listener: Listener;
let screen: RenderResult;

afterEach(() => cleanup());
beforeEach(async () => {
  sent = [];
  listener = listen();
  const ask: Ask = (question, signal) => {
    sent.push(question);
    return listener.ask(question, signal);
  };
  lab = createLab((command) => sent.push(command), '#v1&view=profile', undefined, null, { ask });
  screen = await render(<App lab={lab} />);
});

const main = (): HTMLElement => screen.container.querySelector<HTMLElement>('main')!; // the shell always has one
const button = (): HTMLButtonElement => main().querySelector<HTMLButtonElement>('button.primary')!;
const cells = (table: string): (string | null)[][] =>
  [...main().querySelectorAll(`${table} tbody tr`)].map((line) =>
    [...line.querySelectorAll('th, td')].map((cell) => cell.textContent),
  );
const fact = (name: string): string | undefined =>
  [...main().querySelectorAll('.profile-facts > div')].find(
    (entry) => entry.querySelector('dt')?.textContent === name,
  )?.textContent;

async function profiled(): Promise<void> {
  lab.transport.receive([READY, START]);
  lab.transport.trainLive();
  lab.transport.receive(updateEvents(1));
  lab.inspection.setState({ profiles: [PROFILE] });
  await expect.element(screen.getByRole('button', { name: 'Profile next update' })).toBeEnabled();
  await expect.poll(() => cells('.profile-table').length).toBeGreaterThan(0);
}

test('says why there is nothing to see, and what to do', async () => {
  expect(main().textContent).toContain('The engine is starting.');
  expect(button().disabled).toBe(true);
  lab.transport.receive([READY, START]);
  await expect.poll(() => main().textContent).toContain('The run on screen is a recording');
  const report = { what: 'w', where: 'x', got: 'g', wanted: 'h', next: 'n' };
  lab.transport.engineUnavailable(report);
  await expect.poll(() => main().textContent).toContain('training needs WebGPU');
  expect(button().disabled).toBe(true);
});

test('the button profiles the next update and waits for it', async () => {
  lab.transport.receive([READY, START]);
  await expect.poll(() => button().disabled).toBe(false);
  button().click();
  await expect.poll(() => button().textContent).toBe('Profiling…');
  expect(sent.map(({ kind }) => kind)).toEqual(['open', 'profile', 'step-update']);
  await listener.answer('profile', PROFILE);
  await expect.poll(() => button().textContent).toBe('Profile next update');
});

test('kernels stand by time with shares, rates and what they are of the measured best', async () => {
  await profiled();
  expect(cells('.profile-table')).toEqual([
    [
      'matmul_nt',
      '800.0',
      '53.3 %',
      '',
      '110',
      '7273',
      '1.50 GFLOP/s',
      '15 %',
      '75.0 MB/s',
      '7.5 %',
      'too few groups 75 %',
    ],
    [
      'attention_forward',
      '700.0',
      '46.7 %',
      '',
      '10',
      '70000',
      '–',
      '–',
      '14.3 MB/s',
      '1.4 %',
      'too few groups',
    ],
  ]);
  const bars = [...main().querySelectorAll<HTMLElement>('.profile-table .profile-bar span')];
  expect(bars.map(({ style }) => style.width)).toEqual(['100%', '87.5%']);
});

test('time, idle share and rates of the whole update are the event’s', async () => {
  await profiled();
  expect(fact('update')).toContain('2.0 s');
  expect(fact('device busy')).toContain('1.5 s120 dispatches');
  expect(fact('device idle')).toContain('25 %');
  expect(fact('arithmetic while busy')).toBe('arithmetic while busy≥ 800 MFLOP/s≥ 8.0 % of 10.0 GFLOP/s');
  expect(fact('memory traffic while busy')).toContain('46.7 MB/s4.7 % of 1.00 GB/s');
  expect(main().textContent).toContain('3 dispatches found no room');
});

test('what bounds the time stands by share, with what a person can do about it', async () => {
  await profiled();
  const lines = [...main().querySelectorAll('[aria-label="What bounds it"] li')].map(({ textContent }) => textContent); // prettier-ignore
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(
    /^too few groups, 87 % of the time: has fewer workgroups than the 8 that fill this device/,
  );
  expect(lines[0]).toContain('More prompts per update');
  expect(lines[1]).toMatch(/^other, 13 % of the time: /);
});

test('the same time stands by program and by step', async () => {
  await profiled();
  await screen.getByRole('button', { name: 'program', exact: true }).click();
  await expect
    .poll(() => cells('.profile-table').map(([name, ms]) => [name, ms]))
    .toEqual([
      ['forward', '900.0'],
      ['decode', '600.0'],
    ]);
  expect(cells('.profile-table')[0][6]).toBe('≥ 444 MFLOP/s');
  await screen.getByRole('button', { name: 'step', exact: true }).click();
  await expect.poll(() => cells('.profile-table').length).toBe(3);
});

test('memory is listed by owner with its sum', async () => {
  await profiled();
  expect(cells('.profile-memory').map((line) => line.slice(0, 3))).toEqual([
    ['activations', '60', '40.0 MB'],
    ['parameters', '6', '1.50 MB'],
  ]);
  expect(main().querySelector('.profile-memory tfoot')?.textContent).toBe('all6641.5 MB');
});

test('a device without timestamps says so and lists programs only', async () => {
  await profiled();
  const rows = [row('forward + loss + backward', '', '', [50, 900, 1e9, 1e8])];
  const second = { ...PROFILE, update: 2, method: 'submissions', rows, untimed: 0 } as const;
  lab.inspection.setState({ profiles: [PROFILE, second] });
  await expect.poll(() => main().textContent).toContain('no timestamps');
  expect(cells('.profile-table')[0].slice(0, 2)).toEqual(['forward + loss + backward', '900.0']);
  expect(screen.getByRole('group', { name: 'Group by' }).elements()).toEqual([]);
  await screen.getByRole('button', { name: '1', exact: true }).click();
  await expect.poll(() => cells('.profile-table').length).toBe(2);
});

test('has no serious accessibility findings', async () => {
  await profiled();
  expect(await seriousFindings(screen.container)).toEqual([]);
});
