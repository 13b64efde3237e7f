// Brings node_modules to what package-lock.json says, when it is not; with --browser also finds or
// obtains a browser. Uses Node's own modules only: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Node ${process.versions.node} is too old: Turnwise needs Node 20.19 or newer. Install it from https://nodejs.org.`,
  );
  process.exit(1);
}

/** True when every package of the lock file that this platform needs stands in node_modules at its version. */
function upToDate() {
  const marker = 'node_modules/.package-lock.json';
  if (!existsSync(marker)) return false;
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  const have = JSON.parse(readFileSync(marker, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || have[path]?.version === entry.version,
  );
}

const run = (command, args) =>
  spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1;

if (!upToDate()) {
  const status = run('npm', ['ci', '--no-audit', '--no-fund']);
  if (status !== 0) process.exit(status);
}
if (process.argv.includes('--browser')) process.exit(run('node', ['scripts/browser.mjs', '--install']));
