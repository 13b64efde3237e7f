// A blank page of the source tree in a headless browser with WebGPU, for scripts that need a device: a Vite server
// on a free port, and Chromium as the tests use it (browser.mjs).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BLANK = '/blank';
const CACHE = `.cache/vite-headless-${process.pid}`; // its own: several may run at once

const blankPage = {
  name: 'blank-page',
  configureServer: (server) => {
    server.middlewares.use(BLANK, (_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        '<!doctype html><meta charset="utf-8"><title>turnwise</title><link rel="icon" href="data:,">',
      );
    });
  },
};

/** Source files that import packages, so that Vite prepares those before the page asks for them. */
async function startServer(entries) {
  const server = await createServer({
    root: ROOT,
    logLevel: 'warn',
    appType: 'custom',
    cacheDir: CACHE,
    plugins: [blankPage],
    optimizeDeps: { entries },
    server: { host: 'localhost', port: 0, hmr: false, ws: false, watch: null },
  });
  await server.listen();
  return server;
}

/** A page, and what closes its browser. On disk: what the page stores lies in a profile that goes with the browser. */
async function openPage({ adapterFlags, onDisk, hearsInterrupts = false }) {
  // here: who needs the server alone does not load Playwright
  const { chromium } = await import('playwright');
  const { browserFlags, findBrowser, installBrowser } = await import('./browser.mjs');
  const executablePath = findBrowser() ?? installBrowser();
  if (!executablePath) {
    throw new Error(
      'No Chrome, Chromium or Edge found. Install one, or set CHROME_PATH to its executable, or run: npx playwright install chromium',
    );
  }
  const launching = {
    ...{ executablePath, headless: true, args: browserFlags(adapterFlags) },
    handleSIGINT: !hearsInterrupts,
  };
  if (!onDisk) {
    const browser = await chromium.launch(launching);
    return { browser, page: await browser.newPage(), close: () => browser.close() };
  }
  const profile = mkdtempSync(join(tmpdir(), 'turnwise-profile-'));
  const context = await chromium.launchPersistentContext(profile, launching);
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { browser: context.browser(), page: context.pages()[0], close };
}

/**
 * Runs `work({ page, server, url, browser })` with a blank page of the source tree; closes everything after it.
 * In the page, `await import('/src/…')` loads any source file; on this side, `server.ssrLoadModule('/src/…')` does.
 * Options: entries (source files whose packages Vite should prepare), onConsole (gets each console line and its type;
 * default: printed to stderr), browser: false for the server alone, adapterFlags (Chromium's, browser.mjs), onDisk: true (storage of the page lies on disk, not in memory), hearsInterrupts: true (Ctrl-C is the caller's business).
 */
export async function withPage(work, options = {}) {
  const onConsole = options.onConsole ?? ((text) => console.error(text));
  const server = await startServer(options.entries ?? []);
  const url = server.resolvedUrls.local[0];
  let opened;
  try {
    if (options.browser === false) return await work({ server, url });
    opened = await openPage(options);
    const { browser, page } = opened;
    page.on('console', (message) => onConsole(message.text(), message.type()));
    page.on('pageerror', (error) => onConsole(error.stack ?? error.message, 'error'));
    await page.goto(new URL(BLANK, url).href);
    return await work({ page, server, url, browser });
  } finally {
    await opened?.close();
    await server.close();
    rmSync(new URL(`../${CACHE}`, import.meta.url), { recursive: true, force: true });
  }
}
