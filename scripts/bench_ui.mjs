// `npm run bench:ui`: how fluently the page answers, in a headless Chromium. (a) A tree of 10,000 nodes, made here and
// played through the page's own recording reader: frames while panning, zooming and selecting. (b) Training live on the
// `instant` preset: how long clicks and keys wait for their paint. Times by the clock hold for the machine as loaded as it
// was; times of the main thread are the page's own work. Prints tables and saves docs/performance/ui.{json,md}.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { withBuiltSite } from './built_page.mjs';
import { ordinaryPriorities, startLoad } from './machine_load.mjs';
import { WORK_CATEGORIES, pageWork } from './page_work.mjs';
import { syntheticRun } from './synthetic_tree.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCS = `${ROOT}docs/performance`;
const RECORDING = 'recorded-instant.ndjson.members';
const VIEWPORT = { width: 1280, height: 800 };
const FRAME_GOAL_MS = 33;
const WORK_GOAL_MS = 8; // of the main thread: half of a frame at 60 Hz
const INP_GOAL_MS = 100;

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '20' }, // of clicking while training
    adapter: { type: 'string', default: 'software' }, // or hardware
    'no-docs': { type: 'boolean', default: false },
    priorities: { type: 'string', default: 'ordinary' }, // or as-is: see machine_load.mjs
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

/** Runs `act` with a trace of the page and the load of the machine. @returns what `read` makes of the trace */
async function measured(browser, page, act, inputs = []) {
  const session = await browser.newBrowserCDPSession();
  await browser.startTracing(page, { categories: WORK_CATEGORIES });
  const endLoad = await startLoad(session);
  await act();
  const { own, others } = await endLoad();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  await session.detach();
  return { ...pageWork(traceEvents, inputs), load: { own: round(own), others: round(others) } };
}

/** `act` asks for one thing a frame, as a hand does. */
async function measureFrames(browser, page, act) {
  await page.evaluate(startMeters);
  const { frames: work, load } = await measured(browser, page, act);
  const { frames, tasks } = await page.evaluate(stopMeters);
  const { median, p99, worst } = summary(work);
  return {
    ...summary(frames),
    work: { median, p99, worst },
    longTasks: tasks.length,
    longestTask: round(Math.max(0, ...tasks)),
    load,
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
  const results = {};
  results['idle'] = await measureFrames(browser, page, () => page.waitForTimeout(2000));
  for (const kind of ['pan', 'zoom', 'select'])
    results[kind] = await measureFrames(browser, page, () => page.evaluate(gesture, [kind, TREE_STEPS]));
  await page.close();
  return results;
}

/** In the page: the longest wait of each interaction and its parts, from the Event Timing API. */
function startInteractions() {
  globalThis.waits = new Map();
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { interactionId, startTime, duration, name, processingStart, processingEnd } = entry;
      if (!interactionId) continue;
      const before = globalThis.waits.get(interactionId);
      if (before && before.duration >= duration) continue;
      globalThis.waits.set(interactionId, {
        name,
        duration,
        input: processingStart - startTime, // until the page began to answer
        processing: processingEnd - processingStart,
        presentation: startTime + duration - processingEnd, // until it was on screen
      });
    }
  }).observe({ type: 'event', durationThreshold: 16, buffered: false });
}

const PRESSED = ['pointerdown', 'click', 'keydown']; // what a person waits for

