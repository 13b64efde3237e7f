// `npm run lab`: trains without the page, in the headless browser that the tests use or, with --dawn, in Node. Writes a result as JSON and, if
// asked, the run's log. `npm run lab -- --list` names presets, algorithms and settings.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, setting } from './arguments.mjs';
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
  until: { type: 'string' }, // currency=amount
  left: { type: 'string' },
  resume: { type: 'string' },
  dawn: { type: 'boolean', default: false },
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
  --json FILE            writes the result, with which held-out questions were right after the run
  --record FILE          writes the run: its log, e.g. run.ndjson.gz, or one file with its last checkpoint, run.turnwise
  --traces FILE          writes the rows of all updates as verifiers v1 episodes, a line each, e.g. traces.jsonl
  --until WHAT=AMOUNT    ends the run after the update in which so many tokens (sampled), generated (tokens of all turns), calls
                         (of tools), seconds (of rollout and training) or updates are used up, and evaluates it there; --updates is the most it may take
  --left FILE            where Ctrl-C leaves the run; default: beside the record, or stopped.turnwise
  --resume FILE          goes on with the run of a file that has a checkpoint, e.g. one that Ctrl-C left
  --dawn                 without a browser: Dawn's WebGPU in Node, installed when it is first asked for
  --adapter KIND         software (default) or hardware
  --list                 names presets, algorithms, environments and settings

Ctrl-C ends a run after the update under way and leaves it as one file, which --resume and the page go on with.`;

function whole(values, name) {
  if (values[name] === undefined) return null;
  const value = Number(values[name]);
  if (!/^\d+$/.test(values[name]) || value >= 2 ** 32)
    fail(`--${name}: got ${shorten(values[name])}, wanted a whole number of at least 0.`);
  return value;
}

const CURRENCIES = ['updates', 'tokens', 'generated', 'calls', 'seconds']; // of src/experiment/budget.ts; a test compares

function budget(text) {
  if (text === undefined) return undefined;
  const [by, ...rest] = text.split('=');
  const amount = Number(rest.join('='));
  if (!CURRENCIES.includes(by) || !Number.isFinite(amount) || amount <= 0)
    fail(`--until: got ${shorten(text)}, wanted one of ${CURRENCIES.join(', ')} = a number above 0, e.g. --until tokens=100000.`); // prettier-ignore
  return { by, amount };
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
  const chosen = ['preset', 'algorithm', 'seed', 'updates', 'set', 'kernel'].filter((name) =>
    process.argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`)),
  );
  if (values.resume !== undefined && chosen.length > 0)
    fail(
      `--resume: got --${chosen[0]} beside it, wanted the settings of the file. Leave it out, or start a new run.`,
    );
  return {
    ...values,
    until: budget(values.until),
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

/** Where a run that was stopped is left. */
const leftAt = ({ left, record }) =>
  left ?? record?.replace(/(\.ndjson\.gz|\.turnwise)?$/, '.turnwise') ?? 'stopped.turnwise';

const toBase64 = (bytes) => bytes && Buffer.from(bytes).toString('base64');

/** Runs in the page. Bytes cross to this side and back as base64. */
async function inPage([config, file, record, traces, until]) {
  const { runLab } = await import('/src/train/engine/lab.ts');
  const onProgress = (progress) => void globalThis.report(progress);
  const stopping = new AbortController();
  globalThis.stopLab = () => stopping.abort();
  const start = file === null ? config : new Blob([Uint8Array.from(atob(file), (each) => each.charCodeAt(0))]); // prettier-ignore
  const parts = { stop: stopping.signal, traces, until };
  const outcome = await runLab(start, record, onProgress, parts);
  let binary = '';
  for (const byte of outcome.recording ?? []) binary += String.fromCharCode(byte);
  return { ...outcome, recording: outcome.recording && btoa(binary) };
}

/** The first Ctrl-C asks the run to end after its update, a second one ends the command. */
function onInterrupt(stop) {
  process.once('SIGINT', () => {
    console.error('\nThe run ends with the update under way. Ctrl-C again ends it at once.');
    process.once('SIGINT', () => process.exit(130));
    stop();
  });
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

/** What is to be trained: a configuration, or the bytes of a file. */
async function asked(server, options) {
  if (options.resume === undefined) {
    const { labCautions, labConfig } = await server.ssrLoadModule('/src/train/engine/lab.ts');
    const config = labConfig({ ...options.lab, kernel: await expanded(options, server) });
    for (const line of labCautions(config)) console.error(line);
    return { config, file: null };
  }
  try {
    return { config: null, file: readFileSync(options.resume) };
  } catch (error) {
    return fail(
      `--resume: ${shorten(options.resume)} cannot be read (${error.code}). Name a run that was saved.`,
    );
  }
}

async function trainInPage({ page, server }, options) {
  const { config, file } = await asked(server, options);
  await page.exposeFunction('report', showProgress);
  onInterrupt(() => page.evaluate(() => globalThis.stopLab()).catch(() => process.exit(130))); // no run yet
  const { record, traces, until } = options;
  const wanted = [config, toBase64(file), recordOf(record), traces !== undefined, until];
  const { recording, ...outcome } = await page.evaluate(inPage, wanted);
  tell({ ...outcome, recording: recording && Buffer.from(recording, 'base64') }, options);
}

async function trainInNode({ server, startEngine }, options) {
  const { runLab } = await server.ssrLoadModule('/src/train/engine/lab.ts');
  const { config, file } = await asked(server, options);
  const stopping = new AbortController();
  onInterrupt(() => stopping.abort());
  const traces = options.traces !== undefined;
  const parts = { client: startEngine(), stop: stopping.signal, traces, until: options.until };
  const start = file === null ? config : new Blob([file]);
  tell(await runLab(start, recordOf(options.record), showProgress, parts), options);
}

function tell({ result, stoppedAfter, recording, traces }, options) {
  if (options.traces) write(options.traces, traces);
  if (stoppedAfter !== null) {
    const path = leftAt(options);
    write(path, recording);
    console.log(`Stopped after update ${stoppedAfter}. Go on: npm run lab -- --resume ${path}`);
    process.exitCode = 130;
    return;
  }
  if (options.json) write(options.json, `${JSON.stringify(result, null, 2)}\n`);
  if (options.record) write(options.record, recording);
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
  else if (options.dawn) {
    const { startedForDawn, withDawn } = await import('./dawn.mjs');
    startedForDawn(options.adapter);
    await withDawn((lab) => trainInNode(lab, options));
  } else
    await withPage((lab) => trainInPage(lab, options), {
      entries: ['src/train/engine/lab.ts', 'src/train/engine/worker.ts'],
      hearsInterrupts: true,
    });
} catch (error) {
  fail(
    String(error.message)
      .replace(/^page\.evaluate: (Error: )?/, '')
      .split('\n    at ')[0],
  );
}
