// `npm run bench:ui`: how fluently the page answers, in a headless Chromium. (a) A tree of 10,000 nodes, made here and
// played through the page's own recording reader: frame times of panning, zooming and selecting. (b) Training live on
// the `instant` preset: how long clicks wait for their paint. Prints a table and saves docs/performance/ui.{json,md}.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { build, preview } from 'vite';
import { browserFlags, findBrowser, installBrowser } from './browser.mjs';
import { syntheticRun } from './synthetic_tree.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUTPUT = `.cache/bench-ui-${process.pid}`;
const DOCS = `${ROOT}docs/performance`;
const RECORDING = 'recorded-instant.ndjson.gz';
const VIEWPORT = { width: 1280, height: 800 };
const FRAME_GOAL_MS = 33;
const INP_GOAL_MS = 100;

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '20' }, // of clicking while training
    adapter: { type: 'string', default: 'software' }, // or hardware
    'no-docs': { type: 'boolean', default: false },
    only: { type: 'string', default: 'tree,training' },
  },
});
if (options.adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs

const quantile = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
const round = (value) => Number(value.toFixed(1));

function summary(times) {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    median: round(quantile(sorted, 0.5)),
    p95: round(quantile(sorted, 0.95)),
    p99: round(quantile(sorted, 0.99)),
    worst: round(sorted.at(-1) ?? 0),
    over: sorted.filter((time) => time > FRAME_GOAL_MS).length,
  };
}

/** In the page: notes the time between animation frames, and what the main thread did in tasks over 50 ms. */
function startMeters() {
  const meters = { frames: [], tasks: [], running: true };
  let last = null;
  const frame = (now) => {
    if (last !== null) meters.frames.push(now - last);
    last = now;
    if (meters.running) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  meters.observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) meters.tasks.push(entry.duration);
  });
  meters.observer.observe({ type: 'longtask' });
  globalThis.meters = meters;
}

function stopMeters() {
  const { meters } = globalThis;
  meters.running = false;
  meters.observer.disconnect();
  return { frames: meters.frames, tasks: meters.tasks };
}

/** CPU time that the page's main thread has used so far, ms: what others on the machine do is not in it. */
async function mainThreadMs(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value;
}

/** Runs `act` with the meters on; it asks for one thing a frame, as a hand does. */
async function measureFrames(page, session, act) {
  await page.evaluate(startMeters);
  const before = await mainThreadMs(session);
  await act();
  const cpuMs = (await mainThreadMs(session)) - before;
  const { frames, tasks } = await page.evaluate(stopMeters);
  return {
    ...summary(frames),
    cpuPerFrame: round(cpuMs / Math.max(1, frames.length)),
    longTasks: tasks.length,
    longestTask: round(Math.max(0, ...tasks)),
  };
}

/** In the page: sends pointer, wheel or key events to the tree, one step each frame, as fast as frames come. */
async function gesture([kind, steps]) {
  const frame = document.querySelector('.tree-frame');
  const canvas = frame.querySelector('canvas.tree-canvas');
  const { left, top, width, height } = frame.getBoundingClientRect();
  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const at = (x, y) => ({
    clientX: left + x,
    clientY: top + y,
    bubbles: true,
    cancelable: true,
    pointerId: 1,
  });
  const point = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, { ...at(x, y), buttons: 1 }));
  for (let step = 0; step < steps; step += 1) {
    const turn = (2 * Math.PI * step) / 120;
    if (kind === 'pan') {
      const y = height / 2 + 0.4 * height * Math.cos(turn);
      if (step % 60 === 0) point('pointerdown', width / 3, y);
      else if (step % 60 === 59) {
        point('pointerup', width / 3, y);
        canvas.dispatchEvent(new MouseEvent('click', at(width / 3, y)));
      } else point('pointermove', width / 3 + 60 * Math.sin(turn), y + (step % 7));
    } else if (kind === 'zoom') {
      const deltaY = Math.sin(turn) > 0 ? -45 : 45;
      canvas.dispatchEvent(new WheelEvent('wheel', { ...at(width / 3, height / 2), deltaY }));
    } else {
      const key = ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowDown'][step % 6];
      const tree = frame.querySelector('[role=tree]');
      tree.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    }
    await nextFrame();
  }
}

