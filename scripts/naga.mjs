// `npm run test:naga [-- name]`: every case of every kernel (with `name` in its name) on wgpu/naga, the WebGPU
// of Firefox, by way of the npm package deno. Without a GPU it runs on Chromium's software driver.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import { findBrowser } from './browser.mjs';

const HOME = join(import.meta.dirname, 'naga');
const BUNDLE = '.cache/naga/naga.mjs';
const SOFTWARE_DRIVER = 'vk_swiftshader_icd.json';

/**
 * Brings deno to scripts/naga/node_modules. It stands outside the root install, whose lock file serves `npm ci` on
 * every platform: a lock file written on one platform does not name deno's packages for the others.
 */
function installDeno() {
  const { dependencies } = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'));
  const file = join(HOME, 'node_modules/deno/package.json');
  if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === dependencies.deno) return;
  console.log('installing deno into scripts/naga/node_modules');
  const command = ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  const settings = { cwd: HOME, stdio: 'inherit', shell: process.platform === 'win32' };
  if (spawnSync('npm', command, settings).status === 0) return;
  console.error(
    'deno could not be installed: see above. Without it the kernels are not tested on wgpu/naga.',
  );
  console.log('\n0 passed, 1 failed');
  process.exit(1);
}

/** Deno's executable; its package places it on install, or here when install scripts were off. */
const findDeno = () => createRequire(join(HOME, 'package.json'))('deno/install_api.cjs').runInstall();

async function bundle() {
  await build({
    logLevel: 'warn',
    build: {
      ssr: 'tests/support/naga_main.ts',
      outDir: '.cache/naga',
      emptyOutDir: true,
      target: 'es2023',
      minify: false,
      rollupOptions: {
        checks: { pluginTimings: false },
        output: { entryFileNames: 'naga.mjs' },
      },
    },
  });
}

/** Path of the driver's description that Chrome and Chromium carry, or undefined. */
function findSoftwareDriver() {
  const browser = findBrowser();
  const folders = [
    browser && dirname(realpathSync(browser)),
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
  ];
  return folders
    .map((folder) => folder && join(folder, SOFTWARE_DRIVER))
    .find((path) => path && existsSync(path));
}

const runDeno = (deno, args, env, stdio) =>
  spawnSync(deno, args, { stdio, env: { ...process.env, DENO_NO_UPDATE_CHECK: '1', ...env } });

const PROBE = `
const adapter = await navigator.gpu?.requestAdapter();
const { vendor, architecture, description } = adapter?.info ?? {};
console.log(adapter ? [vendor, architecture, description].join(' ') : 'none');`;

function adapterUnder(deno, env) {
  const { status, stdout } = runDeno(deno, ['eval', PROBE], env, ['ignore', 'pipe', 'ignore']);
  const adapter = stdout.toString().trim();
  return status === 0 && adapter !== 'none' ? adapter : undefined;
}

/**
 * Environment in which Deno finds an adapter, or undefined: a GPU, else Chromium's software driver, else another
 * software driver.
 */
function adapterEnvironment(deno) {
  const own = adapterUnder(deno, {});
  if (own && !/llvmpipe|lavapipe|swiftshader|basic render/i.test(own)) return {};
  const driver = findSoftwareDriver();
  if (!driver) return own ? {} : undefined;
  // The folder also holds a Vulkan loader, which machines without a GPU often lack.
  const libraries = [process.env.LD_LIBRARY_PATH, dirname(driver)].filter(Boolean).join(':');
  const software = { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver, LD_LIBRARY_PATH: libraries };
  if (adapterUnder(deno, software)) return software;
  return own ? {} : undefined;
}

installDeno();
const deno = findDeno();
const env = adapterEnvironment(deno);
if (!env) {
  console.error(
    `Deno finds no WebGPU adapter, and no ${SOFTWARE_DRIVER} stands beside a browser. Install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers) or Chromium, or set VK_ICD_FILENAMES.`,
  );
  console.log('\n0 passed, 1 failed');
  process.exit(1);
}
await bundle();
const { status } = runDeno(
  deno,
  ['run', '--no-config', '--no-lock', '--no-prompt', BUNDLE, ...process.argv.slice(2)],
  env,
  'inherit',
);
process.exit(status ?? 1);
