import { afterEach, beforeEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import type { PageEvent } from '../../src/protocol/protocol.ts';
import { noAdapterMemory } from '../../src/store/lab/adapters.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { startEngine, startWorker, type EngineClient } from '../../src/train/engine/client.ts';
import { engineHere } from '../../src/train/engine/serve.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { colourFindings, findings } from '../support/axe.ts';
import { lentGpu } from '../support/shared_gpu.ts';
import { tinyRun } from '../support/tiny_run.ts';

let client: EngineClient | null = null;
beforeEach(() => page.viewport(1280, 800));
afterEach(async () => {
  await cleanup();
  delete document.documentElement.dataset.theme;
  client?.close();
  client = null;
});
const SOON = { timeout: 60_000 };
const NAMES = { 'high-performance': 'A fast card', 'low-power': 'A saving card' } as const;

/** The page's adapter under a name for each kind; `refuses` opens no device. */
function twoCards(names: Readonly<Record<GPUPowerPreference, string>>, refuses?: GPUPowerPreference) {
  const asked: (GPUPowerPreference | undefined)[] = [];
  const gpu = {
    wgslLanguageFeatures: lentGpu.wgslLanguageFeatures,
    async requestAdapter(options: GPURequestAdapterOptions = {}) {
      const kind = options.powerPreference ?? 'high-performance';
      const adapter = await lentGpu.requestAdapter(options);
      asked.push(options.powerPreference);
      if (!adapter) return null;
      const info = {
        vendor: '',
        architecture: '',
        device: '',
        description: names[kind],
        isFallbackAdapter: true,
      };
      Object.defineProperty(adapter, 'info', { value: info }); // a software adapter all the same
      if (kind === refuses)
        adapter.requestDevice = () => Promise.reject(new Error('the driver does not answer'));
      return adapter;
    },
  } as GPU;
  return { gpu, asked };
}

/** The page with an engine that is started on the adapter that is remembered; its first preset is a tiny run. */
async function openPage({ gpu }: { readonly gpu: GPU }) {
  const memory = noAdapterMemory();
  const start = () =>
    engineHere(() => Promise.reject(new Error('no weights are asked for')), {
      gpu,
      powerPreference: memory.get(),
    });
  const engine = startEngine(start, null);
  client = engine;
  const config = { ...tinyRun(3), updates: 200 };
  const own = (event: PageEvent): PageEvent =>
    event.kind === 'ready' ? { ...event, presets: [{ ...event.presets[0], config }] } : event;
  const lab: Lab = createLab((command) => engine.send(command), '', undefined, null, {
    ...engine,
    adapter: memory,
  });
  engine.subscribe((event) => {
    lab.transport.receive([own(event)]);
    lab.adapters.hearEngine([event]);
  });
  const screen = await render(<App lab={lab} />);
  await expect.poll(() => lab.transport.getState().prepared, SOON).toBe(true);
  await expect.poll(() => lab.adapters.getState().choice, SOON).not.toBeNull();
  return { lab, screen, memory };
}

const openBadge = (): void => document.querySelector<HTMLElement>('.badge summary')!.click();

test('of two adapters the page names the one in use, and a live run goes on on the other', async () => {
  const cards = twoCards(NAMES);
  const { lab, screen, memory } = await openPage(cards);
  await screen.getByRole('button', { name: 'Train live', exact: true }).click();
  await expect.poll(() => lab.run.getState().updates[0]?.ended, SOON).toBe(true);
  const parent = lab.run.getState().header!;
  openBadge();
  const part = screen.getByRole('group', { name: 'Graphics adapter' });
  await expect.element(part).toHaveTextContent('A fast card (software), the fast one of two');
  await expect.element(part).toHaveTextContent('its last digits are others');
  expect(await findings(document.querySelector('.badge')!)).toEqual([]);
  await part.getByRole('button', { name: 'Use the power-saving adapter: A saving card' }).click();
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Graphics adapter'); // not lost with the button
  await expect
    .element(screen.getByText(/The run went on from update \d+ on the other graphics adapter/), SOON)
    .toBeVisible();
  await expect.poll(() => lab.run.getState().header?.adapter?.description, SOON).toBe('A saving card');
  expect(lab.run.getState().header?.origin).toMatchObject({ kind: 'forked', run: parent.date });
  await expect.element(screen.getByText('● Live, power-saving, on A saving card (software)')).toBeVisible();
  expect(memory.get()).toBe('low-power');
  await expect.poll(() => lab.adapters.getState().choice, SOON).not.toBeNull();
  expect(cards.asked.slice(-2)).toEqual(['low-power', 'high-performance']); // opened, and looked for beside it
  for (const theme of ['light', 'dark']) {
    document.documentElement.dataset.theme = theme;
    expect(await colourFindings(document.querySelector('.badge')!)).toEqual([]);
  }
  await page.viewport(390, 800);
  const { left, right } = document.querySelector('.badge .popover')!.getBoundingClientRect();
  expect([left >= 0, right <= 390]).toEqual([true, true]);
});

test('where both are one adapter it is named, and nothing is offered', async () => {
  const { lab, screen } = await openPage(
    twoCards({ 'high-performance': 'The card', 'low-power': 'The card' }),
  );
  lab.selection.select({ view: 'profile' });
  const part = screen.getByRole('main').getByRole('group', { name: 'Graphics adapter' });
  await expect.element(part).toHaveTextContent(/^Graphics adapter: The card \(software\)\.$/);
  await expect.element(screen.getByRole('button', { name: /^Use the/ })).not.toBeInTheDocument();
});

test('a chosen adapter that cannot be opened: the engine stays on the other, and the page says so', async () => {
  const { lab } = await openPage(twoCards(NAMES, 'low-power'));
  await lab.adapters.use('low-power');
  const notice = (): string => document.querySelector('.notice')?.textContent ?? '';
  await expect.poll(notice, SOON).toContain('The power-saving graphics adapter could not be opened.');
  expect(notice()).toContain('The engine is on the fast one, A fast card (software).');
  expect(notice()).toContain('the driver does not answer');
  expect(lab.transport.getState().engine.kind).toBe('ready');
  expect(await findings(document.querySelector('.notice')!)).toEqual([]);
});

test('the kind of adapter reaches the worker’s own requestAdapter', async () => {
  const PageWorker = globalThis.Worker;
  const made: { name?: string }[] = [];
  globalThis.Worker = class extends EventTarget {
    constructor(_: URL, options: WorkerOptions) {
      super();
      made.push(options);
    }
  } as typeof Worker;
  try {
    startWorker('low-power');
  } finally {
    globalThis.Worker = PageWorker;
  }
  const url = new URL('../../src/train/engine/worker.ts', import.meta.url).href;
  const spy = `navigator.gpu.requestAdapter = (options) => { postMessage({ asked: options }); return Promise.resolve(null); };`;
  const text = URL.createObjectURL(
    new Blob([`${spy} import(${JSON.stringify(url)});`], { type: 'text/javascript' }),
  );
  const worker = new Worker(text, { type: 'module', name: made[0].name! });
  const asked: unknown[] = [];
  worker.onmessage = ({ data }: MessageEvent<{ asked?: unknown }>) => data.asked && asked.push(data.asked);
  await expect.poll(() => asked[0], SOON).toEqual({ powerPreference: 'low-power' });
  worker.terminate();
  URL.revokeObjectURL(text);
});
