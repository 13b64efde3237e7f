// `npm run experiment -- FILE`: all runs of an experiment, several side by side, and the page that says what came of it. Runs that are
// there are left, so that the command may be stopped and given again. docs/experiments.md
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, isStarted, jobsOf } from './arguments.mjs';
import { leftIn, progress, runSideBySide } from './run_queue.mjs';
import { shorten } from './shorten.mjs';

const OPTIONS = {
  jobs: { type: 'string', default: '1' },
  dawn: { type: 'boolean', default: false },
  adapter: { type: 'string', default: 'software' },
  out: { type: 'string' },
  report: { type: 'boolean', default: false },
  plan: { type: 'boolean', default: false },
  ship: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

const HELP = `npm run experiment -- FILE [options]
  FILE                   an experiment as JSON: docs/experiments.md
  --jobs N               runs side by side; default 1
  --dawn                 without a browser: Dawn's WebGPU in Node, installed when it is first asked for
  --adapter KIND         software (default) or hardware
  --out FOLDER           default: docs/results/experiments/NAME
  --plan                 says which runs there are to be, and runs none
  --report               makes the page again from the runs that are there
  --ship                 and puts it among those that the lab's own page shows (public/experiments)

Ctrl-C ends the runs under way after their update; the same command goes on from there.`;

/** The parts of the lab that this command needs, as loaded from the source. */
export async function loadExperiments(server) {
  const [data, results, collapse, report, lab] = await Promise.all(
    [
      'experiment/experiment',
      'experiment/results',
      'experiment/collapse',
      'experiment/report',
      'train/engine/lab',
    ].map((name) => server.ssrLoadModule(`/src/${name}.ts`)),
  );
  return { ...data, ...results, ...collapse, ...report, labConfig: lab.labConfig, condense: lab.condense };
}

const defaultFolder = ({ name }) => join('docs/results/experiments', name);
const fileOf = (folder, id) => join(folder, 'runs', `${id}.json`);

/** Runs that are there, by id. @throws ExperimentError of a file that is none of this experiment's */
function readRuns(lab, experiment, folder) {
  const runs = new Map();
  for (const planned of lab.plannedRuns(experiment)) {
    const file = fileOf(folder, planned.id);
    if (existsSync(file)) runs.set(planned.id, lab.readRunFile(readFileSync(file, 'utf8'), planned, file));
  }
  return runs;
}

/**
 * Writes README.md (the page), results.json (its numbers) and NAME.experiment.json (all of it as one file, which the lab opens) of an
 * experiment's folder.
 * @returns what is in results.json
 */
export function writeReport(lab, experiment, folder) {
  const runs = readRuns(lab, experiment, folder);
  const results = lab.resultsOf(experiment, runs);
  const out = folder === defaultFolder(experiment) ? '' : ` --out ${folder}`;
  const command = `npm run experiment -- ${folder}/experiment.json${out}`;
  writeFileSync(join(folder, 'README.md'), lab.markdownOf(results, command, runs));
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify({ command, ...results }, null, 1)}\n`);
  writeFileSync(join(folder, fileNameOf(experiment)), lab.writeResultsFile(experiment, runs));
  return results;
}

const fileNameOf = ({ name }) => `${name}.experiment.json`;
const SHIPPED = 'public/experiments';

/** Puts an experiment's one file where the page finds it, and into the list that the page reads first. */
function ship(lab, experiment, folder) {
  mkdirSync(SHIPPED, { recursive: true });
  const name = fileNameOf(experiment);
  copyFileSync(join(folder, name), join(SHIPPED, name));
  const files = readdirSync(SHIPPED).filter((each) => each.endsWith('.experiment.json')).sort(); // prettier-ignore
  const index = files.map((file) => {
    const held = lab.readResultsFile(readFileSync(join(SHIPPED, file), 'utf8'), file);
    const { question } = held.experiment;
    const planned = lab.plannedRuns(held.experiment).length;
    return { file, name: held.experiment.name, question, runs: held.runs.size, planned };
  });
  writeFileSync(join(SHIPPED, 'index.json'), `${JSON.stringify(index, null, 1)}\n`);
}

/** Every arm's settings, before anything is trained. @throws RunConfigError naming the first that is wrong */
function checkSettings({ labConfig, plannedRuns }, experiment) {
  for (const { arm, task, asked } of plannedRuns({ ...experiment, seeds: [0] })) {
    try {
      labConfig(asked);
    } catch (error) {
      error.message = `Arm ${arm}, ${task}: ${error.message}`;
      throw error;
    }
  }
}

async function train(lab, experiment, folder, { jobs, dawn, adapter }) {
  const there = readRuns(lab, experiment, folder);
  const runs = lab
    .plannedRuns(experiment)
    .filter(({ id }) => !there.has(id))
    .map((run) => ({ ...run, left: leftIn(join(folder, 'runs'), run.id, run.options) }));
  if (there.size > 0) console.log(`${there.size} runs are there already, ${runs.length} are to be made.`);
  if (dawn && runs.length > 0) (await import('./dawn.mjs')).installDawn(); // once, before several ask for it
  const sayProgress = progress(runs.length);
  const how = ['--adapter', adapter, ...(dawn ? ['--dawn'] : [])];
  const keep = (run, result) => {
    const { id, options } = run;
    writeFileSync(fileOf(folder, id), `${JSON.stringify({ id, options, ...lab.condense(result) })}\n`);
    const { before, after } = result.heldOut;
    console.log(`${id}: ${before.exactMatch.toFixed(3)} → ${after.exactMatch.toFixed(3)}, ${result.updates.length} updates; ${sayProgress()}`); // prettier-ignore
    for (const { sentence } of writeReport(lab, experiment, folder).comparisons) console.log(`  ${sentence}`);
  };
  const lament = ({ id }, message) => {
    console.error(`${id}: ${message}; ${sayProgress()}`);
    process.exitCode = 1;
  };
  if (await runSideBySide(runs, { jobs, how }, { keep, lament })) {
    console.error('Stopped. The same command goes on.');
    process.exitCode = 130;
  }
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return fail(`FILE: ${shorten(file)} cannot be read (${error.code}). Name an experiment: docs/experiments.md.`); // prettier-ignore
  }
}

/** @param work with the server whose modules are the lab's */
async function withSources(work) {
  const { withPage } = await import('./headless.mjs');
  return withPage(work, { browser: false });
}

/** The command. @param sources calls its argument with what loads the lab's modules; tests load them otherwise */
export async function experimentCommand(args, sources = withSources) {
  let asked;
  try {
    asked = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    fail(`${error.message}\n\n${HELP}`);
  }
  const { values, positionals } = asked;
  if (values.help) return console.log(HELP);
  if (positionals.length !== 1) fail(`FILE: got ${positionals.length} files, wanted one.\n\n${HELP}`);
  if (!['software', 'hardware'].includes(values.adapter))
    fail(`--adapter: got ${shorten(values.adapter)}, wanted software or hardware.`);
  const jobs = jobsOf(values.jobs);
  const content = readText(positionals[0]);
  await sources(async ({ server }) => {
    const lab = await loadExperiments(server);
    const experiment = lab.readExperiment(content, basename(positionals[0]));
    checkSettings(lab, experiment);
    if (values.plan) {
      for (const { id, options } of lab.plannedRuns(experiment)) console.log(`${id}: ${options.join(' ')}`);
      return;
    }
    const folder = values.out ?? defaultFolder(experiment);
    mkdirSync(join(folder, 'runs'), { recursive: true });
    if (!values.report) {
      readRuns(lab, experiment, folder); // refuses another experiment's folder before it is written to
      writeFileSync(join(folder, 'experiment.json'), content);
      await train(lab, experiment, folder, { jobs, dawn: values.dawn, adapter: values.adapter });
    }
    const { comparisons } = writeReport(lab, experiment, folder);
    if (values.ship) ship(lab, experiment, folder);
    console.log(`${folder}/README.md`);
    for (const { sentence } of comparisons) console.log(sentence);
  });
}

if (isStarted(import.meta.filename))
  await experimentCommand(process.argv.slice(2)).catch((error) =>
    fail(error instanceof Error ? error.message : String(error)),
  );
