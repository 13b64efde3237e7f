// node scripts/import_page.mjs FILE [FOLDER_OF_THE_BUILT_SITE]: opens a file of rollouts on the built page as a person does, and
// says after how long the first tree stands, after how long all is read, and for how long the page's thread was busy at most.
import { preview } from 'vite';
import { chromium } from 'playwright';
import { browserFlags, findBrowser } from './browser.mjs';

const [file, outDir = 'dist'] = process.argv.slice(2);
if (!file) {
  console.error('node scripts/import_page.mjs FILE [FOLDER_OF_THE_BUILT_SITE]');
  process.exit(2);
}
const server = await preview({ build: { outDir }, preview: { port: 0 }, logLevel: 'error' });
const executablePath = findBrowser();
const browser = await chromium.launch({
  ...(executablePath ? { executablePath } : {}),
  args: browserFlags(),
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(server.resolvedUrls.local[0]);
  await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Tree' }).click();
  await page.getByRole('treeitem').first().waitFor(); // of the recorded run
  await page.evaluate(() => {
    const seen = { begun: 0, first: 0, busy: 0, last: performance.now() };
    globalThis.seen = seen;
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries())
        if (seen.begun > 0 && startTime + duration > seen.begun) seen.busy = Math.max(seen.busy, duration);
    }).observe({ entryTypes: ['longtask'] });
    document.querySelector('input[type=file]').addEventListener('change', () => (seen.begun = performance.now()), { capture: true }); // prettier-ignore
    new MutationObserver(() => {
      const isThere = document.querySelector('.conversation [data-author=policy]');
      if (seen.begun > 0 && seen.first === 0 && isThere) seen.first = performance.now();
    }).observe(document.body, { childList: true, subtree: true });
  });
  await page.locator('input[type=file]').first().setInputFiles(file);
  await page.getByText('Read as').waitFor({ timeout: 600_000 });
  const { begun, first, busy, now } = await page.evaluate(() => ({
    ...globalThis.seen,
    now: performance.now(),
  }));
  console.log(await page.locator('.import-news p').innerText());
  console.log(`first tree ${((first - begun) / 1000).toFixed(1)} s, all of it ${((now - begun) / 1000).toFixed(1)} s, the page busy for ${busy.toFixed(0)} ms at most`); // prettier-ignore
} finally {
  await browser.close();
  await server.close();
}
