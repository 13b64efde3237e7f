import { afterEach, beforeEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { Asker } from '../../src/train/engine/asking.ts';
import { startEngine, type EngineClient } from '../../src/train/engine/client.ts';
import type { RunCommand, PageEvent } from '../../src/protocol/protocol.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { seriousFindings } from '../support/axe.ts';
import { scriptedLog } from '../support/scripted_lab.ts';
import { tinyRun } from '../support/tiny_run.ts';

let client: EngineClient | null = null;
beforeEach(() => page.viewport(1280, 800));
afterEach(async () => {
  await cleanup();
  client?.close();
  client = null;
});
const soon = { timeout: 60_000 };

/** The page over a worker of its own, whose first preset is a tiny run; `end` ends the newest worker from outside. */
async function openPage() {
  const workers: Worker[] = [];
  const config = { ...tinyRun(3), updates: 200 };
  const engine = startEngine(() => {
    const url = new URL('../../src/train/engine/worker.ts', import.meta.url);
    workers.push(new Worker(url, { type: 'module', name: document.baseURI }));
    return workers.at(-1)!;
  });
  client = engine;
  const own = (event: PageEvent): PageEvent =>
    event.kind === 'ready' ? { ...event, presets: [{ ...event.presets[0], config }] } : event;
  const lab: Lab = createLab((command) => engine.send(command), '', undefined, null, engine);
  engine.subscribe((event) => lab.transport.receive([own(event)]));
  const screen = await render(<App lab={lab} />);
  await expect.poll(() => lab.transport.getState().prepared, soon).toBe(true);
  return { lab, screen, config, end: () => workers.at(-1)!.terminate() };
}

test('a worker that is ended while it trains is told at once, and Start again trains the same run', async () => {
  const { lab, screen, config, end } = await openPage();
  await screen.getByRole('button', { name: 'Train live', exact: true }).click();
  await expect.poll(() => lab.run.getState().updates[0]?.metrics, soon).toBeTruthy();
  const { exactMatch, loss } = lab.run.getState().updates[0].metrics!;
  end();
  await expect
    .element(screen.getByRole('alert'))
    .toHaveTextContent(/The engine stopped working\. Press Play/);
  expect(lab.run.getState().updates[0].metrics).toBeTruthy(); // what was recorded stays
  await expect.element(screen.getByText('Live run stopped')).toBeVisible();
  await screen.getByRole('button', { name: 'Start again' }).click();
  await expect.element(screen.getByRole('button', { name: 'Preparing…' })).toBeVisible();
  await expect.poll(() => lab.run.getState().updates[0]?.metrics, soon).toMatchObject({ exactMatch, loss });
  expect(lab.run.getState().header?.config).toEqual(config);
  await expect.element(screen.getByRole('button', { name: 'Pause' })).toBeVisible();
  expect(screen.container.querySelector('.error-banner')).toBeNull();
});

test('a worker that is ended before Train live: it starts another and trains', async () => {
  const { lab, screen, end } = await openPage();
  end();
  await expect.element(screen.getByRole('alert')).toHaveTextContent(/The engine stopped working/);
  await screen.getByRole('button', { name: 'Train live', exact: true }).click();
  await expect.poll(() => lab.run.getState().updates[0]?.metrics, soon).toBeTruthy();
});

async function scripted(source: 'recorded' | 'live') {
  const sent: RunCommand[] = [];
  let restarts = 0;
  const log = await scriptedLog();
  const asker = new Asker(() => undefined); // nobody answers
  const lab = createLab((command) => void sent.push(command), '', undefined, null, {
    ask: asker.ask,
    restart() {
      restarts += 1;
      asker.endAll(RESTARTED); // as the client does
    },
  });
  if (source === 'live') lab.transport.receive(log.filter(({ kind }) => kind === 'ready'));
  if (source === 'live') lab.transport.trainLive();
  const screen = await render(<App lab={lab} />);
  return { lab, screen, sent, restarts: () => restarts };
}

const RESTARTED = { what: 'started again', where: 'worker', got: 'a', wanted: 'b', next: 'Ask again.' };

test('an adapter that never answers is said, the badge too, and the engine can be started again', async () => {
  const { lab, screen, restarts } = await scripted('recorded');
  lab.transport.receive([{ kind: 'life', sign: 'adapter-silent' }]);
  const words = screen.getByText('The browser has not given a graphics adapter for 20 s');
  await expect.element(words).toBeVisible();
  await expect.element(screen.getByText('Recorded run · engine does not answer')).toBeVisible();
  expect(await seriousFindings(screen.container)).toEqual([]);
  await screen.getByRole('button', { name: 'Start the engine again' }).click();
  await expect.element(words).not.toBeInTheDocument();
  expect(restarts()).toBe(1);
});

test('a device that never answers is said; giving it up asks the engine, and the recorded run can be shown', async () => {
  const { lab, screen, sent } = await scripted('live');
  lab.transport.receive([{ kind: 'life', sign: 'device-silent' }]);
  await expect.element(screen.getByText('The graphics device has not answered for 30 s')).toBeVisible();
  await screen.getByRole('button', { name: 'Give the device up' }).click();
  expect(sent.at(-1)).toEqual({ kind: 'give-up' });
  await screen.getByRole('button', { name: 'Show the recorded run' }).click(); // the badge's own is folded away
  expect(lab.transport.getState().source).toBe('recorded');
});

test('a worker that is silent is said and gone when it speaks; restarting ends every wait', async () => {
  const { lab, screen } = await scripted('live');
  lab.inspection.checkKernel('policy_loss');
  lab.transport.receive([{ kind: 'life', sign: 'worker-silent' }]);
  const words = screen.getByText('The engine has shown no sign of life for 20 s');
  await expect.element(words).toBeVisible();
  lab.transport.receive([{ kind: 'life', sign: 'well' }]);
  await expect.element(words).not.toBeInTheDocument();
  lab.transport.receive([{ kind: 'life', sign: 'worker-silent' }]);
  await screen.getByRole('button', { name: 'Start the engine again' }).click();
  await expect.poll(() => lab.inspection.getState().asking).toBeNull();
  expect(lab.run.getState().failure).toEqual(RESTARTED); // what was asked has to be asked again
  expect([lab.transport.getState().engine.kind, lab.run.getState().status]).toEqual(['starting', 'failed']);
});
