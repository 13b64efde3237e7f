/**
 * The whole lab in Firefox, whose WebGPU (wgpu) and shader compiler (naga) share no code with Chromium's: two updates are
 * trained live on the built page and kept, a tree opens, credit is stepped to its end, and the run that the page saves says
 * what the shipped recording says, which Chromium trained.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFirefox, type FirefoxTab } from '../../scripts/firefox.mjs';
import { openBundle } from '../../src/files/bundle.ts';
import { readRecording } from '../../src/files/recording.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';

const SITE = '.cache/firefox-site';
const UPDATES = 2; // compared
/**
 * |Firefox − Chromium| ≤ TOLERANCE·max(1, |Chromium|) for a number that is not whole. Both compile the kernels for one
 * software driver: every number was equal in the six digits of a log (Firefox 153.8, Chromium 156, 2026-11-28). Room is
 * left for a compiler that contracts a multiplication and an addition.
 */
const TOLERANCE = 1e-4;

let server: PreviewServer | undefined;
let firefox: Awaited<ReturnType<typeof openFirefox>> | undefined;
beforeAll(async () => {
  const words = ['node_modules/vite/bin/vite.js', 'build', '--outDir', SITE, '--logLevel', 'error'];
  execFileSync(process.execPath, words, { env: { ...process.env, NODE_ENV: 'production' } }); // not Vitest's
  server = await preview({
    logLevel: 'error',
    preview: { host: 'localhost', port: 0 },
    build: { outDir: SITE },
  });
  firefox = await openFirefox();
});
afterAll(async () => {
  await firefox?.close();
  await server?.close();
  rmSync(SITE, { recursive: true, force: true });
});

const all = (selector: string): string =>
  [...document.querySelectorAll(selector)].map(({ textContent }) => textContent).join(' | ');
const count = (selector: string): number => document.querySelectorAll(selector).length;

/** Presses the first button in sight that says so; false where there is none, or it is not to be pressed yet. */
function pressed(name: string): boolean {
  const buttons = [...document.querySelectorAll('button')].filter((button) => button.checkVisibility());
  const button = buttons.find(({ textContent, disabled }) => !disabled && textContent.trim() === name);
  button?.click();
  return button !== undefined;
}

/** Updates of the live run that are written to the browser's storage, and the adapter that the Runs view names. */
function liveRun(): readonly [written: number, adapter: string] {
  const rows = [...document.querySelectorAll('.runs-view tbody tr')];
  const row = rows.find(({ textContent }) => textContent.startsWith('live'));
  const cells = [...(row?.querySelectorAll('td') ?? [])].map(({ textContent }) => textContent);
  const written = cells.map((text) => /^(\d+) of 40$/.exec(text)?.[1]).find((text) => text !== undefined);
  return [Number(written ?? 0), row?.querySelector('.runs-adapter')?.textContent ?? ''];
}

/** Presses Next, which takes a stride, until it cannot be pressed. @returns how often, and the view's "step/steps" */
async function stepToEnd(): Promise<readonly [pressed: number, place: string]> {
  const next = [...document.querySelectorAll('button')].find(({ textContent }) => /^Next/.test(textContent))!;
  let strides = 0;
  for (; !next.disabled && strides < 1000; strides += 1) {
    next.click();
    await new Promise((done) => setTimeout(done)); // React draws
  }
  return [strides, document.querySelector('.credit-view output')!.textContent];
}

/** From here on the file that the page offers is kept where `savedFile` finds it. */
function keepSavedFile(): void {
  const make = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (blob: Blob) => {
    if (blob.type === 'application/zip') Object.assign(window, { savedFile: blob });
    return make(blob);
  };
}

/** In base64; empty before there is one. */
async function savedFile(): Promise<string> {
  const { savedFile: file } = window as { savedFile?: Blob };
  if (!file) return '';
  const address = new FileReader();
  address.readAsDataURL(file);
  await new Promise((done) => address.addEventListener('load', done));
  return (address.result as string).replace(/^.*,/, ''); // as readAsDataURL gives it
}

const POLL = { timeout: 200_000, interval: 100 };
const sees = (tab: FirefoxTab, selector: string) => expect.poll(() => tab.evaluate(all, selector), POLL);
const press = (tab: FirefoxTab, name: string) =>
  expect.poll(() => tab.evaluate(pressed, name), POLL).toBe(true);

