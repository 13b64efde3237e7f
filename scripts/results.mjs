// `npm run results`: writes docs/results/README.md and curves.svg from the lab's result files beside them, and what presets
// claim of themselves (src/train/config/preset_claims.json) from these and docs/results/presets; the pages of all methods, of every
// experiment, of the suite and of early signs.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withPage } from './headless.mjs';
import { loadExperiments, writeReport } from './experiment.mjs';
import { writeMethodResults } from './method_results.mjs';
import { writeSuiteResults } from './suite_results.mjs';

const FOLDER = 'docs/results';
const WINDOW = 5; // updates in the moving mean of the curves

const runs = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => ({ name, ...JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) }));

const fixed = (value, digits = 3) => value.toFixed(digits);
const signed = (value) => `${value < 0 ? '−' : '+'}${fixed(Math.abs(value))}`;
const adapterOf = ({ adapter }) => `${adapter.vendor} ${adapter.architecture}`;
const commandOf = ({ name, config }) => {
  const { preset, algorithm, seed, updates, evaluation } = config;
  const every = evaluation.every === 0 ? '' : ` --set evaluation.every=${evaluation.every}`;
  return `npm run lab -- --preset ${preset} --algorithm ${algorithm.name} --seed ${seed} --updates ${updates}${every} --json ${FOLDER}/${name}`;
};

const row = (run) => {
  const { before, after, questions } = run.heldOut;
  const cells = [
    run.config.preset,
    run.config.algorithm.name,
    run.config.seed,
    run.config.updates,
    fixed(before.exactMatch),
    fixed(after.exactMatch),
    signed(after.exactMatch - before.exactMatch),
    `${fixed(before.greedyExactMatch)} → ${fixed(after.greedyExactMatch)}`,
    questions,
    Math.round(run.seconds),
    adapterOf(run),
    run.date.slice(0, 10),
  ];
  return `| ${cells.join(' | ')} |`;
};

const movingMean = (values) =>
  values.map((_, index) => {
    const part = values.slice(Math.max(0, index - WINDOW + 1), index + 1);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });

const WIDTH = 720;
const HEIGHT = 320;
const MARGIN = { left: 44, right: 130, top: 14, bottom: 34 };
const DASHES = ['none', '6 3', '2 3', '8 3 2 3', '1 2'];