const TREE_STEPS = 240;

/** Opens the page with the synthetic run in place of the shipped recording. */
async function measureTree(browser, url, nodeCount) {
  const page = await browser.newPage({ viewport: VIEWPORT });
  const body = gzipSync(syntheticRun(nodeCount, readFileSync(`${ROOT}public/${RECORDING}`)));
  await page.route(`**/${RECORDING}`, (route) =>
    route.fulfill({ status: 200, contentType: 'application/gzip', body }),
  );
  await page.goto(`${url}#v1&view=tree&update=1`);
  await page.waitForSelector('canvas.tree-canvas', { timeout: 60_000 });
  await page.waitForTimeout(3000); // the engine beside it has started
  const shown = await page.getByRole('tree').getAttribute('aria-label');
  if (!shown) throw new Error('The synthetic tree is not on screen.');
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const results = {};
  results['idle'] = await measureFrames(page, session, () => page.waitForTimeout(2000));
  for (const kind of ['pan', 'zoom', 'select'])
    results[kind] = await measureFrames(page, session, () => page.evaluate(gesture, [kind, TREE_STEPS]));
  await page.close();
  return results;
}

/** In the page: the longest wait of each interaction, from the Event Timing API. */
function startInteractions() {
  globalThis.waits = new Map();
  new PerformanceObserver((list) => {
    for (const { interactionId, duration, name } of list.getEntries()) {
      if (!interactionId) continue;
      const before = globalThis.waits.get(interactionId);
      if (!before || before.duration < duration) globalThis.waits.set(interactionId, { duration, name });
    }
  }).observe({ type: 'event', durationThreshold: 16, buffered: false });
}

async function measureTraining(browser, url, seconds) {
  const page = await browser.newPage({ viewport: VIEWPORT });
  await page.goto(`${url}#v1&update=1`); // stands still, so that Play trains
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  await page.waitForTimeout(8000); // pipelines compile
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.locator('.badge[data-kind=live]').waitFor({ timeout: 60_000 });
  await page.waitForTimeout(4000);
  await page.evaluate(startInteractions);
  await page.evaluate(startMeters);
  const until = Date.now() + seconds * 1000;
  const visited = ['2', '3', '4', '6', '1'];
  let clicks = 0;
  while (Date.now() < until) {
    const view = visited[clicks % visited.length];
    await page
      .locator('nav button')
      .nth(Number(view) - 1)
      .click();
    await page.waitForTimeout(250);
    await page.keyboard.press('[');
    await page.waitForTimeout(250);
    await page.keyboard.press(view === '3' ? 'ArrowRight' : ']');
    await page.waitForTimeout(250);
    await page.keyboard.press('f');
    await page.waitForTimeout(150);
    clicks += 1;
  }
  const { frames, tasks } = await page.evaluate(stopMeters);
  const waits = await page.evaluate(() => [...globalThis.waits.values()]);
  const updates = await page.evaluate(
    () => document.body.textContent?.match(/Update (\d+) done/)?.[1] ?? null,
  );
  await page.close();
  const interactions = clicks * 4;
  const delays = waits.map(({ duration }) => duration).toSorted((a, b) => b - a);
  // The Event Timing API does not report interactions faster than 16 ms; INP leaves one in fifty out.
  const inp = delays[Math.floor(interactions / 50)] ?? 16;
  return {
    interactions,
    slowerThan16: delays.length,
    inp,
    worst: delays[0] ?? 16,
    frames: summary(frames),
    longTasks: tasks.length,
    longestTask: round(Math.max(0, ...tasks)),
    updates: updates && Number(updates),
  };
}

async function adapterOf(browser, url) {
  const page = await browser.newPage();
  await page.goto(url);
  const adapter = await page.evaluate(async () => {
    const info = (await navigator.gpu?.requestAdapter())?.info;
    return info ? `${info.vendor} ${info.architecture} ${info.description}`.trim() : 'no WebGPU';
  });
  await page.close();
  return adapter;
}

