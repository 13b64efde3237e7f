// Firefox for the tests, on Linux: found, started without a window and with WebGPU on Chromium's software driver, and driven
// through WebDriver BiDi (https://w3c.github.io/webdriver-bidi). Playwright's Firefox is a build of its own and drives no other.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import WebSocket from 'ws';
import { SOFTWARE_DRIVER, softwareEnvironment } from './software_driver.mjs';

const OLDEST = 153; // that the page was trained in
const CANDIDATES = [
  '/usr/lib/firefox-esr/firefox-esr',
  '/usr/lib/firefox/firefox',
  '/usr/lib64/firefox/firefox',
  '/opt/firefox/firefox',
];

/** Its version, from the file beside it; undefined where that is no Firefox of one folder, as a snap's is not. */
function versionOf(path) {
  const about = join(dirname(path), 'application.ini');
  if (!existsSync(about)) return undefined;
  return /^Version=(.+)$/m.exec(readFileSync(about, 'utf8'))?.[1];
}

/**
 * The Firefox of $FIREFOX_PATH, else the system's.
 * @returns `{ path, version }`, or `{ lack }`: in words, why there is none that the lab can be tested in
 */
export function findFirefox() {
  if (process.platform !== 'linux') return { lack: 'it is tested on Linux alone' };
  const paths = [process.env.FIREFOX_PATH, ...CANDIDATES].filter((path) => path && existsSync(path));
  const found = paths.map((path) => realpathSync(path)).map((path) => ({ path, version: versionOf(path) }));
  const fit = found.find(({ version }) => parseInt(version ?? '0') >= OLDEST);
  if (fit && softwareEnvironment()) return fit;
  if (fit) return { lack: `no ${SOFTWARE_DRIVER} stands beside a Chrome or Chromium` };
  const [old] = found;
  return { lack: old ? `${old.path} has version ${old.version ?? 'unknown'}` : 'none found' };
}

export const WANTED = `Firefox ${OLDEST} or newer (Debian: apt-get install firefox-esr; FIREFOX_PATH names another) beside Chrome or Chromium`;

/** Preferences of its profile: WebGPU where it is not on by default, and no request of its own. */
const PREFERENCES = {
  'dom.webgpu.enabled': true,
  'dom.webgpu.workers.enabled': true,
  'gfx.webgpu.ignore-blocklist': true, // the software driver is on it
  'gfx.webrender.software': true,
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'http://127.0.0.1:9/',
};

const START_MS = 60_000;

/** The address that it listens at, which it writes as it starts; port 0 has it choose one. */
async function addressOf(firefox) {
  let said = '';
  firefox.stderr.setEncoding('utf8');
  const listening = new Promise((resolve) =>
    firefox.stderr.on('data', (text) => {
      said += text;
      const address = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said)?.[1];
      if (address) resolve(address);
    }),
  );
  const ended = once(firefox, 'exit').then(() => undefined);
  const late = new Promise((resolve) => setTimeout(resolve, START_MS, undefined).unref());
  const address = await Promise.race([listening, ended, late]);
  if (!address) throw new Error(`Firefox did not start listening for WebDriver BiDi. It said: ${said}`);
  return address;
}

/** Commands over a socket, each with its answer; `onEvent` gets what nobody asked for. */
async function connect(address, onEvent) {
  const socket = new WebSocket(`${address}/session`);
  await once(socket, 'open');
  const waiting = new Map();
  socket.on('message', (data) => {
    const message = JSON.parse(data);
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (answer) answer(message);
    else if (message.type === 'event') onEvent(message);
  });
  socket.on('close', () => {
    for (const answer of waiting.values()) answer({ error: 'closed', message: 'Firefox is gone' });
  });
  let count = 0;
  return async (method, params) => {
    const id = (count += 1);
    const { error, message, result } = await new Promise((resolve) => {
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
    if (error) throw new Error(`${method}: ${error}: ${message}`);
    return result;
  };
}

/** A tab: as much of Playwright's page as a walk needs. */
function tabOf(call, context) {
  return {
    goto: (url) => call('browsingContext.navigate', { context, url, wait: 'complete' }),
    /** Calls a function of the page with a value, both as JSON; it may be asynchronous. @throws Error as the page's */
    async evaluate(work, value) {
      const expression = `Promise.resolve((${work})(${JSON.stringify(value)})).then((said) => JSON.stringify(said ?? null))`;
      const settings = { target: { context }, awaitPromise: true, userActivation: true };
      const { result, exceptionDetails } = await call('script.evaluate', { expression, ...settings });
      if (exceptionDetails) throw new Error(`in Firefox: ${exceptionDetails.text}`);
      return JSON.parse(result.value);
    },
    async press(...keys) {
      const actions = keys.flatMap((value) => [
        { type: 'keyDown', value },
        { type: 'keyUp', value },
      ]);
      await call('input.performActions', { context, actions: [{ type: 'key', id: 'keys', actions }] });
    },
  };
}

/** Stops a Firefox, with the processes that it started, and takes its profile away. */
async function end(firefox, profile) {
  if (firefox.exitCode === null && firefox.signalCode === null) {
    process.kill(-firefox.pid, 'SIGKILL');
    await once(firefox, 'exit');
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Starts a Firefox with a profile of its own.
 * @returns its tab; `complaints`, which holds what pages and their workers have said as errors until now; and `close()`
 * @throws Error where there is no Firefox to test in, or it does not start
 */
export async function openFirefox() {
  const { path, lack } = findFirefox();
  if (lack) throw new Error(`The lab cannot be opened in Firefox: ${lack}. Wanted: ${WANTED}.`);
  const profile = mkdtempSync(join(tmpdir(), 'turnwise-firefox-'));
  const lines = Object.entries(PREFERENCES).map((entry) => `user_pref(${entry.map((each) => JSON.stringify(each)).join(', ')});`); // prettier-ignore
  writeFileSync(join(profile, 'user.js'), lines.join('\n'));
  const words = ['--headless', '--no-remote', '--remote-debugging-port', '0', '--profile', profile];
  const env = { ...process.env, ...softwareEnvironment(), HOME: profile };
  const firefox = spawn(path, words, { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const close = () => end(firefox, profile);
  try {
    const complaints = [];
    const call = await connect(await addressOf(firefox), ({ method, params }) => {
      if (method === 'log.entryAdded' && params.level === 'error') complaints.push(params.text);
    });
    await call('session.new', { capabilities: {} });
    await call('session.subscribe', { events: ['log.entryAdded'] });
    const { contexts } = await call('browsingContext.getTree', {});
    const [{ context }] = contexts;
    await call('browsingContext.setViewport', { context, viewport: { width: 1280, height: 800 } });
    return { tab: tabOf(call, context), complaints, close };
  } catch (error) {
    await close();
    throw error;
  }
}
