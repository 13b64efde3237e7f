// `npm run bench`: the libraries of contenders/ and Turnwise in one Chromium in one run, on the same work; checks that
// they compute the same numbers, prints the tables and saves them as JSON. README.md says how and why.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SOFTWARE_ADAPTER } from '../scripts/browser.mjs';
import { withPage } from '../scripts/headless.mjs';
import { browserSeat, dawnSeat } from './seats.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SUITES = ['matmul', 'train', 'decode'];
const EXTRA_SUITES = ['instant', 'packing'];

const OPTIONS = {
  preset: { type: 'string', default: 'small,brief,classroom' },
  suites: { type: 'string', default: SUITES.join() },
  only: { type: 'string' },
  repetitions: { type: 'string', default: '5' },
  budget: { type: 'string', default: '60' },
  limit: { type: 'string', default: '240' },
  flags: { type: 'string', default: SOFTWARE_ADAPTER },
  dawn: { type: 'boolean', default: false },
  json: { type: 'string' },
  out: { type: 'string', default: join(HERE, 'results') },
  'write-docs': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

const HELP = `npm run bench -- [options]
  --preset NAMES       of small, brief, classroom, tiny; default small,brief,classroom
  --suites NAMES       of matmul, train, decode (default: these) and instant, packing
  --only NAMES         contenders; default all (contenders/index.js)
  --repetitions N      measured repetitions; default 5
  --budget SECONDS     a contender slower than this in a suite is measured less often; default 60
  --limit SECONDS      a contender that does not answer for this long leaves the run; default 240
  --flags "FLAGS"      Chromium's flags for the adapter; default ${SOFTWARE_ADAPTER}, "" takes the machine's
  --dawn               no browser: a Node process per contender with Dawn's WebGPU (npm package webgpu)
  --json FILE          where the result goes; with several presets the file's name gets theirs
  --out FOLDER         where results go without --json; default bench/results
  --write-docs         measures nothing: writes the tables of docs/performance.md from docs/performance/*.json`;

const fail = (message) => {
  console.error(message);
  process.exit(2);
};
const log = (line) => console.error(line);

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`);
  }
}

function some(text, name, known) {
  const names = text.split(',').filter(Boolean);
  const unknown = names.find((given) => !known.includes(given));
  if (unknown !== undefined || names.length === 0)
    fail(`--${name}: got ${unknown ?? 'nothing'}, wanted some of ${known.join(', ')}.`);
  return names;
}

function positive(text, name) {
  const value = Number(text);
  if (!(value > 0)) fail(`--${name}: got ${text}, wanted a number above 0.`);
  return value;
}

/** The peers have a folder of their own, so that the project's install stays small. Dawn (130 MB) only on demand. */
function installPeers(dawn) {
  const wanted = dawn ? 'webgpu' : '@jax-js/jax';
  if (existsSync(join(HERE, 'node_modules', wanted))) return;
  log(`installing the contenders into bench/node_modules`);
  const command = ['ci', '--no-audit', '--no-fund', ...(dawn ? [] : ['--omit=optional'])];
  const { status } = spawnSync('npm', command, {
    cwd: HERE,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) fail('The contenders could not be installed: see above. `--only turnwise` needs none.');
}

async function openSeats(lab, ids, dawn) {
  const blankUrl = new URL('/blank', lab.url).href;
  const open = dawn ? dawnSeat : browserSeat;
  const seats = [];
  for (const id of ids) seats.push(await open({ browser: lab.browser, blankUrl, id, log }));
  return seats;
}

async function measurePreset(lab, preset, suites, ids, options) {
  const { work, measureModule } = lab.modules;
  const seats = await openSeats(lab, ids, options.dawn);
  const before = loadavg()[0];
  try {
    const adapter = await seats[0].call('adapter');
    const shape = work.presets[preset];
    const results = await measureModule.measure(seats, {
      suites,
      shape,
      matmulShapes: work.MATMUL_SHAPES,
      repetitions: positive(options.repetitions, 'repetitions'),
      budgetMs: 1000 * positive(options.budget, 'budget'),
      limitMs: 1000 * positive(options.limit, 'limit'),
      log,
    });
    return {
      adapter,
      browser: options.dawn ? `Node ${process.version} with Dawn` : `Chromium ${lab.browser.version()}`,
      date: new Date().toISOString(),
      command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
      preset,
      shape,
      trainGflop: work.trainFlops(shape) / 1e9,
      parameterCount: work.parameterCount(shape),
      machine: { processor: cpus()[0].model, cores: cpus().length, load: [before, loadavg()[0]] },
      results,
    };
  } finally {
    for (const seat of seats) await seat.close().catch(() => undefined); // already closed when it did not answer
  }
}

/** The products do not depend on the preset: measured with the first one, copied into the others. */
function withMatmul(report, first) {
  const results = Object.entries(report.results).map(([id, result]) => {
    const { matmulGflops } = first.results[id];
    return [id, matmulGflops ? { ...result, matmulGflops } : result];
  });
  return { ...report, results: Object.fromEntries(results) };
}

const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

function save(report, { json, out }, several) {
  const named = json && several ? json.replace(/(\.json)?$/, `-${report.preset}.json`) : json;
  const path = named ?? join(out, `${slug(report.adapter)}-${report.preset}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

async function runBench(lab, options) {
  const load = (file) => lab.server.ssrLoadModule(`/bench/${file}`);
  const [work, measureModule, reportModule] = await Promise.all(
    ['work.ts', 'measure.ts', 'report.ts'].map(load),
  );
  const { contenders } = await load('contenders/index.js');
  const presets = some(options.preset, 'preset', Object.keys(work.presets));
  const suites = some(options.suites, 'suites', [...SUITES, ...EXTRA_SUITES]);
  const ids = options.only ? some(options.only, 'only', Object.keys(contenders)) : Object.keys(contenders);
  let first;
  for (const preset of presets) {
    log(`\n${preset}`);
    const own = first ? suites.filter((suite) => suite !== 'matmul') : suites;
    const measured = await measurePreset(
      { ...lab, modules: { work, measureModule } },
      preset,
      own,
      ids,
      options,
    );
    first ??= measured;
    const report = withMatmul(measured, first);
    const path = save(report, options, presets.length > 1);
    console.log(`\n${reportModule.describe(report)}\n\nsaved as ${path}`);
  }
}

const options = readOptions();
if (options.help) console.log(HELP);
else {
  installPeers(options.dawn);
  await withPage((lab) => runBench(lab, options), {
    entries: ['bench/seat.ts'],
    browser: !options.dawn,
    adapterFlags: options.flags.split(' ').filter(Boolean),
  });
}
