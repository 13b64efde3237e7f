/**
 * The built site as a host serves it: under a path, with the headers of docs/hosting.md. Nothing breaks the
 * Content-Security-Policy, nothing is asked of another origin, it opens and trains without a network, and a new version
 * waits until it is asked for.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CONTENT_POLICY } from '../../scripts/offline.ts';
import { browserFlags, findBrowser } from '../../scripts/browser.mjs';

const SITE = '.cache/built';
const PATH = '/courses/credit/';
const TYPES: Readonly<Record<string, string>> = {
  ...{ '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' },
  ...{ '.json': 'application/json', '.webmanifest': 'application/manifest+json' },
};

const guide = readFileSync('docs/hosting.md', 'utf8');
const HEADERS = [...guide.matchAll(/^([A-Z][\w-]+): (.+)$/gm)].map(([, name, value]) => [name, value]);

let server: Server;
let browser: Browser;
let context: BrowserContext; // that has never been here; the tests go on with it
let page: Page;
const requests: string[] = [];
const complaints: string[] = [];
let isDown = false; // the network is gone
let holds: Promise<void> | null = null; // the whole recording is sent after it
let isNewer = false; // the host has a new version
let coursePage = ''; // at another path of the host
let origin = '';

const newer = (code: string): string => code.replace(/^const VERSION="\w+"/, 'const VERSION="newer"');

beforeAll(async () => {
  const words = ['node_modules/vite/bin/vite.js', 'build', '--outDir', SITE, '--logLevel', 'error'];
  execFileSync(process.execPath, words, { env: { ...process.env, NODE_ENV: 'production' } }); // not Vitest's
  server = createServer((request, response) => {
    if (isDown) return void request.socket.destroy();
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    if (pathname === '/lecture/7.html')
      return void response.writeHead(200, { 'Content-Type': 'text/html' }).end(coursePage);
    const file = join(SITE, pathname.slice(PATH.length) || 'index.html');
    if (!pathname.startsWith(PATH) || !existsSync(file) || !statSync(file).isFile())
      return void response.writeHead(404).end();
    for (const [name, value] of HEADERS) response.setHeader(name, value);
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
    response.setHeader('Cache-Control', 'no-cache');
    const { size } = statSync(file);
    response.setHeader('ETag', `W/"${size}"`); // as many hosts do; a browser's cache goes by both
    response.setHeader('Last-Modified', 'Fri, 20 Nov 2026 10:00:00 GMT');
    response.setHeader('Accept-Ranges', 'bytes');
    if (request.headers['if-none-match'] === `W/"${size}"` && !isNewer)
      return void response.writeHead(304).end();
    // as `vite preview` does with a type that it does not know, stretches of it too
    const zips = extname(file) === '.members' && /gzip/.test(String(request.headers['accept-encoding']));
    if (zips) response.setHeader('Content-Encoding', 'gzip');
    const send = (status: number, bytes: Buffer) =>
      response.writeHead(status).end(zips ? gzipSync(bytes) : bytes);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range) {
      response.setHeader('Content-Range', `bytes ${range[1]}-${range[2]}/${size}`);
      return void send(206, readFileSync(file).subarray(Number(range[1]), Number(range[2]) + 1));
    }
    const isWorker = pathname.endsWith('service_worker.js');
    const bytes = isWorker && isNewer ? Buffer.from(newer(readFileSync(file, 'utf8'))) : readFileSync(file);
    void (pathname.endsWith('.ndjson.members') ? (holds ?? Promise.resolve()) : Promise.resolve()).then(() => send(200, bytes)); // prettier-ignore
  });
  await new Promise<void>((done) => void server.listen(0, 'localhost', done));
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: findBrowser(), args: browserFlags() });
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.on('request', (request) => requests.push(request.url()));
});

/** The lab in a new tab: one that is loaded again would go on with its live run. */
async function openTab(): Promise<void> {
  await Promise.all(context.pages().map((open) => open.close()));
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(origin + PATH);
}

afterAll(async () => {
  await browser.close();
  await new Promise((done) => server.close(done));
});

/** Of the run that plays, whichever is the first to be seen: the page goes on. */
const anUpdate = (): Promise<void> => page.getByText(/Update \d+ done/).waitFor({ state: 'attached' });

