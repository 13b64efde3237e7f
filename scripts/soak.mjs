// `npm run soak`: trains for long in a headless browser as the page does, engine, store and keeper, without the views, and
// judges what must not grow, and that the disk grows as stated (README.md of src/keep): a log of so many bytes an update,
// and checkpoints, the newest two and every tenth. Device memory: bytes of the engine's living buffers at each look, none more than at the
// first. Heaps of page and worker after a garbage collection, and time per update: medians of the last third of the run
// against the second; the time per update is CPU time as a multiple of a fixed piece of work that is done in every pause, so
// that what else the machine does takes from both alike. Pauses: asked for at odd moments, how soon the engine says that it is paused, and (not judged: it
// is the work under way) how soon the last event came after which nothing moved. The learning rate is 0 unless set, so
// that every update has the same work: a policy that learns writes longer or shorter turns. Writes samples and a verdict
// as JSON; exits with 1 when something grew.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { processorMeter } from './machine_load.mjs';

const HELP = `npm run soak -- [options]
  --minutes N        how long to train; default 60
  --preset NAME      default instant
  --every N          updates between two looks at the memory; default 10
  --kept-mb N        events that the page keeps at hand, MB; default 8, so that old updates are let go early
  --set PATH=VALUE   any setting, as for npm run lab; may be repeated. The learning rate is 0 unless it is set
  --no-keep          writes no run to the browser's storage
  --json FILE        writes samples and verdict
  --adapter KIND     software (default) or hardware`;

const LIMITS = {
  heapGrowth: 0.05, // of page and worker together, from the second third to the last, and 1 MB of slack
  deviceGrowth: 0, // all is allocated with the first update
  slowdown: 0.03, // of the time per update, from the second third to the last: on a software adapter CPU time per CPU time
  // of the reference work; wall clock on hardware
  pauseMs: 100,
  logGrowth: 0.1, // bytes of the log per update, from the second third to the last
  checkpointSpread: 0.01, // of the largest over the smallest
};
const KEPT = { newest: 2, every: 10 }; // checkpoints, as src/keep/kept_log.ts keeps them
const STORAGE_SLACK_BYTES = 16 * 2 ** 20; // what the browser counts beside the runs: entries, and their journal
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
    'no-keep': { type: 'boolean', default: false },
    json: { type: 'string' },
    adapter: { type: 'string', default: 'software' },
    help: { type: 'boolean', default: false },
  },
});

/** The heaps of a page and of the workers it starts, after a garbage collection. */
async function heapMeter(page) {
  const cdp = await page.context().newCDPSession(page);
  const workers = new Set();
  const waiting = new Map(); // { sessionId, resolve, reject } by question
  let asked = 0;
  cdp.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type === 'worker') workers.add(sessionId);
  });
  cdp.on('Target.detachedFromTarget', ({ sessionId }) => {
    workers.delete(sessionId);
    for (const question of waiting.values())
      if (question.sessionId === sessionId) question.reject(new Error('the worker has gone'));
  });
  cdp.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message);
    waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const ask = (sessionId, method) =>
    new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, { sessionId, resolve, reject });
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