function chart() {
  const updates = Math.max(...runs.map((run) => run.updates.length));
  const x = (update) =>
    MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * (update - 1)) / Math.max(1, updates - 1);
  const y = (share) => HEIGHT - MARGIN.bottom - (HEIGHT - MARGIN.top - MARGIN.bottom) * share;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(share)}" y2="${y(share)}" stroke="#ccc"/><text x="${MARGIN.left - 6}" y="${y(share) + 4}" text-anchor="end">${share}</text>`,
  );
  const lines = runs.map((run, index) => {
    const values = movingMean(run.updates.map(({ exactMatch }) => exactMatch));
    const points = values.map((value, at) => `${x(at + 1).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    const label = `${run.config.algorithm.name}, seed ${run.config.seed}`;
    const key = y(1) + 18 * index + 4;
    const dash = `stroke-dasharray="${DASHES[index % DASHES.length]}"`;
    return `<polyline points="${points}" fill="none" stroke="#0a5f7d" stroke-width="1.8" ${dash}/><line x1="${WIDTH - MARGIN.right + 8}" x2="${WIDTH - MARGIN.right + 34}" y1="${key}" y2="${key}" stroke="#0a5f7d" stroke-width="1.8" ${dash}/><text x="${WIDTH - MARGIN.right + 40}" y="${key + 4}">${label}</text>`;
  });
  const axis = `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">update (1 to ${updates})</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" role="img" aria-label="Exact match of the initial rollouts by update"><rect width="100%" height="100%" fill="#fff"/>${ticks.join('')}${lines.join('')}${axis}</svg>\n`;
}

const EXPERIMENTS = join(FOLDER, 'experiments');
const experiments = existsSync(EXPERIMENTS) ? readdirSync(EXPERIMENTS).sort() : [];

const page = `# Results

Made by \`npm run results\` from the files beside this page; do not edit by hand. Each file is what one command wrote:

\`\`\`
${runs.map(commandOf).join('\n')}
\`\`\`

Exact match is between 0 and 1. Held-out questions are the same for every run; "sampled" draws at temperature 1, "greedy"
takes the likeliest token. With n questions the standard error of a share p is √(p(1−p)/n): about 0.03 at n = 200.
Seconds hold evaluation too and depend on what else the machine does: these ran one after another on two cores that did nothing else.

| preset | algorithm | seed | updates | sampled before | sampled after | rise | greedy before → after | questions | seconds | adapter | date |
|---|---|---|---|---|---|---|---|---|---|---|---|
${runs.map(row).join('\n')}

Exact match of the initial rollouts of each update (${runs[0].config.promptsPerUpdate} prompts × ${runs[0].config.algorithm.rollout.initialBranches} chains), mean of the last ${WINDOW} updates:

![Exact match by update](curves.svg)

What a preset says of itself in Settings is condensed from these files and from \`presets/\`, which were measured with \`nice -n 19\` on
two cores that did other things too, so that their seconds are upper bounds. Their command:
\`npm run lab -- --preset NAME --seed N --set evaluation.every=10 --eval-questions 100 --json docs/results/presets/NAME-N.json\`.

All methods from the same seeds: [methods.md](methods.md). Tasks that are hard in different ways: [compare.md](compare.md). Which warning tells a collapse first: [early_signs.md](early_signs.md).
${experiments.length === 0 ? '' : `\nExperiments: ${experiments.map((name) => `[${name}](experiments/${name}/README.md)`).join(', ')}.\n`}`;

writeFileSync(join(FOLDER, 'README.md'), page);
writeFileSync(join(FOLDER, 'curves.svg'), chart());
console.log(`${FOLDER}/README.md: ${runs.length} runs`);

const CLAIMS = 'src/train/config/preset_claims.json';
const measured = readdirSync(join(FOLDER, 'presets'))
  .sort()
  .map((name) => JSON.parse(readFileSync(join(FOLDER, 'presets', name), 'utf8')));

const known = new Set(); // runs by their start: two experiments may share some
const curvesIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
    .filter(({ date }) => !known.has(date) && known.add(date))
    .map(({ metrics }) => metrics);

/** Every warning over every run that lies here: by kind of run, and all together. */
function writeEarlySigns({ earlySigns, saySigns, signTable, COLLAPSE_WORDS }) {
  const prototype = JSON.parse(readFileSync(join(FOLDER, 'prototype/curves.json'), 'utf8'));
  const groups = [
    ['Runs of the prototype', `From [prototype](prototype/curves.json): ${prototype.source}.`, Object.values(prototype.runs)],
    ['Every method on `instant`', 'From [methods](methods.md), whose page has their command, adapter and dates.', curvesIn(join(FOLDER, 'methods'))],
    ...experiments.map((name) => [`Experiment ${name}`, `From [its page](experiments/${name}/README.md), without runs that stand above already.`, curvesIn(join(EXPERIMENTS, name, 'runs'))]),
  ]; // prettier-ignore
  const all = [
    'All of these',
    'Tasks, sizes and methods are mixed; no run counts twice.',
    groups.flatMap(([, , runs]) => runs),
  ];
  const part = ([title, source, runs]) => {
    const signs = earlySigns(runs);
    return `## ${title}\n\n${source}\n\n${saySigns(signs, runs)}\n\n${signTable(signs)}\n`;
  };
  const text = `# Early signs of collapse\n\nMade by \`npm run results\`; do not edit by hand. A warning is given by the first window of five updates past its threshold; it tells a collapse where it comes before it, and is false in a run that did not collapse. Every warning that was tried is listed. Shares have Wilson’s interval.\n\n${COLLAPSE_WORDS} The definition reads depth and dead trees itself, so the lead of their warnings is partly that of a mild threshold over a hard one.\n\n${[all, ...groups].map(part).join('\n')}`;
  writeFileSync(join(FOLDER, 'early_signs.md'), text);
  console.log(`${FOLDER}/early_signs.md: ${all[2].length} runs`);
}

await withPage(
  async ({ server }) => {
    const lab = await loadExperiments(server);
    writeEarlySigns(lab);
    for (const name of experiments) {
      const folder = join(EXPERIMENTS, name);
      writeReport(
        lab,
        lab.readExperiment(readFileSync(join(folder, 'experiment.json'), 'utf8'), name),
        folder,
      );
    }
    await writeSuiteResults(lab, (path) => server.ssrLoadModule(path));
    const { condenseClaims } = await server.ssrLoadModule('/src/train/config/claims.ts');
    const { presets } = await server.ssrLoadModule('/src/train/config/presets.ts');
    writeFileSync(CLAIMS, `${JSON.stringify(condenseClaims([...runs, ...measured], presets), null, 2)}\n`);
    writeMethodResults((await server.ssrLoadModule('/src/algo/catalogue/index.ts')).algorithms);
  },
  { browser: false },
);
