// npm packages that one command alone needs: they stand in a folder of their own, outside the root install, whose lock file
// serves `npm ci` on every platform (a lock file written on one platform does not name the others' packages).
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Brings the one dependency of a folder's package.json to its node_modules, where its version is not there yet.
 * @returns whether it is there
 */
export function installOptional(folder) {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const [[name, version]] = Object.entries(dependencies);
  const file = join(folder, `node_modules/${name}/package.json`);
  if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version) return true;
  console.error(`installing ${name} into ${folder}/node_modules`);
  const command = ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  const settings = { cwd: folder, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' };
  return spawnSync('npm', command, settings).status === 0;
}
