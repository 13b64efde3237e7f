// node scripts/import_page.mjs FILE [FOLDER_OF_THE_BUILT_SITE]: opens a file of rollouts on the built page as a person does, and
// says after how long the first tree stands, after how long all is read, how long the last step takes to be read back from the
// file, for how long the page's thread was busy at most, and the most that the page's heap held.
import { chromium } from 'playwright';
import { withBuiltSite } from './built_page.mjs';

const [file, folder] = process.argv.slice(2);
if (!file) {
  console.error('node scripts/import_page.mjs FILE [FOLDER_OF_THE_BUILT_SITE]');
  process.exit(2);
}
const HOUR = 3_600_000;
const HEAP_MS = 250; // between two looks at the heap
const megabytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MB`;
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** @returns what stops looking, and says the most that the page's heap held; a worker does not tell of its own */
function watchHeap(page) {
  let most = 0;
  const used = () => performance.memory?.usedJSHeapSize ?? 0;
  const look = async () => {
    const own = await page.evaluate(used).catch(() => 0);
    most = Math.max(most, own);
  };
  const timer = setInterval(() => void look(), HEAP_MS);
  return () => {
    clearInterval(timer);
    return most;
  };
}

const isRead = () => document.querySelector('.conversation [data-author=policy]') !== null;

async function open({ url, launching }) {
  const browser = await chromium.launch({ ...launching, args: [...launching.args, '--enable-precise-memory-info'] }); // prettier-ignore
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
    const mostHeap = watchHeap(page);
    await page.locator('input[type=file]').first().setInputFiles(file);
    await page.getByText('Read as').waitFor({ timeout: HOUR });
    const { begun, first, now } = await page.evaluate(() => ({ ...globalThis.seen, now: performance.now() }));
    console.log(await page.locator('.import-news p').innerText());
    console.log(`first tree ${seconds((first || now) - begun)}, all of it ${seconds(now - begun)}`);
    await page.evaluate(() => (location.hash = location.hash.replace(/&update=\d+/, ''))); // the newest
    const readThem = page.getByRole('button', { name: 'Read them' });
    const isInFile = await readThem.waitFor({ timeout: 5000 }).then(() => true, () => false); // prettier-ignore
    if (isInFile) {
      const from = await page.evaluate(() => performance.now());
      await readThem.click();
      await page.waitForFunction(isRead, undefined, { timeout: HOUR });
      const until = await page.evaluate(() => performance.now());
      console.log(`the last step read back and on screen after ${seconds(until - from)}`);
    }
    const busy = await page.evaluate(() => globalThis.seen.busy);
    console.log(`the page busy for ${busy.toFixed(0)} ms at most, its heap at most ${megabytes(mostHeap())}`); // prettier-ignore
  } finally {
    await browser.close();
  }
}

await withBuiltSite(open, folder);