const ROWS = { idle: 'nothing (the floor)', pan: 'pan', zoom: 'zoom', select: 'select' };

function report({ header, tree, training }) {
  const lines = [
    '# How fluently the page answers',
    '',
    `\`${header.command}\`, ${header.date}, ${header.browser}, ${header.cores} cores (${header.cpu}), WebGPU adapter ${header.adapter}, drawing ${header.drawing}, load average ${header.load} at the start (a quiet machine has about 0).`,
    '',
  ];
  if (tree) {
    lines.push(
      `## A tree of ${header.nodes} nodes`,
      '',
      `One step of the gesture each animation frame, ${TREE_STEPS} frames. Goal: no frame over ${FRAME_GOAL_MS} ms.`,
      '',
      '| gesture | median ms | p95 | p99 | worst | over 33 ms | long tasks | longest ms | CPU ms a frame, main thread |',
      '| --- | --: | --: | --: | --: | --: | --: | --: | --: |',
      ...Object.entries(tree).map(
        ([kind, row]) =>
          `| ${ROWS[kind]} | ${row.median} | ${row.p95} | ${row.p99} | ${row.worst} | ${row.over} of ${row.count} | ${row.longTasks} | ${row.longestTask} | ${row.cpuPerFrame} |`,
      ),
      '',
    );
  }
  if (training)
    lines.push(
      '## While `instant` trains',
      '',
      `Clicks on views and keys that move through updates, ${training.interactions} interactions. Goal: INP under ${INP_GOAL_MS} ms.`,
      '',
      '| INP ms | worst ms | slower than 16 ms | frame median | frame p95 | frame worst | long tasks | longest ms |',
      '| --: | --: | --: | --: | --: | --: | --: | --: |',
      `| ${training.inp} | ${training.worst} | ${training.slowerThan16} | ${training.frames.median} | ${training.frames.p95} | ${training.frames.worst} | ${training.longTasks} | ${training.longestTask} |`,
      '',
    );
  return lines.join('\n');
}

async function main() {
  const executablePath = findBrowser() ?? installBrowser();
  if (!executablePath)
    throw new Error('No Chromium found. Set CHROME_PATH, or: npx playwright install chromium');
  await build({ root: ROOT, logLevel: 'warn', build: { outDir: OUTPUT, emptyOutDir: true } });
  const server = await preview({
    root: ROOT,
    logLevel: 'warn',
    build: { outDir: OUTPUT },
    preview: { host: 'localhost', port: 0 },
  });
  const url = server.resolvedUrls.local[0];
  const browser = await chromium.launch({ executablePath, headless: true, args: browserFlags() });
  try {
    const header = {
      command: ['npm run bench:ui', ...process.argv.slice(2)].join(' '),
      date: new Date().toISOString().slice(0, 10),
      browser: `Chromium ${browser.version()}`,
      cores: cpus().length,
      cpu: cpus()[0]?.model ?? 'unknown',
      adapter: await adapterOf(browser, url),
      drawing: 'by the CPU (headless)',
      load: round(loadavg()[0]), // processes that wanted a core in the last minute
      nodes: Number(options.nodes),
    };
    const only = options.only.split(',');
    const tree = only.includes('tree') ? await measureTree(browser, url, header.nodes) : null;
    const training = only.includes('training')
      ? await measureTraining(browser, url, Number(options.seconds))
      : null;
    const text = report({ header, tree, training });
    console.log(text);
    if (options['no-docs']) return;
    mkdirSync(DOCS, { recursive: true });
    writeFileSync(`${DOCS}/ui.json`, `${JSON.stringify({ header, tree, training }, null, 2)}\n`);
    writeFileSync(`${DOCS}/ui.md`, text);
  } finally {
    await browser.close();
    await new Promise((resolve) => server.httpServer.close(resolve));
    rmSync(`${ROOT}${OUTPUT}`, { recursive: true, force: true });
  }
}

await main();
