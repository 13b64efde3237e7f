// `npm run check`: types and lint beside the tests that need no browser, each with what it remembers of the last time
// in .cache; what each says comes whole, one after the other. Exits non-zero on any failure.
import { runAside } from './aside.mjs';

const STEPS = [
  ['types', ['tsc', '--incremental', '--tsBuildInfoFile', '.cache/tsc.json']],
  ['lint', ['eslint', '--cache', '--cache-location', '.cache/eslint.json', '.']],
  ['tests', ['vitest', 'run', '--project', 'node']],
];

const results = STEPS.map(([name, args]) => ({ name, ended: runAside('npx', ['--no-install', ...args]) }));
let failed = 0;
for (const { name, ended } of results) {
  const { status, output } = await ended;
  console.log(`\n── ${name}${status === 0 ? '' : ': failed'}\n${output.trimEnd()}`);
  if (status !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
