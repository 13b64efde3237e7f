// `npm run bench:keep`: what keeping a run costs, in a headless Chromium on a profile on disk. (a) A run of each preset is
// trained with and without its keeper, in turns (kept, not, not, kept, …), with the same seed and so the same tokens:
// processor time of all the browser's processes an update, and bytes on disk. (b) On the built page: how soon a run goes on
// after a reload. (c) On the built page: a log of 200 MB opened through the file input: how soon it is shown, how soon it is
// read, and the longest task of the page's thread meanwhile. Prints tables and saves docs/performance/keep.{json,md}.
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';
import { chromium } from 'playwright';
import { withBuiltSite } from './built_page.mjs';
import { withPage } from './headless.mjs';
import { processorMeter } from './machine_load.mjs';

const { values: options } = parseArgs({
  options: {
    presets: { type: 'string', default: 'instant,classroom' },
    turns: { type: 'string', default: '6' }, // of kept and not kept together, for each preset
    seconds: { type: 'string', default: '25' }, // about, of each turn
    megabytes: { type: 'string', default: '200' },
    only: { type: 'string', default: 'cost,resume,open' },
    'no-docs': { type: 'boolean', default: false },
  },
});

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Runs in the page: an engine and, if it keeps, a keeper. Calls `mark` after the first updates and when all is written. */
async function train([config, keeps, warmUp]) {
  const [{ startEngine }, { startKeeper }] = await Promise.all([
    import('/src/train/engine/client.ts'),
    import('/src/keep/keeper_client.ts'),
  ]);
  let entry = null;
  let heard = () => undefined;
  const keeper = keeps
    ? startKeeper((news) => {
        if (news.kind === 'kept') entry = news.entry;
        heard(news);
      })
    : null;
  const engine = startEngine(undefined, undefined, () => keeper?.join() ?? null);
  let tokens = 0;
  let updates = 0;
  try {
    await new Promise((resolve, reject) => {
      engine.subscribe((event) => {
        if (event.kind === 'ready') engine.send({ kind: 'open', config });
        if (event.kind === 'run-started') engine.send({ kind: 'play' });
        if (event.kind === 'failed') reject(new Error(JSON.stringify(event.report)));
        if (event.kind === 'metrics') {
          updates = event.update;
          if (updates > warmUp) tokens += event.metrics.uniqueTokens;
          if (updates === warmUp) void globalThis.mark('start');
        }
        if (event.kind === 'status' && event.status === 'finished') resolve();
      });
    });
    if (keeper)
      await new Promise((resolve, reject) => {
        heard = (news) => {
          if (news?.kind === 'trouble') reject(new Error(JSON.stringify(news.report)));
          else if ((entry?.update ?? 0) >= updates) resolve();
        };
        heard();
      });
    await globalThis.mark('end');
  } finally {
    engine.close();
    keeper?.close();
  }
  if (!entry) return { tokens, disk: null };
  let folder = await navigator.storage.getDirectory();
  for (const name of ['runs', entry.id]) folder = await folder.getDirectoryHandle(name);
  const sizeOf = async (handle) => (await handle.getFile()).size;
  const logBytes = await sizeOf(await folder.getFileHandle('log.ndjson.gz'));
  const checkpoints = [];
  for await (const handle of (await folder.getDirectoryHandle('checkpoints')).values())
    checkpoints.push(await sizeOf(handle));
  return { tokens, disk: { logBytes, checkpoints } };
}

const WARM_UP = 2; // updates: pipelines compile, the first checkpoint is written
const UPDATES = { instant: 42, boundary: 20, corridor: 40, classroom: 12 }; // of a turn; the tenth and its kin are checkpoints

async function measureCost(preset, turns) {
  const sources = ['train/engine/lab', 'train/engine/worker', 'keep/keeper_worker'];
  const work = async ({ page, server, browser }) => {
    const { labConfig } = await server.ssrLoadModule('/src/train/engine/lab.ts');
    const updates = UPDATES[preset] ?? 12;
    const base = { preset, algorithm: null, seed: 1, updates, evaluationQuestions: 0, settings: [] };
    const config = labConfig(base);
    const processor = await processorMeter(browser);
    const marks = {};
    await page.exposeFunction('mark', async (name) => {
      marks[name] = { at: performance.now(), cpu: await processor() };
    });
    const rows = [];
    for (let turn = 0; turn < turns; turn += 1) {
      const keeps = turn % 4 === 0 || turn % 4 === 3;
      const { tokens, disk } = await page.evaluate(train, [config, keeps, WARM_UP]);
      const cpuSeconds = (marks.end.cpu - marks.start.cpu) / (updates - WARM_UP);
      const seconds = (marks.end.at - marks.start.at) / 1000 / (updates - WARM_UP);
      rows.push({ keeps, tokens, disk, cpuSeconds, seconds });
      console.error(
        `${preset} ${keeps ? 'kept    ' : 'not kept'} ${cpuSeconds.toFixed(3)} CPU s, ${seconds.toFixed(3)} s an update`,
      );
    }
    if (new Set(rows.map(({ tokens }) => tokens)).size > 1)
      throw new Error('The turns had not the same work.');
    const of = (keeps, key) => median(rows.filter((row) => row.keeps === keeps).map((row) => row[key]));
    const { disk, tokens } = rows.find(({ keeps }) => keeps);
    return {
      preset,
      updates,
      tokensPerUpdate: Math.round(tokens / (updates - WARM_UP)),
      cpuSeconds: { kept: of(true, 'cpuSeconds'), not: of(false, 'cpuSeconds') },
      seconds: { kept: of(true, 'seconds'), not: of(false, 'seconds') },
      cost: of(true, 'cpuSeconds') / of(false, 'cpuSeconds') - 1,
      spread: spreadOf(rows.filter(({ keeps }) => !keeps).map(({ cpuSeconds }) => cpuSeconds)),
      logBytesPerUpdate: Math.round(disk.logBytes / updates),
      checkpointBytes: Math.max(...disk.checkpoints),
      rows,
    };
  };
  const entries = sources.map((source) => `src/${source}.ts`);
  return withPage(work, { entries, onDisk: true });
}

