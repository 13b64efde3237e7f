// `npm run curves`: trains every method from the same seeds on one preset, one run after another in one page or, with --jobs
// or --dawn, each in a process of its own (scripts/lab.mjs) and several side by side, and writes
// a small file per run into docs/results/methods; what is already there is left as it is. `npm run results` draws them.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runAside } from './aside.mjs';

const OPTIONS = {
  preset: { type: 'string', default: 'instant' },
  seeds: { type: 'string', default: '1,2,3' },
  updates: { type: 'string' }, // default: the preset's
  only: { type: 'string' }, // names, with commas
  questions: { type: 'string', default: '200' },
  folder: { type: 'string', default: 'docs/results/methods' },
  adapter: { type: 'string', default: 'software' },
  dawn: { type: 'boolean', default: false }, // without a browser
  jobs: { type: 'string', default: '1' }, // runs side by side
  again: { type: 'boolean', default: false }, // runs what is there too
};

const { values } = parseArgs({ options: OPTIONS });
if (values.adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs

const KEPT = [
  'exactMatch',
  'meanReward',
  'malformed',
  'entropy',
  'depth',
  'deadTrees',
  'rolloutBatches',
  'clipFraction',
  'ppoKl',
  'gradientNorm',
  'skippedSteps',
  'sampledTokens',
  'uniqueTokens',
  'rowTokens',
];
const DIGITS = 5; // significant, of what is kept

const rounded = (value) => (Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : null);

/** What the page of results needs of a run. */
function condense({ config, adapter, date, heldOut, updates, seconds }) {
  const { preset, seed, algorithm } = config;
  const metrics = Object.fromEntries(
    KEPT.map((name) => [name, updates.map((update) => rounded(update[name]))]),
  );
  return {
    preset,
    seed,
    updates: config.updates,
    algorithm,
    adapter,
    date,
    heldOut,
    seconds: rounded(seconds),
    metrics,
  };
}

async function inPage(config) {
  const { runLab } = await import('/src/train/engine/lab.ts');
  return (await runLab(config, null, () => undefined)).result;
}

const jobs = Number(values.jobs);
if (!Number.isInteger(jobs) || jobs < 1) {
  console.error(`--jobs: got ${values.jobs}, wanted a whole number of at least 1.`);
  process.exit(2);
}
mkdirSync(values.folder, { recursive: true });
const started = Date.now();
let [count, done] = [0, 0];

/** Keeps a result and says how far all is. */
function keep({ name, seed, file }, result) {
  writeFileSync(file, `${JSON.stringify(condense(result))}\n`);
  done += 1;
  const { before, after } = result.heldOut;
  const left = (((Date.now() - started) / 1000 / done) * (count - done)).toFixed(0);
  console.log(
    `${name} seed ${seed}: ${before.exactMatch.toFixed(3)} → ${after.exactMatch.toFixed(3)}, ${result.seconds.toFixed(0)} s; ${done} of ${count}, about ${left} s left`,
  );
}

function lament({ name, seed }, message) {
  done += 1;
  console.error(`${name} seed ${seed}: ${message}`);
  process.exitCode = 1;
}

/** Runs that are not there yet, in order. */
function runsOf(names) {
  const runs = values.seeds.split(',').map(Number).flatMap((seed) =>
    names.map((name) => ({ name, seed, file: join(values.folder, `${name}-${seed}.json`) })),
  ); // prettier-ignore
  const asked = runs.filter(({ file }) => values.again || !existsSync(file));
  count = asked.length;
  return asked;
}

/** `npm run lab` in a process of its own. */
function runAlone(run) {
  const file = join(tmpdir(), `turnwise-${process.pid}-${run.name}-${run.seed}.json`);
  const asked = ['--preset', values.preset, '--algorithm', run.name, '--seed', String(run.seed)];
  const how = ['--adapter', values.adapter, ...(values.dawn ? ['--dawn'] : [])];
  const updates = values.updates === undefined ? [] : ['--updates', values.updates];
  const args = [LAB, ...asked, ...updates, '--eval-questions', values.questions, ...how, '--json', file];
  return runAside(process.execPath, args).then(({ status, output }) => {
    if (status !== 0) return lament(run, output.trim().split('\n').at(-1));
    keep(run, JSON.parse(readFileSync(file, 'utf8')));
    rmSync(file);
  });
}

const LAB = fileURLToPath(new URL('lab.mjs', import.meta.url));
const CATALOGUE = '/src/algo/catalogue/index.ts';
const namesOf = async (server) =>
  values.only?.split(',') ?? Object.keys((await server.ssrLoadModule(CATALOGUE)).algorithms);

const { withPage } = await import('./headless.mjs');
if (values.dawn || jobs > 1) {
  if (values.dawn) (await import('./dawn.mjs')).installDawn(); // once, before several ask for it
  const waiting = runsOf(await withPage(({ server }) => namesOf(server), { browser: false }));
  const work = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) await runAlone(run);
  };
  await Promise.all(Array.from({ length: jobs }, work));
} else
  await withPage(
    async ({ page, server }) => {
      const { labConfig } = await server.ssrLoadModule('/src/train/engine/lab.ts');
      for (const run of runsOf(await namesOf(server))) {
        const config = labConfig({
          preset: values.preset,
          algorithm: run.name,
          seed: run.seed,
          updates: values.updates === undefined ? null : Number(values.updates),
          evaluationQuestions: Number(values.questions),
          settings: [],
        });
        await page.evaluate(inPage, config).then(
          (result) => keep(run, result),
          (error) => lament(run, error.message.split('\n')[0]),
        );
      }
    },
    { entries: ['src/train/engine/lab.ts', 'src/train/engine/worker.ts'] },
  );
