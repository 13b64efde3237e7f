// `npm run soak`: trains for long in a headless browser as the page does, engine and store, without the views, and
// judges what must not grow. Device memory: bytes of the engine's living buffers at each look, none more than at the
// first. Heaps of page and worker after a garbage collection, and time per update: medians of the last third of the run
// against the second. Pauses: asked for at odd moments, how soon the engine says that it is paused, and (not judged: it
// is the work under way) how soon the last event came after which nothing moved. The learning rate is 0 unless set, so
// that every update has the same work: a policy that learns writes longer or shorter turns. Writes samples and a verdict
// as JSON; exits with 1 when something grew.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `npm run soak -- [options]
  --minutes N        how long to train; default 60
  --preset NAME      default instant
  --every N          updates between two looks at the memory; default 10
  --kept-mb N        events that the page keeps at hand, MB; default 8, so that old updates are let go early
  --set PATH=VALUE   any setting, as for npm run lab; may be repeated. The learning rate is 0 unless it is set
  --json FILE        writes samples and verdict
  --adapter KIND     software (default) or hardware`;

const LIMITS = {
  heapGrowth: 0.05, // of page and worker together, from the second third to the last, and 1 MB of slack
  deviceGrowth: 0, // all is allocated with the first update
  slowdown: 0.03, // of the time per update, from the second third to the last: CPU time on a software adapter, which
  // shares the processor with whatever else runs there; wall clock on hardware
  pauseMs: 100,
};
const FEWEST_LOOKS = 9; // three in each third
const STAND_MS = 500; // of each pause; nothing under way takes longer
const SLACK_BYTES = 2 ** 20;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    preset: { type: 'string', default: 'instant' },
    every: { type: 'string', default: '10' },
    'kept-mb': { type: 'string', default: '8' },
    set: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    adapter: { type: 'string', default: 'software' },
    help: { type: 'boolean', default: false },
  },
});

/** The heaps of a page and of the workers it starts, after a garbage collection. */
async function heapMeter(page) {
  const cdp = await page.context().newCDPSession(page);
  const workers = new Set();
  const waiting = new Map();
  let asked = 0;
  cdp.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type === 'worker') workers.add(sessionId);
  });
  cdp.on('Target.detachedFromTarget', ({ sessionId }) => workers.delete(sessionId));
  cdp.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message);
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const ask = (sessionId, method) =>
    new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, resolve);
      const message = JSON.stringify({ id: asked, method });
      cdp.send('Target.sendMessageToTarget', { sessionId, message }).catch(reject);
    });
  const used = ({ usedSize, backingStorageSize = 0 }) => usedSize + backingStorageSize;
  return async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const pageBytes = used(await cdp.send('Runtime.getHeapUsage'));
    let workerBytes = 0;
    for (const session of workers) {
      await ask(session, 'HeapProfiler.collectGarbage');
      workerBytes += used(await ask(session, 'Runtime.getHeapUsage'));
    }
    return { pageBytes, workerBytes };
  };
}

/** CPU seconds that the browser's processes have used so far. */
async function processorMeter(browser) {
  const cdp = await browser.newBrowserCDPSession();
  return async () => {
    const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
}

/** Runs in the page: the engine and the page's store, fed as main.tsx feeds it. Resolves when the time is over. */
async function inPage([config, minutes, every, keptBytes, standMs]) {
  const [{ startEngine }, { createPump }, { createRunStore }, { readLogPart, writeRecording }] =
    await Promise.all([
      import('/src/train/engine/client.ts'),
      import('/src/store/record/pump.ts'),
      import('/src/store/record/run.ts'),
      import('/src/files/recording.ts'),
    ]);
  const engine = startEngine();
  const run = createRunStore({ codec: { read: readLogPart, write: writeRecording }, keptBytes });
  const pump = createPump(run.apply);
  const pumping = setInterval(() => pump.tick(), 16);
  const startMs = performance.now();
  const state = { askedToPauseMs: null, lastEventMs: 0, pauseMs: [], stillMs: [] };
  const until = startMs + minutes * 60_000;

  const onProfile = ({ update, memory }) => {
    const deviceBytes = memory.reduce((sum, { bytes }) => sum + bytes, 0);
    void globalThis.reportMemory({ update, deviceBytes, memory });
  };
  const onUpdate = ({ update, metrics }) => {
    const seconds = (metrics.rolloutMs + metrics.trainMs) / 1000;
    const { uniqueTokens, exactMatch } = metrics;
    const size = run.logSize();
    const atSeconds = (performance.now() - startMs) / 1000;
    const sample = { update, atSeconds, seconds, uniqueTokens, exactMatch };
    void globalThis.report({ ...sample, keptBytes: size.kept, archivedBytes: size.archived });
    if (update % every === 0) engine.ask({ kind: 'profile' }).then(onProfile, () => undefined); // the run may end first
  };
  /** Somewhere in the middle of the update after a look at the memory, the run is paused for a while. */
  const pauseSoon = (update) => {
    if (update % every !== Math.min(2, every - 1)) return;
    setTimeout(
      () => {
        state.askedToPauseMs = performance.now();
        engine.send({ kind: 'pause' });
      },
      100 + ((update * 397) % 900),
    );
  };
  const onStatus = ({ status }) => {
    if (status !== 'paused' || state.askedToPauseMs === null) return;
    const askedMs = state.askedToPauseMs;
    state.askedToPauseMs = null;
    state.pauseMs.push(performance.now() - askedMs);
    setTimeout(() => {
      state.stillMs.push(state.lastEventMs - askedMs);
      engine.send({ kind: 'play' });
    }, standMs);
  };

  try {
    await new Promise((resolve, reject) => {
      engine.subscribe((event) => {
        pump.add([event]);
        state.lastEventMs = performance.now();
        if (event.kind === 'ready') engine.send({ kind: 'open', config });
        if (event.kind === 'run-started') engine.send({ kind: 'play' });
        if (event.kind === 'update-started') pauseSoon(event.update);
        if (event.kind === 'status') onStatus(event);
        if (event.kind === 'metrics') onUpdate(event);
        if (event.kind === 'failed') reject(new Error(JSON.stringify(event.report)));
        const over = event.kind === 'metrics' && performance.now() > until;
        if (over || (event.kind === 'status' && event.status === 'finished')) resolve();
      });
    });
  } finally {
    clearInterval(pumping);
    engine.close();
  }
  return { pauseMs: state.pauseMs, stillMs: state.stillMs };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Medians of the second and the last third: the first is warm-up. */
function thirds(values) {
  const third = Math.floor(values.length / 3);
  return [median(values.slice(third, 2 * third)), median(values.slice(2 * third))];
}

const growth = ([before, after]) => (before === 0 ? 0 : after / before - 1);

function verdictOf(samples, memory, { pauseMs, stillMs }) {
  // A profiled update has a pass per dispatch, the next one a garbage collection beside it.
  const looked = new Set(memory.flatMap(({ update }) => [update, update + 1]));
  const timed = samples.flatMap((sample, i) =>
    i === 0 ? [] : [{ ...sample, cpuSeconds: sample.processorSeconds - samples[i - 1].processorSeconds }],
  );
  const paces = timed.filter(({ update }) => !looked.has(update));
  const cpuSecondsPerUpdate = thirds(paces.map(({ cpuSeconds }) => cpuSeconds));
  const secondsPerUpdate = thirds(paces.map(({ seconds }) => seconds));
  const heap = thirds(memory.map(({ pageBytes, workerBytes }) => pageBytes + workerBytes));
  const deviceBytes = memory.map((look) => look.deviceBytes);
  const device = [deviceBytes[0] ?? 0, Math.max(0, ...deviceBytes)];
  const longestPauseMs = Math.max(0, ...pauseMs);
  const checks = {
    enough: memory.length >= FEWEST_LOOKS,
    heap: heap[1] <= heap[0] * (1 + LIMITS.heapGrowth) + SLACK_BYTES,
    device: growth(device) <= LIMITS.deviceGrowth,
    pace: growth(options.adapter === 'hardware' ? secondsPerUpdate : cpuSecondsPerUpdate) <= LIMITS.slowdown,
    pause: pauseMs.length > 0 && longestPauseMs <= LIMITS.pauseMs,
  };
  return {
    passed: Object.values(checks).every(Boolean),
    checks,
    limits: LIMITS,
    heapBytes: heap,
    deviceBytes: device,
    secondsPerUpdate,
    slowdown: growth(secondsPerUpdate),
    cpuSecondsPerUpdate,
    cpuSlowdown: growth(cpuSecondsPerUpdate),
    tokensPerUpdate: thirds(paces.map(({ uniqueTokens }) => uniqueTokens)),
    pauses: { count: pauseMs.length, medianMs: median(pauseMs), longestMs: longestPauseMs },
    still: { medianMs: median(stillMs), longestMs: Math.max(0, ...stillMs) },
  };
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

async function soak({ page, server, browser }) {
  const { labConfig } = await server.ssrLoadModule('/src/train/engine/lab.ts');
  const settings = ['optimiser.learningRate=0', ...options.set].map((text) => [
    text.slice(0, text.indexOf('=')),
    text.slice(text.indexOf('=') + 1),
  ]);
  const preset = { preset: options.preset, algorithm: null, seed: null, updates: 100_000 };
  const config = labConfig({ ...preset, evaluationQuestions: 0, settings });
  const samples = [];
  const memory = [];
  const looks = [];
  const heaps = await heapMeter(page);
  const look = async (seen) => {
    const bytes = await heaps();
    memory.push({ ...seen, ...bytes });
    const megabytes = (value) => `${(value / 2 ** 20).toFixed(1)} MB`;
    const { pageBytes, workerBytes } = bytes;
    console.error(
      `update ${seen.update}  page ${megabytes(pageBytes)}  worker ${megabytes(workerBytes)}  device ${megabytes(seen.deviceBytes)}  ${samples.at(-1)?.seconds.toFixed(2)} s an update`,
    );
  };
  const processor = await processorMeter(browser);
  await page.exposeFunction('report', async (sample) => {
    const seen = { ...sample, processorSeconds: 0 };
    samples.push(seen);
    seen.processorSeconds = await processor();
  });
  await page.exposeFunction('reportMemory', (seen) => void looks.push(look(seen)));
  const keptBytes = Number(options['kept-mb']) * 2 ** 20;
  const minutes = Number(options.minutes);
  const asked = [config, minutes, Number(options.every), keptBytes, STAND_MS];
  const pauses = await page.evaluate(inPage, asked);
  await Promise.allSettled(looks); // the last may come after the worker has gone
  const verdict = verdictOf(samples, memory, pauses);
  const about = { date: new Date().toISOString(), browser: browser.version(), adapter: options.adapter };
  const run = { ...about, minutes, preset: options.preset, updates: samples.length };
  if (options.json)
    write(options.json, `${JSON.stringify({ ...run, verdict, memory, ...pauses, samples }, null, 1)}\n`);
  console.log(JSON.stringify({ ...run, verdict }, null, 2));
  return verdict.passed;
}

if (options.help) console.log(HELP);
else {
  if (options.adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs
  const { withPage } = await import('./headless.mjs');
  const entries = ['src/train/engine/lab.ts', 'src/train/engine/worker.ts', 'src/store/lab/lab.ts'];
  const passed = await withPage(soak, { entries });
  process.exitCode = passed ? 0 : 1;
}
