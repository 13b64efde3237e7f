// The built site behind a server on a free port, for scripts that open the page as a person does.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { browserFlags, findBrowser, installBrowser } from './browser.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs `work({ url, launching })`, and takes the site away after it.
 * `launching`: options of Playwright's launch, for a headless browser with WebGPU.
 * @param folder of a site that is built already; absent: it is built now
 * @throws Error where no browser is found
 */
export async function withBuiltSite(work, folder) {
  const executablePath = findBrowser() ?? installBrowser();
  if (!executablePath)
    throw new Error('No Chromium found. Set CHROME_PATH, or: npx playwright install chromium');
  const outDir = folder ?? `.cache/built-${process.pid}`;
  if (folder === undefined)
    await build({ root: ROOT, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
  const settings = { logLevel: 'warn', preview: { host: 'localhost', port: 0 } };
  const server = await preview({ root: ROOT, ...settings, build: { outDir } });
  try {
    const launching = { executablePath, headless: true, args: browserFlags() };
    return await work({ url: server.resolvedUrls.local[0], launching });
  } finally {
    await new Promise((resolve) => server.httpServer.close(resolve));
    if (folder === undefined) rmSync(`${ROOT}${outDir}`, { recursive: true, force: true });
  }
}