async function train(tab: FirefoxTab): Promise<void> {
  await sees(tab, '.badge').toMatch(/engine ready/);
  await press(tab, 'Train live');
  await sees(tab, '.badge[data-kind=live] summary').toBe('● Live on Firefox’s wgpu (software)');
  await tab.press('7');
  await expect.poll(async () => (await tab.evaluate(liveRun))[0], POLL).toBeGreaterThanOrEqual(UPDATES);
  expect((await tab.evaluate(liveRun))[1]).toBe('Firefox’s wgpu');
  await tab.press('k'); // pause
}

async function lookAtTree(tab: FirefoxTab): Promise<void> {
  await tab.evaluate(() => void (location.hash = '#v1&view=tree&update=2&prompt=1'));
  await sees(tab, '.prompt-bar').toContain('update 2');
  // M + L·K leaves and the turns above them
  await expect.poll(() => tab.evaluate(count, '[role=treeitem]'), POLL).toBeGreaterThan(11);
}

async function stepThroughCredit(tab: FirefoxTab): Promise<void> {
  await tab.press('3');
  await sees(tab, '.step-sentence').toContain('Nothing is known yet');
  const [strides, place] = await tab.evaluate(stepToEnd);
  expect(strides).toBeGreaterThan(11);
  expect(place).toMatch(/^(\d+)\/\1$/);
  await sees(tab, '.step-sentence').toMatch(/tokens? in \d+ turns? get their turn’s advantage/);
}

async function save(tab: FirefoxTab): Promise<Blob> {
  await tab.evaluate(keepSavedFile);
  await tab.evaluate(() => document.querySelector<HTMLElement>('.badge[data-kind=live] summary')!.click());
  await press(tab, 'Save');
  await expect.poll(() => tab.evaluate(savedFile), POLL).not.toBe('');
  return new Blob([Buffer.from(await tab.evaluate(savedFile), 'base64')]);
}

async function eventsOf(log: Blob | ReadableStream<Uint8Array<ArrayBuffer>>): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of readRecording(log)) events.push(event);
  return events;
}

/** What is said of the updates compared; the recording asks more held-out questions than the page does. */
const compared = (events: readonly RunEvent[]): readonly RunEvent[] =>
  events.filter(
    (event) => !['status', 'evaluation'].includes(event.kind) && 'update' in event && event.update <= UPDATES,
  );

/** Places where two values are not the same: other structure, words or whole numbers, or beyond the tolerance. */
function differences(ours: unknown, theirs: unknown, path: string): readonly string[] {
  const words = [`${path}: ${JSON.stringify(ours)} in Firefox, ${JSON.stringify(theirs)} in Chromium`];
  if (typeof ours === 'number' && typeof theirs === 'number' && !Number.isSafeInteger(theirs))
    return Math.abs(ours - theirs) <= TOLERANCE * Math.max(1, Math.abs(theirs)) ? [] : words;
  if (typeof ours !== 'object' || typeof theirs !== 'object' || !ours || !theirs)
    return ours === theirs ? [] : words;
  const [a, b] = [ours, theirs] as Readonly<Record<string, unknown>>[];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => !key.endsWith('Ms')) // no two runs take the same time
    .flatMap((key) => differences(a[key], b[key], `${path}.${key}`));
}

test('in Firefox two updates train to the numbers of Chromium, a tree opens, and credit is stepped to its end', async () => {
  const { tab, complaints } = firefox!;
  await tab.goto(server!.resolvedUrls!.local[0]);
  await train(tab);
  await lookAtTree(tab);
  await stepThroughCredit(tab);
  const file = await save(tab);
  expect(complaints).toEqual([]);
  const { log, adapter, damaged } = await openBundle(file);
  expect(damaged).toEqual([]);
  expect(adapter).toMatchObject({ description: 'Firefox’s wgpu', software: true });
  const recording = new Blob([readFileSync('public/recorded-instant.ndjson.members')]);
  const [ours, theirs] = [await eventsOf(log), await eventsOf(recording)].map(compared);
  expect(ours.length).toBeGreaterThan(1000);
  expect(ours.map(({ kind }) => kind)).toEqual(theirs.map(({ kind }) => kind));
  const found = ours.flatMap((event, at) => differences(event, theirs[at], `event ${at}, ${event.kind}`));
  expect(found.slice(0, 10)).toEqual([]);
}, 600_000);