/** Runs in the page: the engine and the page's store, fed as main.tsx feeds it. Resolves when the time is over. */
async function inPage([config, minutes, every, keptBytes, standMs, keeps]) {
  const [
    { startEngine },
    { createPump },
    { createRunStore },
    { readLogPart, writeRecording },
    { startKeeper },
  ] = await Promise.all([
    import('/src/train/engine/client.ts'),
    import('/src/store/record/pump.ts'),
    import('/src/store/record/run.ts'),
    import('/src/files/recording.ts'),
    import('/src/keep/keeper_client.ts'),
  ]);
  const reference = await (async () => {
    const device = await (await navigator.gpu.requestAdapter()).requestDevice();
    const code = `@group(0) @binding(0) var<storage, read_write> data: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        var sum = 0.0;
        for (var i = 0u; i < 512u; i += 1u) { sum = fma(sum, 0.5, data[(id.x * 17u + i * 4097u) % 1048576u]); }
        data[id.x] = sum;
      }`;
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const buffer = device.createBuffer({ size: 4 * 2 ** 20, usage: GPUBufferUsage.STORAGE });
    const bound = { layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] };
    const group = device.createBindGroup(bound);
    return async () => {
      for (let round = 0; round < 8; round += 1) {
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(4096);
        pass.end();
        device.queue.submit([encoder.finish()]);
        await device.queue.onSubmittedWorkDone();
      }
    };
  })();
  await reference(); // compiled
  const kept = { entry: null, hear: () => undefined };
  const hearKeeper = (news) => {
    if (news.kind === 'kept') kept.entry = news.entry;
    kept.hear(news);
  };
  const keeper = keeps ? startKeeper(hearKeeper) : null;
  const engine = startEngine(undefined, undefined, () => keeper?.join() ?? null);
  const run = createRunStore({ codec: { read: readLogPart, write: writeRecording }, keptBytes });
  const pump = createPump(run.apply);
  const pumping = setInterval(() => pump.tick(), 16);
  const startMs = performance.now();
  const state = { askedToPauseMs: null, lastEventMs: 0, pauseMs: [], stillMs: [], ended: 0 };
  const until = startMs + minutes * 60_000;

  const onProfile = ({ update, memory }) => {
    const deviceBytes = memory.reduce((sum, { bytes }) => sum + bytes, 0);
    void globalThis.reportMemory({ update, deviceBytes, memory });
  };
  const writtenDown = (update) =>
    new Promise((resolve, reject) => {
      kept.hear = (news) => {
        if (news?.kind === 'trouble') reject(new Error(JSON.stringify(news.report)));
        else if ((kept.entry?.update ?? 0) >= update) resolve();
      };
      kept.hear();
    });
  /** Of every file of the run on disk, while nothing is written. */
  const lookAtDisk = async () => {
    const started = performance.now();
    await writtenDown(state.ended);
    const { id, update, bytes: saidBytes } = kept.entry;
    let folder = await navigator.storage.getDirectory();
    for (const name of ['runs', id]) folder = await folder.getDirectoryHandle(name);
    const sizeOf = async (handle) => (await handle.getFile()).size;
    const logBytes = await sizeOf(await folder.getFileHandle('log.ndjson.gz'));
    const checkpointBytes = [];
    const checkpoints = await folder.getDirectoryHandle('checkpoints');
    for await (const handle of checkpoints.values()) checkpointBytes.push(await sizeOf(handle));
    const { usage: siteBytes } = await keeper.storage();
    await globalThis.reportDisk({ update, saidBytes, logBytes, checkpointBytes, siteBytes });
    return performance.now() - started;
  };
  const onUpdate = ({ update, metrics }) => {
    state.ended = update;
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
    const stood = new Promise((resolve) => setTimeout(resolve, standMs));
    return Promise.all([stood, keeper && lookAtDisk()]).then(async () => {
      state.stillMs.push(state.lastEventMs - askedMs);
      await globalThis.reportReference('start', state.ended);
      await reference();
      await globalThis.reportReference('end', state.ended);
      engine.send({ kind: 'play' });
    });
  };

  try {
    await new Promise((resolve, reject) => {
      engine.subscribe((event) => {
        pump.add([event]);
        state.lastEventMs = performance.now();
        if (event.kind === 'ready') engine.send({ kind: 'open', config });
        if (event.kind === 'run-started') engine.send({ kind: 'play' });
        if (event.kind === 'update-started') pauseSoon(event.update);
        if (event.kind === 'status') onStatus(event)?.catch(reject);
        if (event.kind === 'metrics') onUpdate(event);
        if (event.kind === 'failed') reject(new Error(JSON.stringify(event.report)));
        const over = event.kind === 'metrics' && performance.now() > until;
        if (over || (event.kind === 'status' && event.status === 'finished')) resolve();
      });
    });
    if (keeper) await writtenDown(state.ended);
  } finally {
    clearInterval(pumping);
    engine.close();
    keeper?.close();
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

/** Of looks at the disk, each while nothing was written. */
function diskVerdict(disk) {
  const perUpdate = disk.slice(1).map(({ update, logBytes }, i) => {
    const before = disk[i];
    return (logBytes - before.logBytes) / (update - before.update);
  });
  const logBytesPerUpdate = thirds(perUpdate);
  const total = ({ logBytes, checkpointBytes }) =>
    checkpointBytes.reduce((sum, bytes) => sum + bytes, logBytes);
  const most = ({ update }) => KEPT.newest + Math.floor(update / KEPT.every);
  const sizes = disk.flatMap(({ checkpointBytes }) => checkpointBytes);
  const last = disk.at(-1);
  const checks = {
    diskIsAsTheShelfSays: disk.every((look) => look.saidBytes === total(look)),
    diskLog: growth(logBytesPerUpdate) <= LIMITS.logGrowth,
    diskCheckpoints:
      disk.every((look) => look.checkpointBytes.length <= most(look)) &&
      Math.max(...sizes) <= Math.min(...sizes) * (1 + LIMITS.checkpointSpread),
    diskOfSite: disk.every((look) => look.siteBytes <= total(look) + STORAGE_SLACK_BYTES),
  };
  const { update, logBytes, checkpointBytes, siteBytes } = last;
  const stated = `${update} updates x ${Math.round(logBytes / update)} B + ${checkpointBytes.length} checkpoints x ${Math.max(...checkpointBytes)} B`;
  return { checks, disk: { stated, bytes: total(last), siteBytes, logBytesPerUpdate } };
}

function verdictOf(samples, memory, disk, references, { pauseMs, stillMs }) {
  // A profiled update has a pass per dispatch, the next one a garbage collection beside it; another the pause in its midst.
  const looked = new Set([
    ...memory.flatMap(({ update }) => [update, update + 1]),
    ...references.map(({ update }) => update + 1),
  ]);
  const timed = samples.flatMap((sample, i) =>
    i === 0 ? [] : [{ ...sample, cpuSeconds: sample.processorSeconds - samples[i - 1].processorSeconds }],
  );
  const paces = timed.filter(({ update }) => !looked.has(update));
  const cpuSecondsPerUpdate = thirds(paces.map(({ cpuSeconds }) => cpuSeconds));
  const referenceCpuSeconds = thirds(references.map(({ cpuSeconds }) => cpuSeconds));
  const referencesPerUpdate = cpuSecondsPerUpdate.map(
    (seconds, third) => seconds / referenceCpuSeconds[third],
  );
  const secondsPerUpdate = thirds(paces.map(({ seconds }) => seconds));
  const heap = thirds(memory.map(({ pageBytes, workerBytes }) => pageBytes + workerBytes));
  const deviceBytes = memory.map((look) => look.deviceBytes);
  const device = [deviceBytes[0] ?? 0, Math.max(0, ...deviceBytes)];
  const longestPauseMs = Math.max(0, ...pauseMs);
  const onDisk = options['no-keep'] ? { checks: {} } : diskVerdict(disk);
  const checks = {
    enough: memory.length >= FEWEST_LOOKS,
    heap: heap[1] <= heap[0] * (1 + LIMITS.heapGrowth) + SLACK_BYTES,
    device: growth(device) <= LIMITS.deviceGrowth,
    pace: growth(options.adapter === 'hardware' ? secondsPerUpdate : referencesPerUpdate) <= LIMITS.slowdown,
    pause: pauseMs.length > 0 && longestPauseMs <= LIMITS.pauseMs,
    ...onDisk.checks,
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
    referenceCpuSeconds,
    referencesPerUpdate,
    referenceSlowdown: growth(referencesPerUpdate),
    tokensPerUpdate: thirds(paces.map(({ uniqueTokens }) => uniqueTokens)),
    pauses: { count: pauseMs.length, medianMs: median(pauseMs), longestMs: longestPauseMs },
    still: { medianMs: median(stillMs), longestMs: Math.max(0, ...stillMs) },
    disk: onDisk.disk,
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
  const disk = [];
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
  await page.exposeFunction('reportDisk', (seen) => {
    disk.push(seen);
    const { update, logBytes, checkpointBytes } = seen;
    console.error(
      `update ${update}  log ${(logBytes / 2 ** 20).toFixed(2)} MB  ${checkpointBytes.length} checkpoints on disk`,
    );
  });
  const references = []; // CPU time of the same work, again and again
  let startedAt = 0;
  await page.exposeFunction('reportReference', async (when, update) => {
    const used = await processor();
    if (when === 'start') startedAt = used;
    else references.push({ update, cpuSeconds: used - startedAt });
  });
  await page.exposeFunction('reportMemory', (seen) => void looks.push(look(seen)));
  const keptBytes = Number(options['kept-mb']) * 2 ** 20;
  const minutes = Number(options.minutes);
  const asked = [config, minutes, Number(options.every), keptBytes, STAND_MS, !options['no-keep']];
  const pauses = await page.evaluate(inPage, asked);
  await Promise.allSettled(looks); // the last may come after the worker has gone
  const verdict = verdictOf(samples, memory, disk, references, pauses);
  const about = { date: new Date().toISOString(), browser: browser.version(), adapter: options.adapter };
  const run = { ...about, minutes, preset: options.preset, updates: samples.length };
  if (options.json)
    write(
      options.json,
      `${JSON.stringify({ ...run, verdict, memory, disk, references, ...pauses, samples }, null, 1)}\n`,
    );
  console.log(JSON.stringify({ ...run, verdict }, null, 2));
  return verdict.passed;
}

if (options.help) console.log(HELP);
else {
  if (options.adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs
  const { withPage } = await import('./headless.mjs');
  const sources = ['train/engine/lab', 'train/engine/worker', 'store/lab/lab', 'keep/keeper_worker'];
  const entries = sources.map((source) => `src/${source}.ts`);
  const passed = await withPage(soak, { entries, onDisk: true });
  process.exitCode = passed ? 0 : 1;
}
