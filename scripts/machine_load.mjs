// Who uses the processor while something is measured, and with what priority.
import { cpus, getPriority, setPriority } from 'node:os';
import { readdirSync } from 'node:fs';

/** @param session a CDP session of the whole browser */
async function browserSeconds(session) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

/** ms of processor time that the whole machine, and a browser with this script, have used so far. */
async function used(session) {
  const machine = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const { user, system } = process.cpuUsage();
  const browser = 1000 * (await browserSeconds(session));
  return { machine, own: browser + (user + system) / 1000, at: performance.now() };
}

/** @returns a function that says the CPU seconds that the browser's processes have used so far */
export async function processorMeter(browser) {
  const session = await browser.newBrowserCDPSession();
  return () => browserSeconds(session);
}

/**
 * Measures until the returned function is called.
 * @param session a CDP session of the whole browser
 * @returns processors kept busy, on average: `own` by the browser and this script, `others` by all else
 */
export async function startLoad(session) {
  const start = await used(session);
  return async () => {
    const end = await used(session);
    const per = end.at - start.at;
    const own = (end.own - start.own) / per;
    return { own, others: Math.max(0, (end.machine - start.machine) / per - own) };
  };
}

/**
 * As root on Linux, Chromium puts its GPU process ahead of its pages (nice −8), and a software adapter computes in threads
 * that inherit that. Here they are set back to what the browser of any other user has.
 * @returns threads that were set back
 */
export async function ordinaryPriorities(session) {
  if (process.platform !== 'linux') return 0;
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  let count = 0;
  for (const { id } of processInfo.filter(({ type }) => type === 'GPU'))
    for (const thread of readdirSync(`/proc/${id}/task`).map(Number)) {
      try {
        if (getPriority(thread) >= 0) continue;
        setPriority(thread, 0);
        count += 1;
      } catch {
        // the thread has ended
      }
    }
  return count;
}
