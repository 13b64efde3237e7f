// Finds (or, with --install, obtains) a Chromium-family browser for the tests, and prints its path.
// Order: $CHROME_PATH; Chrome, Chromium or Edge on the system; Playwright's own copy; then
// `playwright install chromium`; then, as root on Debian or Ubuntu, apt.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright';

const WINDOWS_ROOTS = ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData'];
const CANDIDATES = {
  linux: [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
    '/opt/google/chrome/chrome',
    '/usr/bin/microsoft-edge',
    '/snap/bin/chromium',
  ],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ],
  win32: WINDOWS_ROOTS.flatMap((root) =>
    process.env[root]
      ? [
          `${process.env[root]}\\Google\\Chrome\\Application\\chrome.exe`,
          `${process.env[root]}\\Microsoft\\Edge\\Application\\msedge.exe`,
        ]
      : [],
  ),
};

/** Path of the first browser found, or undefined. */
export function findBrowser() {
  const all = [process.env.CHROME_PATH, ...(CANDIDATES[process.platform] ?? [])];
  try {
    all.push(chromium.executablePath());
  } catch {
    // Playwright knows no build for this platform; the system's browsers were listed above.
  }
  return all.find((path) => path && existsSync(path));
}

export const SOFTWARE_ADAPTER = '--use-webgpu-adapter=swiftshader';

/**
 * Flags for a headless Chromium with WebGPU. Default: its software adapter, so that a machine with
 * a GPU gives the same numbers; GPU=hardware takes the real adapter; `adapter` names the flags for it.
 */
export function browserFlags(adapter = process.env.GPU === 'hardware' ? [] : [SOFTWARE_ADAPTER]) {
  const flags =
    '--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --enable-unsafe-webgpu';
  return [...flags.split(' '), ...adapter];
}

const run = (command, args) =>
  spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' }).status === 0;

/** Obtains a browser and returns its path, or undefined when every way failed. */
export function installBrowser() {
  if (run('npx', ['--no-install', 'playwright', 'install', 'chromium']) && findBrowser())
    return findBrowser();
  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    run('apt-get', ['update']);
    run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium']);
  }
  return findBrowser();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = findBrowser() ?? (process.argv.includes('--install') ? installBrowser() : undefined);
  if (!path) {
    console.error(
      'No Chrome, Chromium or Edge found. Install one, or set CHROME_PATH to its executable, or run: npx playwright install chromium',
    );
    process.exit(1);
  }
  const version = process.platform === 'win32' ? '' : execFileSync(path, ['--version']).toString().trim();
  console.log(path, version);
}
