// `npm run mutate -- --count 10000 --seed 1`: opens that many hostile runs, recordings and weights (tests/support/
// hostile_files.ts) as the lab does and prints a line per mutation. Exits non-zero where one crashes, is refused without
// words, or changes a prototype.
import { parseArgs } from 'node:util';
import { withPage } from './headless.mjs';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
if (![count, seed].every((number) => Number.isSafeInteger(number) && number >= 0)) {
  console.error('--count and --seed want whole numbers of at least 0.');
  process.exit(2);
}

const MB = 2 ** 20;
const rows = new Map();
const faults = [];
let peakBytes = 0;

async function openOne(files, own, number) {
  const { kind, mutation, bytes } = await files.hostile(own, seed, number);
  const startMs = performance.now();
  let fault;
  let outcome = 'crashed';
  try {
    const opened = await files.open(kind, bytes);
    outcome = opened.outcome;
    fault = files.fault(opened);
  } catch (error) {
    fault = String(error);
  }
  const ms = performance.now() - startMs;
  const row = rows.get(mutation) ?? { files: 0, whole: 0, 'in part': 0, refused: 0, crashed: 0, maxMs: 0 };
  row.files += 1;
  row[outcome] += 1;
  row.maxMs = Math.max(row.maxMs, ms);
  rows.set(mutation, row);
  if (fault !== null) faults.push(`file ${number}: ${kind}, ${mutation}: ${fault}`);
  peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
}

await withPage(
  async ({ server }) => {
    const files = await server.ssrLoadModule('/tests/support/hostile_files.ts');
    const own = await files.originals();
    const before = process.memoryUsage().rss;
    for (let number = 0; number < count; number += 1) await openOne(files, own, number);
    console.log('| mutation | files | opened whole | in part | refused | crashed | slowest, ms |');
    console.log('|---|---:|---:|---:|---:|---:|---:|');
    for (const [mutation, row] of rows)
      console.log(
        `| ${mutation} | ${row.files} | ${row.whole} | ${row['in part']} | ${row.refused} | ${row.crashed} | ${row.maxMs.toFixed(0)} |`,
      );
    console.log(
      `${count} files, seed ${seed}: ${faults.length} faults; memory of the process ${(before / MB).toFixed(0)} MB before, ${(peakBytes / MB).toFixed(0)} MB at most.`,
    );
  },
  { browser: false },
);
for (const fault of faults.slice(0, 20)) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);
