// `npm run import -- FILE_OR_FOLDER …`: reads rollouts that somebody else wrote and says what is in them. A folder is one
// run. Exits non-zero when nothing could be read.
import { openAsBlob, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, isStarted } from './arguments.mjs';

const OPTIONS = {
  format: { type: 'string' },
  delimiters: { type: 'string' },
  reward: { type: 'string' },
  group: { type: 'string' },
  json: { type: 'string' },
  record: { type: 'string' },
  help: { type: 'boolean', default: false },
};

const HELP = `npm run import -- FILE_OR_FOLDER … [options]
  --format NAME          reads the rows as this format; else it is recognised
  --delimiters NAME      chatml, stripped, none, information, result, or OPEN…CLOSE of an observation
  --reward FIELD         of a row, a path with dots, e.g. scores.match.value
  --group FIELD          that rollouts of one prompt share
  --json FILE            writes the counts, the rewards, the lints and what was refused
  --record FILE          writes a run record for the page, e.g. run.ndjson.gz; the rollouts are held in memory`;

function optionsOf(args) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`);
  }
}

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile() || statSync(path, { throwIfNoEntry: false })?.isFile()) yield path;
  }
}

/** A file keeps the path as it was given: folder names say steps. */
async function chosenFiles(paths) {
  const found = [];
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) fail(`There is no file ${path}.`);
    found.push(...(stat.isDirectory() ? filesBelow(path) : [path]));
  }
  return Promise.all(
    found.map(async (path) => ({ path: relative('.', path), blob: await openAsBlob(path) })),
  );
}

const MOST_PRINTED = 10;

function* shown(list, of) {
  for (const each of list.slice(0, MOST_PRINTED)) yield `    ${of(each)}`;
  if (list.length > MOST_PRINTED) yield `    … and ${list.length - MOST_PRINTED} more`;
}

function rewardWords(rewards) {
  const known = rewards.filter((each) => each !== null);
  const unknown = rewards.length - known.length;
  if (known.length === 0) return 'unknown';
  const least = known.reduce((one, other) => Math.min(one, other));
  const most = known.reduce((one, other) => Math.max(one, other));
  const mean = known.reduce((sum, each) => sum + each, 0) / known.length;
  return `mean ${mean.toPrecision(6)}, ${least} to ${most}${unknown > 0 ? `; ${unknown} unknown` : ''}`;
}

function* lines(summary) {
  const count = (value) => value.toLocaleString('en-US');
  const formats = Object.entries(summary.formats);
  yield `format        ${summary.title} (${summary.format || 'none'})${summary.version ? `, ${summary.version}` : ''}: ${summary.why}`;
  if (formats.length > 1)
    yield `              ${formats.map(([name, rollouts]) => `${name} ${rollouts}`).join(', ')}`;
  yield `tier          ${summary.tier}: ${summary.tierWords}`;
  yield `rollouts      ${count(summary.rollouts)} in ${count(summary.groups)} groups (by ${summary.groupedBy}), ${count(summary.steps)} steps`;
  yield `rows          ${count(summary.rows)} of a training batch, ${count(summary.branches)} branches`;
  yield `turns         ${count(summary.turns)}, observations ${count(summary.observations)}, tool calls ${count(summary.calls)}, tokens of turns ${summary.tokens === null ? 'unknown' : count(summary.tokens)}`;
  yield `rewards       ${rewardWords(summary.rewards)}`;
  const deepest = summary.deepestMerge;
  yield `trees         ${count(summary.trees)}, ${count(summary.merges)} merges inferred from equal beginnings${deepest ? `, the deepest the same for ${deepest.turns} turns, in group ${deepest.group}` : ''}`;
  for (const { kind, text, count: times, places } of summary.lints)
    yield `lint          ${kind}, ${count(times)} ×: ${text} (${places.map(({ path, line }) => `${path}:${line}`).join(', ')}${times > places.length ? ', …' : ''})`;
  if (summary.skipped.length > 0) yield `skipped       ${summary.skipped.length} files`;
  yield* shown(summary.skipped, ({ path, why }) => `${path}: ${why}`);
  yield `refused       ${count(summary.refusedCount)}`;
  yield* shown(
    summary.refused,
    ({ path, line, report }) =>
      `${path}:${line} ${report.what}: got ${report.got}, wanted ${report.wanted}. ${report.next}`,
  );
}

async function writeRecord(server, path, { rollouts, summary, isWhole }, files) {
  if (!isWhole) fail('--record: the rollouts are too many to be held; choose fewer files.');
  const { toRecord } = await server.ssrLoadModule('/src/files/rollouts/record.ts');
  const { writeRecording } = await server.ssrLoadModule('/src/files/recording.ts');
  const name = files.length === 1 ? files[0].path.split('/').at(-1) : `${files.length} files`;
  writeFileSync(path, await writeRecording(toRecord(rollouts, { file: name, format: summary.title })));
}

async function openSources() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { createServer } = await import('vite'); // not before there is a file to read
  return createServer({ root, configFile: false, logLevel: 'warn', appType: 'custom', server: { middlewareMode: true, hmr: false, ws: false, watch: null }, optimizeDeps: { noDiscovery: true } }); // prettier-ignore
}

/** The command. @param sources opens what loads the lab's modules; tests load them otherwise */
export async function importRollouts(args, sources = openSources) {
  const { values, positionals } = optionsOf(args);
  if (values.help) return console.log(HELP);
  if (positionals.length === 0) fail(`Which file or folder?\n\n${HELP}`);
  const files = await chosenFiles(positionals);
  const server = await sources();
  try {
    const { importFiles } = await server.ssrLoadModule('/src/files/rollouts/import.ts');
    const { format, delimiters, reward, group } = values;
    const read = await importFiles(files, {
      format,
      delimiters,
      reward,
      group,
      ...(values.record ? {} : { keepBytes: 0 }),
    });
    for (const line of lines(read.summary)) console.log(line);
    if (values.json) writeFileSync(values.json, `${JSON.stringify(read.summary)}\n`);
    if (values.record) await writeRecord(server, values.record, read, files);
    process.exitCode = read.summary.rollouts > 0 || read.summary.failed.length > 0 ? 0 : 1;
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  } finally {
    await server.close();
  }
}

if (isStarted(import.meta.filename)) {
  process.removeAllListeners('warning'); // node says of openAsBlob that it is new
  await importRollouts(process.argv.slice(2));
}
