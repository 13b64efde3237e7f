// node scripts/import_page.mjs FILE [FOLDER_OF_THE_BUILT_SITE]: opens a file of rollouts on the built page as a person does, and
// says after how long the first tree stands, after how long all is read, and for how long the page's thread was busy at most.
import { chromium } from 'playwright';
import { withBuiltSite } from './built_page.mjs';

const [file, folder] = process.argv.slice(2);
if (!file) {
  console.error('node scripts/import_page.mjs FILE [FOLDER_OF_THE_BUILT_SITE]');
  process.exit(2);
}

async function open({ url, launching }) {
  const browser = await chromium.launch(launching);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(url);
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
    console.log(`first tree ${(((first || now) - begun) / 1000).toFixed(1)} s, all of it ${((now - begun) / 1000).toFixed(1)} s, the page busy for ${busy.toFixed(0)} ms at most`); // prettier-ignore
  } finally {
    await browser.close();
  }
}

await withBuiltSite(open, folder);