/** Clicks from view to view and moves through updates by keys. @returns how many interactions that were */
async function wander(page, seconds) {
  const until = Date.now() + seconds * 1000;
  const visited = ['2', '3', '4', '6', '1'];
  let rounds = 0;
  for (; Date.now() < until; rounds += 1) {
    const view = visited[rounds % visited.length];
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
  }
  return 4 * rounds;
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
  let interactions = 0;
  const act = async () => {
    interactions = await wander(page, seconds);
  };
  const { inputs, load } = await measured(browser, page, act, PRESSED);
  const { frames, tasks } = await page.evaluate(stopMeters);
  const waits = await page.evaluate(() => [...globalThis.waits.values()]);
  const updates = await page.evaluate(
    () => document.body.textContent?.match(/Update (\d+) done/)?.[1] ?? null,
  );
  await page.close();
  const slowest = waits.toSorted((a, b) => b.duration - a.duration);
  const part = (name) => {
    const { median, p95, worst } = summary(waits.map((wait) => wait[name]));
    return { median, p95, worst };
  };
  const work = summary(inputs.map(({ ms }) => ms));
  return {
    interactions,
    slowerThan16: waits.length,
    // The Event Timing API does not report interactions faster than 16 ms; INP leaves one in fifty out.
    inp: slowest[Math.floor(interactions / 50)]?.duration ?? 16,
    median: interactions > 2 * waits.length ? 16 : (slowest[Math.floor(interactions / 2)]?.duration ?? 16),
    worst: slowest[0]?.duration ?? 16,
    parts: { input: part('input'), processing: part('processing'), presentation: part('presentation') },
    work: { median: work.median, p95: work.p95, worst: work.worst },
    frames: summary(frames),
    longTasks: tasks.length,
    longestTask: round(Math.max(0, ...tasks)),
    updates: updates && Number(updates),
    load,
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

const others = ({ load }) => `${load.others} of ${cpus().length}`;
const verdict = (met, text) => `**${met ? 'Met' : 'Missed'}:** ${text}`;

function reportTree({ nodes }, tree) {
  const gestures = Object.entries(tree).filter(([kind]) => kind !== 'idle');
  const over = gestures.reduce((sum, [, row]) => sum + row.over, 0);
  const floor = tree.idle.over / tree.idle.count;
  const worst = Math.max(...gestures.map(([, { work }]) => work.p99));
  return [
    `## A tree of ${nodes} nodes`,
    '',
    `One step of the gesture each animation frame, ${TREE_STEPS} frames.`,
    '',
    '| gesture | frame ms, median | p95 | p99 | worst | over 33 ms | page’s work a frame, median ms | p99 | worst | long tasks | processors others used |',
    '| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |',
    ...Object.entries(tree).map(
      ([kind, row]) =>
        `| ${ROWS[kind]} | ${row.median} | ${row.p95} | ${row.p99} | ${row.worst} | ${row.over} of ${row.count} | ${row.work.median} | ${row.work.p99} | ${row.work.worst} | ${row.longTasks} | ${others(row)} |`,
    ),
    '',
    `- ${verdict(over === 0, `no frame over ${FRAME_GOAL_MS} ms: ${over} were${over > 0 ? ` (of a page that does nothing, ${round(100 * floor)} % were)` : ''}.`)}`,
    `- ${verdict(worst <= WORK_GOAL_MS, `the page’s own work up to ${WORK_GOAL_MS} ms a frame in 99 of 100: ${worst} ms.`)}`,
    '',
  ];
}

function reportTraining(training) {
  const { parts, work, frames } = training;
  const line = (name, { median, p95, worst }) => `| ${name} | ${median} | ${p95} | ${worst} |`;
  return [
    '## While `instant` trains',
    '',
    `Clicks on views and keys that move through updates, ${training.interactions} interactions in ${training.updates ?? '?'} updates; others used ${others(training)} processors.`,
    '',
    '| ms | median | p95 | worst |',
    '| --- | --: | --: | --: |',
    line('until the page begins to answer', parts.input),
    line('answering, by the clock', parts.processing),
    line('until it is on screen', parts.presentation),
    line('work of the main thread, frame included', work),
    line('frames meanwhile', frames),
    '',
    `- ${verdict(training.inp < INP_GOAL_MS, `INP under ${INP_GOAL_MS} ms: ${training.inp} ms (median ${training.median}, worst ${training.worst}).`)}`,
    `- Long tasks: ${training.longTasks}, the longest ${training.longestTask} ms by the clock.`,
    '',
  ];
}

function report({ header, tree, training }) {
  const { command, date, browser, cores, cpu, adapter, drawing, priorities, load } = header;
  return [
    '# How fluently the page answers',
    '',
    `\`${command}\`, ${date}, ${browser}, ${cores} cores (${cpu}), WebGPU adapter ${adapter}, drawing ${drawing}, ${priorities}, load average ${load} at the start. A quiet machine has a load of about 0 and no others; with others, times by the clock are upper bounds, and only the page’s work can be compared.`,
    '',
    ...(tree ? reportTree(header, tree) : []),
    ...(training ? reportTraining(training) : []),
  ].join('\n');
}

async function measure({ url, launching }) {
  const browser = await chromium.launch(launching);
  try {
    const adapter = await adapterOf(browser, url); // the GPU process runs from here on
    const session = await browser.newBrowserCDPSession();
    const ordinary = options.priorities === 'ordinary' ? await ordinaryPriorities(session) : 0;
    const header = {
      command: ['npm run bench:ui', ...process.argv.slice(2)].join(' '),
      date: new Date().toISOString().slice(0, 10),
      browser: `Chromium ${browser.version()}`,
      cores: cpus().length,
      cpu: cpus()[0]?.model ?? 'unknown',
      adapter,
      drawing: 'by the CPU (headless)',
      priorities: ordinary > 0 ? 'GPU process at an ordinary user’s priority' : 'priorities as they are',
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
  }
}

await withBuiltSite(measure);
