// `npm run curves`: trains every method from the same seeds on one preset, one run after another in one page or, with --jobs
// or --dawn, each in a process of its own (scripts/lab.mjs) and several side by side, and writes
// a small file per run into docs/results/methods; what is already there is left as it is. `npm run results` draws them.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jobsOf } from './arguments.mjs';
import { leftIn, progress, runSideBySide } from './run_queue.mjs';

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

async function inPage(config) {
  const { runLab } = await import('/src/train/engine/lab.ts');
  return (await runLab(config, null, () => undefined)).result;
}

const jobs = jobsOf(values.jobs);
mkdirSync(values.folder, { recursive: true });
let sayProgress;
let condense; // src/train/engine/lab.ts

/** Keeps a result and says how far all is. */
function keep({ name, seed, file }, result) {
  writeFileSync(file, `${JSON.stringify(condense(result))}\n`);
  const { before, after } = result.heldOut;
  console.log(
    `${name} seed ${seed}: ${before.exactMatch.toFixed(3)} → ${after.exactMatch.toFixed(3)}, ${result.seconds.toFixed(0)} s; ${sayProgress()}`,
  );
}

function lament({ name, seed }, message) {
  console.error(`${name} seed ${seed}: ${message}; ${sayProgress()}`);
  process.exitCode = 1;
}

/** Runs that are not there yet, in order, with what `npm run lab` is told of each. */
function runsOf(names) {
  const { preset, questions, folder } = values;
  const updates = values.updates === undefined ? [] : ['--updates', values.updates];
  const runs = values.seeds.split(',').flatMap((seed) =>
    names.map((name) => {
      const options = ['--preset', preset, '--algorithm', name, '--seed', seed, ...updates, '--eval-questions', questions];
      const id = `${name}-${Number(seed)}`;
      return { name, seed: Number(seed), file: join(folder, `${id}.json`), options, left: leftIn(folder, id, options) };
    }),
  ); // prettier-ignore
  const asked = runs.filter(({ file }) => values.again || !existsSync(file));
  sayProgress = progress(asked.length);
  return asked;
}

const CATALOGUE = '/src/algo/catalogue/index.ts';

/** The methods that are asked for; what the lab is made of is loaded with them. */
async function namesOf(server) {
  ({ condense } = await server.ssrLoadModule('/src/train/engine/lab.ts'));
  return values.only?.split(',') ?? Object.keys((await server.ssrLoadModule(CATALOGUE)).algorithms);
}

const { withPage } = await import('./headless.mjs');
if (values.dawn || jobs > 1) {
  if (values.dawn) (await import('./dawn.mjs')).installDawn(); // once, before several ask for it
  const waiting = runsOf(await withPage(({ server }) => namesOf(server), { browser: false }));
  const how = ['--adapter', values.adapter, ...(values.dawn ? ['--dawn'] : [])];
  if (await runSideBySide(waiting, { jobs, how }, { keep, lament })) process.exitCode = 130;
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
