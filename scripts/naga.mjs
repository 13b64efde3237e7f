// `npm run test:naga [-- name]`: every case of every kernel (with `name` in its name) on wgpu/naga, the WebGPU
// of Firefox, by way of the npm package deno. Without a GPU it runs on Chromium's software driver.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'vite';
import { installOptional } from './optional_package.mjs';
import { SOFTWARE_DRIVER, softwareEnvironment } from './software_driver.mjs';

const HOME = join(import.meta.dirname, 'naga');
const BUNDLE = '.cache/naga/naga.mjs';

function installDeno() {
  if (installOptional(HOME)) return;
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

/** Memory that a compiler on the software driver frees is kept for the next kernel; glibc alone reads it. */
const MALLOC =
  'glibc.malloc.trim_threshold=4000000000:glibc.malloc.mmap_threshold=4000000000:glibc.malloc.top_pad=67108864';

const runDeno = (deno, args, env, stdio) =>
  spawnSync(deno, args, {
    stdio,
    env: { DENO_NO_UPDATE_CHECK: '1', GLIBC_TUNABLES: MALLOC, ...process.env, ...env },
  });

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
  const software = softwareEnvironment();
  if (!software) return own ? {} : undefined;
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
