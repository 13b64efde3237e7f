// `npm run lab`: trains without the page, in the headless browser that the tests use. Writes a result as JSON and, if
// asked, the run's log. `npm run lab -- --list` names presets, algorithms and settings.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { shorten } from './shorten.mjs';

const OPTIONS = {
  preset: { type: 'string', default: 'instant' },
  algorithm: { type: 'string' },
  seed: { type: 'string' },
  updates: { type: 'string' },
  'eval-questions': { type: 'string', default: '200' }, // held-out questions per data set
  set: { type: 'string', multiple: true, default: [] }, // path=value, any setting of the configuration
  kernel: { type: 'string' }, // NAME=FILE
  json: { type: 'string' },
  record: { type: 'string' },
  traces: { type: 'string' },
  adapter: { type: 'string', default: 'software' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

const HELP = `npm run lab -- [options]
  --preset NAME          instant (default), classroom, research, corridor, boundary
  --algorithm NAME       default: the preset's
  --seed N               default: the preset's
  --updates N            default: the preset's
  --eval-questions N     held-out questions per data set, before and after; default 200
  --set PATH=VALUE       any setting, e.g. --set optimiser.learningRate=3e-4; may be repeated
  --kernel NAME=FILE     WGSL in place of a kernel's own, e.g. --kernel policy_loss=my_loss.wgsl; its gradient is
                         checked on the catalogue's cases before the run, which is labelled with what was found
  --json FILE            writes the result
  --record FILE          writes the run: its log, e.g. run.ndjson.gz, or one file with its last checkpoint, run.turnwise
  --traces FILE          writes the rows of all updates as verifiers v1 episodes, a line each, e.g. traces.jsonl
  --adapter KIND         software (default) or hardware
  --list                 names presets, algorithms, environments and settings`;

const fail = (message) => {
  console.error(message);
  process.exit(2);
};

function whole(values, name) {
  if (values[name] === undefined) return null;
  const value = Number(values[name]);
  if (!/^\d+$/.test(values[name]) || value >= 2 ** 32)
    fail(`--${name}: got ${shorten(values[name])}, wanted a whole number of at least 0.`);
  return value;
}

function setting(text) {
  const at = text.indexOf('=');
  if (at < 1)
    fail(`--set: got ${shorten(text)}, wanted path=value, e.g. --set algorithm.rollout.picks=4. See --list.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function kernel(text) {
  if (text === undefined) return null;
  const at = text.indexOf('=');
  const [name, file] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
  if (name === '' || file === '')
    fail(`--kernel: got ${shorten(text)}, wanted NAME=FILE, e.g. policy_loss=my_loss.wgsl.`);
  try {
    return [name, readFileSync(file, 'utf8')];
  } catch (error) {
    return fail(`--kernel: ${shorten(file)} cannot be read (${error.code}). Name a file with WGSL.`);
  }
}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({ options: OPTIONS }));
  } catch (error) {
    fail(`${error.message}\n\n${HELP}`);
  }
  if (!['software', 'hardware'].includes(values.adapter))
    fail(`--adapter: got ${shorten(values.adapter)}, wanted software or hardware.`);
  return {
    ...values,
    lab: {
      preset: values.preset,
      algorithm: values.algorithm ?? null,
      seed: whole(values, 'seed'),
      updates: whole(values, 'updates'),
      evaluationQuestions: whole(values, 'eval-questions'),
      settings: values.set.map(setting),
      kernel: kernel(values.kernel),
    },
  };
}

const BAR = 24; // characters

/** A bar that stays on its line on a terminal; a line per update elsewhere. */
function showProgress({ kind, update, updates, seconds, text }) {
  const line = kind === 'note' ? text : `update ${update}/${updates}  ${text}`;
  if (!process.stderr.isTTY || kind === 'note') {
    console.error(process.stderr.isTTY ? `\r\x1b[K${line}` : line);
    return;
  }
  const full = Math.round((BAR * update) / updates);
  const left = update === 0 ? '' : `  ${Math.round((seconds / update) * (updates - update))} s left`;
  process.stderr.write(`\r\x1b[K[${'='.repeat(full)}${' '.repeat(BAR - full)}] ${line}${left}`);
  if (update === updates) process.stderr.write('\n');
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** @returns what is written: one file of the run, its log, or nothing */
const recordOf = (path) => (path === undefined ? null : path.endsWith('.turnwise') ? 'bundle' : 'log');

/** Runs in the page. Bytes cross to this side as base64. */
async function inPage([config, record, withTraces]) {
  const { runLab } = await import('/src/train/engine/lab.ts');
  const onProgress = (progress) => void globalThis.report(progress);
  const { result, recording, traces } = await runLab(config, record, onProgress, withTraces);
  let binary = '';
  for (const byte of recording ?? []) binary += String.fromCharCode(byte);
  return { result, recording: recording && btoa(binary), traces };
}

/** An edited kernel with its parts, where it was copied from a file of shaders/. */
async function expanded({ kernel: option, lab }, server) {
  if (lab.kernel === null) return null;
  const { expandWgsl } = await server.ssrLoadModule('/scripts/wgsl_parts.ts');
  const [name, text] = lab.kernel;
  try {
    return [name, expandWgsl(text, option.slice(name.length + 1)).text];
  } catch (error) {
    return fail(`--kernel: ${error.message}`);
  }
}

async function trainInPage({ page, server }, options) {
  const { labCautions, labConfig } = await server.ssrLoadModule('/src/train/engine/lab.ts');
  const config = labConfig({ ...options.lab, kernel: await expanded(options, server) });
  for (const line of labCautions(config)) console.error(line);
  await page.exposeFunction('report', showProgress);
  const asked = [config, recordOf(options.record), options.traces !== undefined];
  const { result, recording, traces } = await page.evaluate(inPage, asked);
  if (options.json) write(options.json, `${JSON.stringify(result, null, 2)}\n`);
  if (options.record) write(options.record, Buffer.from(recording, 'base64'));
  if (options.traces) write(options.traces, traces);
  const { before, after } = result.heldOut;
  if (result.edited) console.log(`Run with an ${result.edited}.`);
  console.log(
    `held-out exact match ${before.exactMatch.toFixed(3)} before, ${after.exactMatch.toFixed(3)} after ` +
      `(${result.heldOut.questions} questions per data set; greedy ${before.greedyExactMatch.toFixed(3)}, ${after.greedyExactMatch.toFixed(3)}); ` +
      `${result.updates.length} updates in ${result.trainingSeconds.toFixed(1)} s, ${result.seconds.toFixed(1)} s with evaluation`,
  );
}

const options = readOptions();
if (options.adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs
const { withPage } = await import('./headless.mjs');
try {
  if (options.help) console.log(HELP);
  else if (options.list)
    await withPage(
      async ({ server }) =>
        console.log((await server.ssrLoadModule('/src/train/engine/lab.ts')).listChoices()),
      { browser: false },
    );
  else
    await withPage((lab) => trainInPage(lab, options), {
      entries: ['src/train/engine/lab.ts', 'src/train/engine/worker.ts'],
    });
} catch (error) {
  fail(
    String(error.message)
      .replace(/^page\.evaluate: (Error: )?/, '')
      .split('\n    at ')[0],
  );
}
