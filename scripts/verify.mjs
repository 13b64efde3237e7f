// `npm run verify`: types, lint, format and build, then `npm test`, whose closing lines end the output.
import { spawnSync } from 'node:child_process';

const STEPS = [
  ['install', 'node', ['scripts/install.mjs', '--browser']],
  ['types', 'npx', ['--no-install', 'tsc']],
  ['lint', 'npx', ['--no-install', 'eslint', '.']],
  ['format', 'npx', ['--no-install', 'prettier', '--check', '.']],
  ['build', 'npx', ['--no-install', 'vite', 'build']],
  ['test', 'npm', ['test']],
];

for (const [name, command, args] of STEPS) {
  const begin = Date.now();
  console.log(`\n── ${name}: ${[command, ...args].join(' ')}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) {
    console.error(`\n${name} failed after ${Math.round((Date.now() - begin) / 1000)} s`);
    process.exit(status ?? 1);
  }
}