/** Of turns that did the same: what the numbers are worth. */
const spreadOf = (values) => (Math.max(...values) - Math.min(...values)) / median(values);

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCS = `${ROOT}docs/performance`;
const WAIT = 120_000;

/** The built page in a browser whose profile lies on disk. */
const withBuiltPage = (work) =>
  withBuiltSite(async ({ url, launching }) => {
    const profile = mkdtempSync(join(tmpdir(), 'turnwise-profile-'));
    const context = await chromium.launchPersistentContext(profile, launching);
    try {
      const page = context.pages()[0];
      page.setDefaultTimeout(WAIT);
      await page.setViewportSize({ width: 1280, height: 800 });
      return await work(page, url);
    } finally {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    }
  });

/** In the page: tasks of its thread that were longer than 50 ms, from now on. */
function startTasks() {
  globalThis.longest = { ms: 0, count: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      globalThis.longest.count += 1;
      globalThis.longest.ms = Math.max(globalThis.longest.ms, duration);
    }
  }).observe({ type: 'longtask' });
}

/** From the reload of a page with a live run until it says that it goes on, and until its next update is over. */
async function measureResume(page, url) {
  await page.goto(url);
  await page.getByRole('button', { name: 'Train live', exact: true }).click();
  await page.getByText(/Live on/).first().waitFor(); // prettier-ignore
  await page.keyboard.press('7');
  const live = page.locator('.runs-view tbody tr').filter({ hasText: 'live' });
  await live.filter({ hasText: /[2-9] of 40|\d\d of 40/ }).waitFor();
  const times = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const started = performance.now();
    await page.reload();
    const words = page.getByText(/^Resumed at update \d+: the page was loaded again/);
    const update = Number(/\d+/.exec((await words.textContent()) ?? '')?.[0]);
    const said = performance.now() - started;
    await page.getByText(`Update ${update + 1} done`).waitFor({ state: 'attached' });
    times.push({ update, saidSeconds: said / 1000, nextUpdateSeconds: (performance.now() - started) / 1000 });
  }
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  return times;
}

