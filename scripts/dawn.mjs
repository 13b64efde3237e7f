// The lab's source in this Node process with Dawn's WebGPU (the npm package webgpu): no browser, for servers with cards and
// for many runs side by side. The library is installed into scripts/dawn when it is first asked for.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { fail } from './arguments.mjs';
import { installOptional } from './optional_package.mjs';
import { SOFTWARE_DRIVER, softwareEnvironment } from './software_driver.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HOME = join(import.meta.dirname, 'dawn');
const READY = 'TURNWISE_DAWN'; // set in the process that has its environment

export function installDawn() {
  if (!installOptional(HOME))
    fail('Dawn could not be installed: see above. Without --dawn a browser trains.');
}

/**
 * A driver is chosen by the environment that a process starts in: this starts the same command again in it, with its
 * terminal, and ends with its status. Returns in the process that has it.
 * @param adapter 'software': Chromium's driver; 'hardware': what Dawn finds
 */
export function startedForDawn(adapter) {
  if (process.env[READY]) return;
  installDawn();
  const software = adapter === 'software' ? softwareEnvironment() : {};
  if (!software)
    fail(
      `--dawn: no ${SOFTWARE_DRIVER} stands beside a browser. Install Chrome or Chromium, or take a card: --adapter hardware.`,
    );
  process.on('SIGINT', () => undefined); // the child hears it too, and ends in its own way
  const env = { ...process.env, ...software, [READY]: '1' };
  const { status } = spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit', env });
  process.exit(status ?? 1);
}

/** A file of public/, as the page would fetch it. */
async function fileOfPublic(name) {
  const { buffer, byteOffset, length } = readFileSync(join(ROOT, 'public', name));
  return buffer.slice(byteOffset, byteOffset + length);
}

/**
 * Runs `work({ server, startEngine })`: `server.ssrLoadModule('/src/…')` loads any source file, `startEngine()` is the
 * client of an engine in this process. It ends the process, since Dawn's device keeps it alive.
 */
export async function withDawn(work) {
  const { create, globals } = createRequire(join(HOME, 'package.json'))('webgpu');
  Object.assign(globalThis, globals);
  globalThis.dawn = create([]); // must live as long as the process: Dawn's adapter does not keep it
  const navigator = { gpu: globalThis.dawn, userAgent: `Node ${process.version}, Dawn` };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  const server = await createServer({
    root: ROOT,
    logLevel: 'error',
    appType: 'custom',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  const { startEngine } = await server.ssrLoadModule('/src/train/engine/client.ts');
  const { engineHere } = await server.ssrLoadModule('/src/train/engine/serve.ts');
  try {
    await work({ server, startEngine: () => startEngine(() => engineHere(fileOfPublic), null) });
  } finally {
    await server.close();
  }
  process.exit(process.exitCode ?? 0);
}