/** Trains live, and waits for an update that was trained here. */
async function trainOneUpdate(): Promise<void> {
  await page
    .getByRole('navigation')
    .getByRole('button', { name: /^Train/ })
    .first()
    .click();
  await page.getByRole('button', { name: 'Train live', exact: true }).click();
  await page
    .getByText(/Live on/)
    .first()
    .waitFor();
  await anUpdate();
}

test('the headers of the guide and the policy of the page are one policy, without inline script or eval', () => {
  expect(HEADERS).toContainEqual(['Content-Security-Policy', CONTENT_POLICY]);
  expect(CONTENT_POLICY).not.toMatch(/unsafe|https?:|\*/);
  const html = readFileSync(join(SITE, 'index.html'), 'utf8');
  expect(html.replaceAll('&#39;', "'")).toContain(CONTENT_POLICY);
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
});

test('what a first visit loads before anything is opened is less than 300 kB', () => {
  const html = readFileSync(join(SITE, 'index.html'), 'utf8');
  const names = new Set([...html.matchAll(/assets\/[^"]+\.(?:js|css)/g)].map(([name]) => name));
  expect(names.size).toBeGreaterThan(3);
  const sent = [...names].map((name) => gzipSync(readFileSync(join(SITE, name))).length);
  expect(sent.reduce((sum, bytes) => sum + bytes, gzipSync(html).length)).toBeLessThan(300_000);
});

test('a link to an update shows it before the recording is read, and says what is awaited', async () => {
  const own = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  let release = (): void => undefined;
  holds = new Promise((done) => (release = done));
  page = await own.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${origin}${PATH}#v1&view=tree&update=23&prompt=2`);
  await page.getByText('Update 23 of the recorded run is here; the updates around it are being read (0 %).').waitFor(); // prettier-ignore
  const tree = (): Promise<readonly string[]> => page.locator('.tree-view [data-node]').allTextContents();
  await page.locator('.tree-view [data-node]').first().waitFor();
  const ahead = await tree();
  expect(ahead.length).toBeGreaterThan(3);
  await page.keyboard.press('[');
  await page.getByText('Update 22 of the recorded run is on its way: the recording is still being read.').waitFor(); // prettier-ignore
  await page.keyboard.press(']');
  release();
  holds = null;
  await page.getByText(/Update 23 done/).waitFor({ state: 'attached' });
  await page.getByText('is being read').waitFor({ state: 'detached' });
  await page.locator('.notice', { hasText: 'recorded run is here' }).waitFor({ state: 'detached' });
  expect(await tree()).toEqual(ahead);
  expect(await page.getByText('The recorded run is not whole').count()).toBe(0);
  await page.keyboard.press('[');
  await page.locator('.notice').waitFor({ state: 'detached' });
  await page.getByText('update 22').first().waitFor();
  await own.close();
});

test('a run file of the address is shown at the place of the link; where there is none, the recording is, and it is said', async () => {
  const own = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await own.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${origin}${PATH}?run=recorded-instant.ndjson.members#v1&view=tree&update=23&prompt=2`);
  await page.locator('.tree-view [data-node]').first().waitFor();
  await page.getByText('update 23').first().waitFor();
  await page.getByText('A record of the shelf').waitFor({ state: 'attached' });
  expect(page.url()).toContain('?run=recorded-instant.ndjson.members#v1&run=');
  await page.goto(`${origin}${PATH}?run=none.turnwise#v1&view=tree`);
  const refused = page.getByRole('alert');
  await refused.waitFor();
  expect(await refused.innerText()).toContain('The run that this address asks for cannot be opened');
  expect(await refused.innerText()).toContain('got status 404');
  await anUpdate();
  await page.getByText(/^Recorded run/).waitFor();
  await own.close();
});

test('a course page shows a place of the lab by the line that Export writes: no header, no engine unasked, its keys and moves its own', async () => {
  const own = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await own.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${origin}${PATH}#v1&view=tree&update=3&prompt=2`);
  const nodes = page.locator('.tree-view [data-node]');
  await nodes.nth(3).waitFor();
  await page.locator('.export-menu summary').click();
  await page.getByRole('button', { name: 'Embed …' }).click();
  const line = await page.getByRole('textbox', { name: 'HTML of the frame' }).inputValue();
  expect(line).toContain(`src="${origin}${PATH}?embed#v1&amp;`);
  expect(line).toContain('title="Turnwise, Tree, update 3"');
  const numbers = (texts: readonly string[]): readonly string[] =>
    texts.map((text) => /^\S+ [\d.]*/.exec(text)?.[0] ?? text).sort(); // how many words stand beside goes by the room
  const shown = numbers(await nodes.allTextContents());

  coursePage = `<!doctype html><h1>Lecture 7</h1><div style="width:900px;height:500px">${line}</div><div style="height:3000px"></div>
    <script>addEventListener('keydown', () => (window.heard = (window.heard ?? 0) + 1))</script>`;
  const engines = () => page.workers().filter((worker) => /\/worker-/.test(worker.url())).length;
  await page.goto(`${origin}/lecture/7.html`);
  const frame = page.frameLocator('iframe');
  const framed = frame.locator('.tree-view [data-node]');
  await frame.getByText('update 3').first().waitFor();
  await framed.nth(3).waitFor();
  expect(numbers(await framed.allTextContents())).toEqual(shown);
  expect(await frame.locator('header').count()).toBe(0);
  expect(engines()).toBe(0);
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY'); // it takes no focus by itself

  const length = await page.evaluate(() => history.length);
  await framed.first().click();
  for (const key of [']', 'ArrowRight', ' ', '3']) await page.keyboard.press(key);
  await frame.getByRole('main', { name: 'Credit' }).waitFor();
  const around = () => page.evaluate(() => [window.scrollY, 'heard' in window, history.length]);
  expect(await around()).toEqual([0, false, length]);
  expect(await frame.getByRole('link', { name: 'Open in Turnwise' }).getAttribute('href')).not.toContain(
    'embed',
  );

  await frame.getByRole('button', { name: 'Start the engine' }).click();
  await frame.getByText('Engine ready').waitFor();
  expect(engines()).toBe(1);
  await own.close();
});

test('every view opens, and every file that training needs is kept for later', async () => {
  await openTab();
  await anUpdate();
  for (const view of ['Tree', 'Credit', 'Loss', 'Compare', 'Profile', 'Train']) {
    await page.getByRole('navigation').getByRole('button', { name: view }).first().click();
    await page.getByRole('main', { name: view }).waitFor();
  }
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null)); // all files are kept
  expect(complaints).toEqual([]);
});

test('without a network the lab opens and trains; after a reload it goes on from its checkpoint, as one run on the shelf', async () => {
  isDown = true;
  await openTab();
  await anUpdate();
  await trainOneUpdate();
  await page.keyboard.press('7');
  const runs = page.locator('.runs-view tbody tr');
  const live = runs.filter({ hasText: 'live' });
  await live.filter({ hasText: /[1-9]\d* of 40/ }).waitFor(); // an update is written: there is where to go on from
  const kept = runs.filter({ hasText: 'Pin' }); // the recorded run is not
  const count = await kept.count();
  await page.reload();
  const words = page.getByText(/^Resumed at update \d+: the page was loaded again/);
  const update = Number(/\d+/.exec((await words.textContent()) ?? '')?.[0]);
  expect(update).toBeGreaterThanOrEqual(1);
  const reached = async (): Promise<number> => Number(/(\d+) of 40/.exec(await live.innerText())?.[1]);
  await expect.poll(reached, { timeout: 60_000 }).toBeGreaterThan(update);
  expect(await kept.count()).toBe(count); // the same run, not another
  expect(complaints).toEqual([]);
});

test('a new version is offered, never forced', async () => {
  isDown = false;
  isNewer = true;
  await openTab(); // the browser looks for a new version as a page opens
  const offer = page.getByRole('button', { name: 'Reload with the new version' });
  await offer.waitFor();
  const version = (): Promise<string[]> => page.evaluate(() => caches.keys());
  await page.evaluate(() => Object.assign(window, { isOldPage: true }));
  expect(await version()).toHaveLength(2); // both are there, and the old one answers
  await page.getByRole('navigation').getByRole('button', { name: 'Tree' }).first().click();
  await page.getByRole('main', { name: 'Tree' }).waitFor();
  expect(await page.evaluate(() => 'isOldPage' in window)).toBe(true);
  await offer.click();
  await page.waitForFunction(() => !('isOldPage' in window));
  await anUpdate(); // where the recording stood before
  expect(await offer.count()).toBe(0);
  expect(complaints).toEqual([]);
});

test('a whole session, training and return included, asks nothing of another origin', () => {
  expect(requests.length).toBeGreaterThan(8);
  const foreign = requests.filter(
    (address) => !address.startsWith(origin + PATH) && !address.startsWith('blob:'),
  );
  expect(foreign).toEqual([]);
});
