// `npm run curves`: trains every method from the same seeds on one preset, one run after another in one page, and writes
// a small file per run into docs/results/methods; what is already there is left as it is. `npm run results` draws them.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const OPTIONS = {
  preset: { type: 'string', default: 'instant' },
  seeds: { type: 'string', default: '1,2,3' },
  updates: { type: 'string' }, // default: the preset's
  only: { type: 'string' }, // names, with commas
  questions: { type: 'string', default: '200' },
  folder: { type: 'string', default: 'docs/results/methods' },
  adapter: { type: 'string', default: 'software' },
  again: { type: 'boolean', default: false }, // runs what is there too
};

const { values } = parseArgs({ options: OPTIONS });
if (values.adapter === 'hardware') process.env.GPU = 'hardware'; // read by browser.mjs
const { withPage } = await import('./headless.mjs');

const KEPT = [
  'exactMatch',
  'meanReward',
  'malformed',
  'entropy',
  'depth',
  'deadTrees',
  'rolloutBatches',
  'clipFraction',
  'ppoKl',
  'gradientNorm',
  'skippedSteps',
  'sampledTokens',
  'uniqueTokens',
  'rowTokens',
];
const DIGITS = 5; // significant, of what is kept

const rounded = (value) => (Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : null);

/** What the page of results needs of a run. */
function condense({ config, adapter, date, heldOut, updates, seconds }) {
  const { preset, seed, algorithm } = config;
  const metrics = Object.fromEntries(
    KEPT.map((name) => [name, updates.map((update) => rounded(update[name]))]),
  );
  return {
    preset,
    seed,
    updates: config.updates,
    algorithm,
    adapter,
    date,
    heldOut,
    seconds: rounded(seconds),
    metrics,
  };
}

async function inPage(config) {
  const { runLab } = await import('/src/train/engine/lab.ts');
  return (await runLab(config, null, () => undefined)).result;
}

mkdirSync(values.folder, { recursive: true });
await withPage(
  async ({ page, server }) => {
    const { labConfig } = await server.ssrLoadModule('/src/train/engine/lab.ts');
    const { algorithms } = await server.ssrLoadModule('/src/algo/catalogue/index.ts');
    const names = values.only?.split(',') ?? Object.keys(algorithms);
    for (const seed of values.seeds.split(',').map(Number)) {
      for (const name of names) {
        const file = join(values.folder, `${name}-${seed}.json`);
        if (existsSync(file) && !values.again) continue;
        const config = labConfig({
          preset: values.preset,
          algorithm: name,
          seed,
          updates: values.updates === undefined ? null : Number(values.updates),
          evaluationQuestions: Number(values.questions),
          settings: [],
        });
        try {
          const result = await page.evaluate(inPage, config);
          writeFileSync(file, `${JSON.stringify(condense(result))}\n`);
          const { before, after } = result.heldOut;
          console.log(
            `${name} seed ${seed}: ${before.exactMatch.toFixed(3)} → ${after.exactMatch.toFixed(3)}, ${result.seconds.toFixed(0)} s`,
          );
        } catch (error) {
          console.error(`${name} seed ${seed}: ${error.message.split('\n')[0]}`);
          process.exitCode = 1;
        }
      }
    }
  },
  { entries: ['src/train/engine/lab.ts', 'src/train/engine/worker.ts'] },
);
