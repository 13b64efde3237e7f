// The page of all methods, docs/results/methods.md, and its curves: from the files that `npm run curves` wrote.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'docs/results';
const RUNS = join(FOLDER, 'methods');
const WINDOW = 5; // updates in the moving mean

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const fixed = (value, digits = 3) => (value === null ? '–' : value.toFixed(digits).replace('-', '−'));

/** Bessel-corrected; null for one run. */
function deviation(values) {
  if (values.length < 2) return null;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

const movingMean = (values) =>
  values.map((_, index) => mean(values.slice(Math.max(0, index - WINDOW + 1), index + 1)));

function readRuns() {
  if (!existsSync(RUNS)) return [];
  return readdirSync(RUNS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(RUNS, name), 'utf8')))
    .sort((a, b) => a.seed - b.seed);
}

/** Runs of each method, in the catalogue's order. */
function byMethod(runs, algorithms) {
  return Object.values(algorithms).flatMap((method) => {
    const own = runs.filter(({ algorithm }) => algorithm.name === method.name);
    return own.length === 0 ? [] : [{ method, runs: own }];
  });
}

const rise = ({ heldOut: { before, after } }) => after.exactMatch - before.exactMatch;

/** Sampled rows per prompt and tokens per update say what a method pays for its signal. */
function row({ method, runs }) {
  const of = (pick) => runs.map(pick);
  const after = of(({ heldOut }) => heldOut.after.exactMatch);
  const rises = of(rise);
  const spread = deviation(rises);
  const skipped = of(({ metrics }) => metrics.skippedSteps.reduce((sum, count) => sum + count, 0));
  const tokens = mean(of(({ metrics }) => mean(metrics.sampledTokens)));
  const cells = [
    `\`${method.name}\``,
    runs.map(({ seed }) => seed).join(', '),
    fixed(mean(of(({ heldOut }) => heldOut.before.exactMatch))),
    fixed(mean(after)),
    `${fixed(mean(rises))}${spread === null ? '' : ` ± ${fixed(spread)}`}`,
    fixed(mean(of(({ heldOut }) => heldOut.after.greedyExactMatch))),
    fixed(mean(of(({ metrics }) => metrics.entropy.at(-1) ?? 0)), 2),
    fixed(mean(of(({ metrics }) => mean(metrics.deadTrees))), 2),
    runs[0].algorithm.rollout.leavesPerTree,
    Math.round(tokens),
    skipped.every((count) => count === 0) ? 'none' : skipped.join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

const SIZE = { width: 220, height: 120, left: 30, right: 8, top: 22, bottom: 18, columns: 4 };

/** One small chart per method: a thin line per seed, a thick one for their mean. */
function chart({ method, runs }, index) {
  const { width, height, left, right, top, bottom, columns } = SIZE;
  const x0 = (index % columns) * width;
  const y0 = Math.floor(index / columns) * height;
  const updates = Math.max(...runs.map(({ updates: count }) => count));
  const x = (update) => x0 + left + ((width - left - right) * (update - 1)) / Math.max(1, updates - 1);
  const y = (share) => y0 + height - bottom - (height - top - bottom) * share;
  const path = (values) =>
    values.map((value, at) => `${x(at + 1).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const curves = runs.map(({ metrics }) => movingMean(metrics.exactMatch));
  const average = curves[0].map((_, at) => mean(curves.map((curve) => curve[at] ?? 0)));
  const thin = curves.map(
    (curve) => `<polyline points="${path(curve)}" fill="none" stroke="#8fb6c4" stroke-width="1"/>`,
  );
  const ticks = [0, 0.5, 1].map(
    (share) =>
      `<line x1="${x0 + left}" x2="${x0 + width - right}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/><text x="${x0 + left - 4}" y="${y(share) + 3}" text-anchor="end">${share}</text>`,
  );
  return `<g><text x="${x0 + left}" y="${y0 + 14}" font-weight="bold">${method.title.replace('&', '&amp;')}</text>${ticks.join('')}${thin.join('')}<polyline points="${path(average)}" fill="none" stroke="#0a5f7d" stroke-width="2"/></g>`;
}

function drawing(methods) {
  const rows = Math.ceil(methods.length / SIZE.columns);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.columns * SIZE.width} ${rows * SIZE.height}" font-family="sans-serif" font-size="10" role="img" aria-label="Exact match of first rollouts by update, one chart per method"><rect width="100%" height="100%" fill="#fff"/>${methods.map(chart).join('')}</svg>\n`;
}

const page = (methods, runs) => `# Every method on one task

Made by \`npm run results\` from the files in [methods](methods); do not edit by hand. The files are what this command wrote:

\`\`\`
npm run curves -- --preset ${runs[0].preset} --seeds ${[...new Set(runs.map(({ seed }) => seed))].join(',')}
\`\`\`

Adapter ${runs[0].adapter.vendor} ${runs[0].adapter.architecture}; ${[...new Set(runs.map(({ date }) => date.slice(0, 10)))].sort().join(', ')}. Preset \`${runs[0].preset}\`, ${runs[0].updates} updates of
${runs[0].metrics.exactMatch.length > 0 ? 'the same prompts' : 'prompts'}, ${runs[0].heldOut.questions} held-out questions per evaluation (standard error of a share about 0.03). Every method runs with the optimiser
and learning rate of the preset, which were chosen for AT²PO; methods differ in how many rows and tokens they sample, and
nothing was tuned for any of the others. Read the table as "what this rule does here", not as a ranking.

| method | seeds | before | after (sampled) | rise ± deviation over seeds | after (greedy) | last entropy, nats | dead trees | rows per prompt | sampled tokens per update | skipped steps |
|---|---|---|---|---|---|---|---|---|---|---|
${methods.map(row).join('\n')}

Exact match of the first rollouts by update, mean of the last ${WINDOW}; thin lines are seeds, the thick one their mean:

![Curves of every method](methods.svg)
`;

/** @param algorithms the catalogue */
export function writeMethodResults(algorithms) {
  const runs = readRuns();
  if (runs.length === 0) return;
  const methods = byMethod(runs, algorithms);
  writeFileSync(join(FOLDER, 'methods.md'), page(methods, runs));
  writeFileSync(join(FOLDER, 'methods.svg'), drawing(methods));
  console.log(`${FOLDER}/methods.md: ${methods.length} methods, ${runs.length} runs`);
}
