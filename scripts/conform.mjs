// `npm run conform -- <folder>`: runs our code on every fixture file of a folder and prints one line per family.
// CPU families run here, GPU families in a headless browser or, with --dawn, on Dawn's WebGPU in this process (--adapter hardware:
// on a card). Exits non-zero on any miss, or when nothing was read.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail } from './arguments.mjs';

const WIDTHS = [46, 7, 13, 11];

function fixtureFiles(folder) {
  if (!folder) fail('Which folder? Usage: npm run conform -- <folder of fixture files>');
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) fail(`There is no folder ${folder}.`);
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort();
  if (names.length === 0) fail(`${folder} holds no .json file, so there is nothing to check.`);
  return names.map((name) => join(folder, name));
}

/** A family that could not be checked at all counts as failed. */
const broken = (name, error) => ({
  name,
  cases: 0,
  worstError: Infinity,
  tolerance: 0,
  passed: false,
  failures: [error instanceof Error ? error.message : String(error)],
});

/** A file's text, or why it is not JSON. */
function readFixture(path) {
  const name = basename(path, '.json');
  try {
    const text = readFileSync(path, 'utf8');
    JSON.parse(text);
    return { name, text, error: null };
  } catch (error) {
    return { name, text: '', error };
  }
}

/** In a page, or in this process where there is none. */
async function checkOnGpu({ name, text }, { page, server }) {
  if (!page) return (await server.ssrLoadModule('/tests/conform/gpu.ts')).conformOnGpu(name, text);
  const reports = await page.evaluate(
    async ([fileName, json]) => {
      const { conformOnGpu } = await import('/tests/conform/gpu.ts');
      const found = await conformOnGpu(fileName, json);
      return found.map((report) => ({ ...report, worstError: String(report.worstError) })); // Infinity survives
    },
    [name, text],
  );
  return reports.map((report) => ({ ...report, worstError: Number(report.worstError) }));
}

async function checkFile({ name, text }, lab) {
  try {
    const { conformFile, GPU_FILES } = await lab.server.ssrLoadModule('/tests/conform/index.ts');
    const results = await conformFile(name, JSON.parse(text));
    if (!GPU_FILES.includes(name)) return results;
    return [...results, ...(await checkOnGpu({ name, text }, lab))];
  } catch (error) {
    return [broken(name, error)];
  }
}

const line = (cells) =>
  cells
    .map((cell, index) => String(cell).padEnd(WIDTHS[index] ?? 0))
    .join(' ')
    .trimEnd();

function print(result) {
  if (result.notImplemented) return console.log(line([result.name, result.cases, '', '', 'not implemented']));
  const { name, cases, worstError, tolerance, passed, failures } = result;
  console.log(line([name, cases, worstError.toExponential(2), tolerance, passed ? 'passed' : 'FAILED']));
  for (const failure of failures) console.log(`    ${failure}`);
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dawn: { type: 'boolean', default: false },
      adapter: { type: 'string', default: 'software' },
    },
  });
  if (values.adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs
  const dawn = values.dawn && (await import('./dawn.mjs'));
  if (dawn) dawn.startedForDawn(values.adapter);
  const fixtures = fixtureFiles(positionals[0]).map(readFixture);
  const readable = fixtures.filter(({ error }) => error === null);
  let passed = 0;
  let failed = 0;
  const count = (result) => {
    print(result);
    if (result.passed) passed += 1;
    else if (!result.notImplemented) failed += 1;
  };
  console.log(line(['family', 'cases', 'worst error', 'tolerance', 'verdict']));
  for (const { name, error } of fixtures) if (error) count(broken(name, error));
  const check = async (lab) => {
    for (const fixture of readable) for (const result of await checkFile(fixture, lab)) count(result);
  };
  const conclude = () => {
    console.log(`\n${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  };
  if (readable.length === 0) return conclude();
  if (dawn)
    return dawn.withDawn(async (lab) => {
      await check(lab);
      conclude();
    });
  const { withPage } = await import('./headless.mjs'); // not before there is something to check: it loads a browser
  await withPage(check, { entries: ['tests/conform/gpu.ts', 'tests/conform/index.ts'] });
  conclude();
}

await main();