/** The shipped recording again and again, its updates numbered on, until its text is as long as asked. */
async function longRecording(path, megabytes) {
  const lines = gunzipSync(readFileSync(`${ROOT}public/recorded-instant.ndjson.members`))
    .toString()
    .trim()
    .split('\n');
  const first = lines.findIndex((line) => line.startsWith('{"kind":"update-started"'));
  const events = lines.slice(first, -1).map((line) => JSON.parse(line)).filter(({ kind }) => kind !== 'status'); // prettier-ignore
  const round = Math.max(...events.map(({ update }) => update));
  const roundBytes = events.reduce((sum, event) => sum + JSON.stringify(event).length + 1, 0);
  const rounds = Math.max(2, Math.ceil((megabytes * 1e6) / roundBytes)); // told from the shipped one by its length
  const head = lines.slice(0, first).map((line) => {
    const event = JSON.parse(line);
    return event.kind === 'run-started'
      ? JSON.stringify({ ...event, config: { ...event.config, updates: rounds * round } })
      : line;
  });
  const count = head.length - 1 + rounds * events.length;
  let bytes = 0;
  function* text() {
    yield `${head.join('\n')}\n`;
    for (let at = 0; at < rounds; at += 1)
      yield events
        .map((event) => `${JSON.stringify({ ...event, update: event.update + at * round })}\n`)
        .join('');
    yield `${JSON.stringify({ kind: 'end', events: count })}\n`;
  }
  const counted = new Transform({
    transform(chunk, _encoding, done) {
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(text, counted, createGzip(), createWriteStream(path));
  return {
    updates: rounds * round,
    events: count,
    megabytes: bytes / 1e6,
    fileMegabytes: statSync(path).size / 1e6,
  };
}

async function measureOpen(page, url, megabytes) {
  const path = join(tmpdir(), `turnwise-${process.pid}.ndjson.gz`);
  const file = await longRecording(path, megabytes);
  try {
    await page.goto(`${url}#v1&view=train`);
    await page.getByText(/Update 1 done/).waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.evaluate(startTasks);
    const started = performance.now();
    await page.locator('input[type=file]').first().setInputFiles(path);
    const since = () => (performance.now() - started) / 1000;
    await page.getByText(`of ${file.updates}`).first().waitFor();
    await page.getByText(/Update [1-9]\d* done/).waitFor({ state: 'attached' });
    const shownSeconds = since();
    await page.getByText(`Update ${file.updates} done`).waitFor({ state: 'attached' });
    const { longest } = await page.evaluate(() => ({ longest: globalThis.longest }));
    return {
      ...file,
      shownSeconds,
      readSeconds: since(),
      longestTaskMs: longest.ms,
      longTasks: longest.count,
    };
  } finally {
    rmSync(path, { force: true });
  }
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const kB = (bytes) => `${Math.round(bytes / 1000)} kB`;
const COST_GOAL = 0.03;

function reportCost(rows) {
  return [
    '## What keeping costs',
    '',
    'Processor time of all the browser’s processes an update, medians of turns with the same seed and the same tokens. The spread is that of the turns that were not kept, which all did the same.',
    '',
    '| preset | tokens an update | not kept, CPU s | kept, CPU s | cost | spread | log an update | a checkpoint |',
    '| --- | --: | --: | --: | --: | --: | --: | --: |',
    ...rows.map(
      ({ preset, tokensPerUpdate, cpuSeconds, cost, spread, logBytesPerUpdate, checkpointBytes }) =>
        `| ${preset} | ${tokensPerUpdate} | ${cpuSeconds.not.toFixed(3)} | ${cpuSeconds.kept.toFixed(3)} | ${percent(cost)} | ${percent(spread)} | ${kB(logBytesPerUpdate)} | ${kB(checkpointBytes)} |`,
    ),
    '',
    ...rows.map(
      ({ preset, cost }) =>
        `- **${cost < COST_GOAL ? 'Met' : 'Missed'}:** ${preset}: under ${percent(COST_GOAL)}: ${percent(cost)}.`,
    ),
    '',
  ];
}

const reportResume = (times) => [
  '## Going on after a reload',
  '',
  '`instant`, the built page, from the reload of a page whose run is live.',
  '',
  '| resumed at update | until the page says so, s | until the next update is over, s |',
  '| --: | --: | --: |',
  ...times.map(
    ({ update, saidSeconds, nextUpdateSeconds }) =>
      `| ${update} | ${saidSeconds.toFixed(1)} | ${nextUpdateSeconds.toFixed(1)} |`,
  ),
  '',
];

const reportOpen = ({ updates, megabytes, fileMegabytes, shownSeconds, readSeconds, longestTaskMs }) => [
  '## Opening a large file',
  '',
  `A log of ${updates} updates, ${Math.round(megabytes)} MB of text, ${Math.round(fileMegabytes)} MB as a file, chosen by the page’s file input.`,
  '',
  `- on screen after ${shownSeconds.toFixed(1)} s, read to its end after ${readSeconds.toFixed(1)} s;`,
  `- the longest task of the page’s thread meanwhile: ${Math.round(longestTaskMs)} ms.`,
  '',
];

async function main() {
  const only = options.only.split(',');
  const load = loadavg()[0];
  const costs = [];
  if (only.includes('cost'))
    for (const preset of options.presets.split(','))
      costs.push(await measureCost(preset, Number(options.turns)));
  let [resume, open, browser] = [null, null, ''];
  if (only.includes('resume') || only.includes('open'))
    await withBuiltPage(async (page, url) => {
      browser = `Chromium ${page.context().browser()?.version() ?? ''}`;
      if (only.includes('open')) open = await measureOpen(page, url, Number(options.megabytes));
      if (only.includes('resume')) resume = await measureResume(page, url);
    });
  const header = {
    command: [
      'npm run bench:keep',
      ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : []),
    ].join(' '),
    date: new Date().toISOString().slice(0, 10),
    browser,
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    load: Number(load.toFixed(1)),
  };
  const text = [
    '# What it costs to keep a run, to go on with it and to open a large one',
    '',
    `\`${header.command}\`, ${header.date}, ${header.browser}, software adapter (SwiftShader), ${header.cores} cores (${header.cpu}), load average ${header.load} at the start. Times by the clock hold for the machine as loaded as it was; shares are of processor time.`,
    '',
    ...(costs.length > 0 ? reportCost(costs) : []),
    ...(resume ? reportResume(resume) : []),
    ...(open ? reportOpen(open) : []),
  ].join('\n');
  console.log(text);
  if (options['no-docs']) return;
  mkdirSync(DOCS, { recursive: true });
  writeFileSync(`${DOCS}/keep.json`, `${JSON.stringify({ header, costs, resume, open }, null, 2)}\n`);
  writeFileSync(`${DOCS}/keep.md`, text);
}

await main();
