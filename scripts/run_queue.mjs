// A queue of `npm run lab` runs, each in a process of its own, several side by side.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAside } from './aside.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const LAB = fileURLToPath(new URL('lab.mjs', import.meta.url));

/**
 * Runs `npm run lab` for each of `runs`, in order, `jobs` at a time. Ctrl-C ends the runs under way after their update
 * and leaves each in its file, from which it goes on the next time; a second one ends all at once.
 * @param runs of `options` (of the lab) and `left` (that file)
 * @param how `jobs`, `how` the lab is to run (--adapter, --dawn), `lab` its file
 * @param told `keep(run, result)` of a run that ended, `lament(run, message)` of one that failed
 * @returns a promise of whether it was stopped
 */
export async function runSideBySide(runs, { jobs, how, lab = LAB }, { keep, lament }) {
  const waiting = [...runs];
  const underWay = new Set();
  let isStopped = false;
  const interrupt = () => {
    if (isStopped) {
      for (const { interrupt } of underWay) interrupt('SIGKILL');
      process.exit(130);
    }
    isStopped = true;
    console.error('\nThe runs end with the updates under way. Ctrl-C again ends them at once.');
    for (const { interrupt } of underWay) interrupt();
  };
  const runOne = async (run, number) => {
    const json = join(tmpdir(), `turnwise-${process.pid}-${number}.json`);
    const start = existsSync(run.left) ? ['--resume', run.left, ...untilOf(run.options)] : run.options;
    const args = [lab, ...start, ...how, '--left', run.left, '--json', json];
    const aside = startAside(process.execPath, args);
    underWay.add(aside);
    const { status, output } = await aside.end;
    underWay.delete(aside);
    if (isStopped && status === 130) return;
    if (status !== 0) return lament(run, output.trim().split('\n').at(-1));
    keep(run, JSON.parse(readFileSync(json, 'utf8')));
    rmSync(json);
    rmSync(run.left, { force: true });
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  let number = 0;
  const work = async () => {
    while (waiting.length > 0 && !isStopped) await runOne(waiting.shift(), (number += 1));
  };
  await Promise.all(Array.from({ length: jobs }, work));
  for (const signal of SIGNALS) process.off(signal, interrupt);
  return isStopped;
}

/** Where a run is left that was stopped: a file of these options alone, so that others never go on from it. */
export function leftIn(folder, name, options) {
  const of = createHash('sha256').update(options.join(' ')).digest('hex').slice(0, 8);
  return join(folder, `${name}.${of}.turnwise`);
}

/** A file holds a run's settings, and not its budget. */
function untilOf(options) {
  const at = options.indexOf('--until');
  return at < 0 ? [] : options.slice(at, at + 2);
}

/** How far a queue is, in words. */
export function progress(count) {
  const started = Date.now();
  let done = 0;
  return () => {
    done += 1;
    const left = (((Date.now() - started) / 1000 / done) * (count - done)).toFixed(0);
    return `${done} of ${count}, about ${left} s left`;
  };
}
