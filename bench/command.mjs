// What the bench's commands share: options, the contenders' packages, their seats, headers and files of results.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SOFTWARE_ADAPTER } from '../scripts/browser.mjs';
import { withPage } from '../scripts/headless.mjs';
import { browserSeat, dawnSeat } from './seats.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
export const DOCS = 'docs/performance';

export const COMMON_OPTIONS = {
  repetitions: { type: 'string', default: '5' },
  flags: { type: 'string', default: SOFTWARE_ADAPTER },
  dawn: { type: 'boolean', default: false },
  json: { type: 'string' },
  out: { type: 'string', default: join(HERE, 'results') },
  help: { type: 'boolean', default: false },
};

export const COMMON_HELP = `  --repetitions N      measured repetitions; default 5
  --flags "FLAGS"      Chromium's flags for the adapter; default ${SOFTWARE_ADAPTER}, "" takes the machine's
  --dawn               no browser: Node processes with Dawn's WebGPU (npm package webgpu)
  --json FILE          where the result goes; with several results the file's name gets theirs
  --out FOLDER         where results go without --json; default bench/results`;

export const fail = (message) => {
  console.error(message);
  process.exit(2);
};
export const log = (line) => console.error(line);

/** parseArgs takes no separate value that begins with a dash, as Chromium's flags do. */
const joinFlags = (words) =>
  words.flatMap((word, at) => {
    if (word === '--flags' && at + 1 < words.length) return [`--flags=${words[at + 1]}`];
    return words[at - 1] === '--flags' ? [] : [word];
  });

/** The command line's values; prints the help and ends where it was asked for or is needed. */
export function readOptions(options, help) {
  try {
    const { values } = parseArgs({ args: joinFlags(process.argv.slice(2)), options });
    if (!values.help) return values;
  } catch (error) {
    fail(`${error.message}\n\n${help}`);
  }
  console.log(help);
  return process.exit(0);
}

/** Names out of a list separated by commas. */
export function some(text, name, known) {
  const names = text.split(',').filter(Boolean);
  const unknown = names.find((given) => !known.includes(given));
  if (unknown !== undefined || names.length === 0)
    fail(`--${name}: got ${unknown ?? 'nothing'}, wanted some of ${known.join(', ')}.`);
  return names;
}

export function positive(text, name) {
  const value = Number(text);
  if (!(value > 0)) fail(`--${name}: got ${text}, wanted a number above 0.`);
  return value;
}

/** True when this folder's package stands in node_modules at the version that package.json names. */
function installed([name, version]) {
  const file = join(HERE, 'node_modules', name, 'package.json');
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version;
}

/** The peers have a folder of their own, so that the project's install stays small. Dawn (130 MB) only on demand. */
export function installPeers(dawn) {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'));
  const wanted = { ...dependencies, ...(dawn ? optionalDependencies : {}) };
  if (Object.entries(wanted).every(installed)) return;
  log('installing the contenders into bench/node_modules');
  const command = ['ci', '--no-audit', '--no-fund', ...(dawn ? [] : ['--omit=optional'])];
  const settings = { cwd: HERE, stdio: 'inherit', shell: process.platform === 'win32' };
  if (spawnSync('npm', command, settings).status !== 0)
    fail('The contenders could not be installed: see above.');
}

/**
 * Runs `work(lab)` with a server of the sources and, unless Dawn is asked for, a browser.
 * @param entry file of bench/ whose packages are prepared ahead: one that comes later would reload the pages
 */
export const withLab = ({ dawn, flags }, entry, work) =>
  withPage((lab) => work({ ...lab, dawn, load: (file) => lab.server.ssrLoadModule(`/bench/${file}`) }), {
    entries: [`bench/${entry}`],
    browser: !dawn,
    adapterFlags: flags.split(' ').filter(Boolean),
  });

/** Opens a seat per contender, runs `work(seats)`, closes them. */
export async function withSeats({ browser, url, dawn }, ids, work) {
  const blankUrl = new URL('/blank', url).href;
  const open = dawn ? dawnSeat : browserSeat;
  const seats = [];
  try {
    for (const id of ids) seats.push(await open({ browser, blankUrl, id, log }));
    return await work(seats);
  } finally {
    for (const seat of seats) await seat.close().catch(() => undefined); // already closed when it did not answer
  }
}

/** What every result says first. `measure()` gives the rest. */
export async function withHeader({ browser, dawn }, seat, script, measure) {
  const before = loadavg()[0];
  const adapter = await seat.call('adapter');
  const rest = await measure();
  const quoted = process.argv.slice(2).map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `"${word}"`));
  return {
    adapter,
    browser: dawn ? `Node ${process.version} with Dawn` : `Chromium ${browser.version()}`,
    date: new Date().toISOString(),
    command: [`npm run ${script}`, ...(quoted.length > 0 ? ['--', ...quoted] : [])].join(' '),
    machine: { processor: cpus()[0].model, cores: cpus().length, load: [before, loadavg()[0]] },
    ...rest,
  };
}

const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** Writes a result; says where. */
export function save(result, name, { json, out, dawn }, several) {
  const given = json && several ? `${json.replace(/\.json$/, '')}-${name}.json` : json;
  const path = given ?? join(out, `${dawn ? 'dawn-' : ''}${slug(result.adapter)}-${name}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`);
  log(`saved as ${path}`);
  return path;
}
