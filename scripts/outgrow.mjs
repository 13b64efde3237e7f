// `npm run outgrow`: a method as a folder for verl. Named as for `npm run lab`; without --preset the numbers are the paper's.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, setting } from './arguments.mjs';
import { shorten } from './shorten.mjs';

const OPTIONS = {
  algorithm: { type: 'string' },
  preset: { type: 'string' },
  set: { type: 'string', multiple: true, default: [] },
  out: { type: 'string' },
  help: { type: 'boolean', default: false },
};

const HELP = `npm run outgrow -- --algorithm NAME --out DIR [options]
  --algorithm NAME       any method; npm run lab -- --list names them
  --out DIR              the folder; its files are written over
  --preset NAME          counts and clip band of a preset; default: those of the method's paper
  --set PATH=VALUE       any setting, e.g. --set algorithm.rollout.picks=4; may be repeated`;

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`);
  }
}

async function write({ server }, { algorithm, preset, set, out }) {
  const { labConfig } = await server.ssrLoadModule('/src/train/engine/lab.ts');
  const { verlFolder } = await server.ssrLoadModule('/src/outgrow/folder.ts');
  const { notExpressed } = await server.ssrLoadModule('/src/outgrow/settings.ts');
  const settings = set.map(setting);
  const config = labConfig({ preset: preset ?? 'research', algorithm, seed: null, updates: null, evaluationQuestions: 100, settings }); // prettier-ignore
  mkdirSync(out, { recursive: true });
  const folder = verlFolder(config);
  for (const [name, text] of folder) writeFileSync(join(out, name), text);
  console.log(`${out}: ${folder.size} files, ${algorithm} for verl. Begin with README.md.`);
  const left = notExpressed(config);
  if (left.length > 0) console.log('Not expressed:');
  for (const { path, said } of left) console.log(`  ${path}: ${said.note}`);
}

const options = readOptions();
if (options.help) console.log(HELP);
else if (!options.algorithm || !options.out)
  fail(`--algorithm and --out: got ${shorten(options.algorithm ?? 'nothing')} and ${shorten(options.out ?? 'nothing')}, wanted a method and a folder.\n\n${HELP}`); // prettier-ignore
else {
  const { withPage } = await import('./headless.mjs');
  try {
    await withPage((lab) => write(lab, options), { browser: false });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}
