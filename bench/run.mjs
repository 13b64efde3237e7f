// `npm run bench`: the libraries of contenders/ and Turnwise in one Chromium in one run, on the same work; checks that
// they compute the same numbers, prints the tables and saves them as JSON. README.md says how and why.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SOFTWARE_ADAPTER } from '../scripts/browser.mjs';
import {
  COMMON_HELP,
  COMMON_OPTIONS,
  DOCS,
  fail,
  installPeers,
  log,
  positive,
  readOptions,
  save,
  some,
  withHeader,
  withLab,
  withSeats,
} from './command.mjs';

const SUITES = ['matmul', 'train', 'decode'];
const OWN_SUITES = ['instant', 'packing', 'profile']; // of our engine alone

const OPTIONS = {
  preset: { type: 'string', default: 'small,brief,classroom' },
  suites: { type: 'string', default: SUITES.join() },
  only: { type: 'string' },
  budget: { type: 'string', default: '60' },
  limit: { type: 'string', default: '240' },
  'write-docs': { type: 'boolean', default: false },
  ...COMMON_OPTIONS,
};

const HELP = `npm run bench -- [options]
  --preset NAMES       of small, brief, classroom, medium, large, tiny; default the first three
  --suites NAMES       of matmul, train, decode (default: these) and, of our engine alone, instant, packing, profile
  --only NAMES         contenders; default all (contenders/index.js)
  --budget SECONDS     a contender slower than this in a suite is measured less often; default 60
  --limit SECONDS      a contender that does not answer for this long leaves the run; default 240
${COMMON_HELP}
  --write-docs         measures nothing: writes the tables of ${DOCS}.md from ${DOCS}/*.json`;

async function measurePreset(lab, preset, suites, ids, options) {
  const { presets, MATMUL_SHAPES, CARD_MATMUL_SHAPES, trainFlops, parameterCount } =
    await lab.load('work.ts');
  const { measure } = await lab.load('measure.ts');
  const shape = presets[preset];
  return withSeats(lab, ids, (seats) =>
    withHeader(lab, seats[0], 'bench', async () => ({
      preset,
      shape,
      trainGflop: trainFlops(shape) / 1e9,
      parameterCount: parameterCount(shape),
      results: await measure(seats, {
        suites,
        shape,
        matmulShapes: options.dawn ? [...MATMUL_SHAPES, ...CARD_MATMUL_SHAPES] : MATMUL_SHAPES,
        repetitions: positive(options.repetitions, 'repetitions'),
        budgetMs: 1000 * positive(options.budget, 'budget'),
        limitMs: 1000 * positive(options.limit, 'limit'),
        log,
      }),
    })),
  );
}

async function runPresets(lab, suites, options) {
  const { presets } = await lab.load('work.ts');
  const { contenders } = await lab.load('contenders/index.js');
  const { describe } = await lab.load('report.ts');
  const names = some(options.preset, 'preset', Object.keys(presets));
  const known = Object.keys(contenders);
  const ids = options.only ? some(options.only, 'only', known) : known;
  for (const preset of names) {
    log(`\n${preset}`);
    const report = await measurePreset(lab, preset, suites, ids, options);
    console.log(`\n${describe(report)}\n`);
    save(report, preset, options, options.several || names.length > 1);
  }
}

/** A whole run of the instant preset, as `npm run lab` takes it. */
function runInstant(lab, options) {
  if (lab.dawn) fail('--suites instant: the lab runs in a browser; leave --dawn out.');
  if (![SOFTWARE_ADAPTER, ''].includes(options.flags))
    fail(`--suites instant: got --flags "${options.flags}", wanted the default or "".`);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const json = join(folder, 'instant.json');
  const adapter = options.flags === '' ? 'hardware' : 'software';
  const words = [
    'scripts/lab.mjs',
    '--preset',
    'instant',
    '--seed',
    '1',
    '--json',
    json,
    '--adapter',
    adapter,
  ];
  try {
    const { status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0) fail('the run of the instant preset failed: see above.');
    const { seconds, trainingSeconds, updates, heldOut, config } = JSON.parse(readFileSync(json, 'utf8'));
    const { rolloutMs, trainMs } = updates.reduce((sum, update) => ({
      rolloutMs: sum.rolloutMs + update.rolloutMs,
      trainMs: sum.trainMs + update.trainMs,
    }));
    const parts = { rolloutSeconds: rolloutMs / 1000, trainSeconds: trainMs / 1000 };
    return { seed: config.seed, updates: updates.length, seconds, trainingSeconds, ...parts, heldOut };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Grows the instant preset's trees with its own warm start. */
function packingRequest(options) {
  const weights = readFileSync('public/warmstart-search-d64L2.safetensors').toString('base64');
  const repetitions = positive(options.repetitions, 'repetitions');
  return { preset: 'instant', weights, seed: 1, updates: 2, repetitions };
}

async function profilePresets(lab, seat, options) {
  const { presets } = await lab.load('work.ts');
  const profiles = {};
  for (const name of some(options.preset, 'preset', Object.keys(presets)))
    profiles[name] = await seat.call('profile', presets[name]);
  return profiles;
}

/** A result of our engine alone. */
async function runOwn(lab, suite, options) {
  const measure = {
    instant: () => runInstant(lab, options),
    packing: async (seat) => ({ seed: 1, ...(await seat.call('packing', packingRequest(options))) }),
    profile: async (seat) => ({ presets: await profilePresets(lab, seat, options) }),
  };
  log(`\n${suite}`);
  const result = await withSeats(lab, ['turnwise'], ([seat]) =>
    withHeader(lab, seat, 'bench', async () => ({ suite, ...(await measure[suite](seat)) })),
  );
  const { describeOwn } = await lab.load('report.ts');
  console.log(`\n${describeOwn(result)}\n`);
  save(result, suite, options, options.several);
}

async function runBench(lab, shared, own, options) {
  const named = { ...options, several: own.length + Math.min(1, shared.length) > 1 };
  if (shared.length > 0) await runPresets(lab, shared, named);
  for (const suite of own) await runOwn(lab, suite, named);
}

const options = readOptions(OPTIONS, HELP);
const suites = some(options.suites, 'suites', [...SUITES, ...OWN_SUITES]);
const shared = suites.filter((suite) => SUITES.includes(suite));
const own = suites.filter((suite) => OWN_SUITES.includes(suite));
const withPeers = shared.length > 0 && options.only !== 'turnwise';
if (options['write-docs']) {
  await withLab({ dawn: true, flags: '' }, 'docs.ts', async (lab) =>
    log((await lab.load('docs.ts')).writeDocs(DOCS)),
  );
} else {
  if (withPeers || options.dawn) installPeers(options.dawn);
  await withLab(options, withPeers ? 'seat.ts' : 'packing.ts', (lab) => runBench(lab, shared, own, options));
}
