// Runs a command beside others: what it says is kept apart until it has ended.
import { spawn } from 'node:child_process';

const WINDOWS = process.platform === 'win32';

/**
 * Starts a program, by its path, in a group of its own: a Ctrl-C of the terminal does not reach it, only `interrupt` does.
 * @returns its end, a promise of its exit status and its output, both streams as they came, which never rejects; and what
 * sends a signal to it and all that it started (on Windows, which has no groups, to it alone)
 */
export function startAside(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: !WINDOWS });
  return { end: endOf(child), interrupt: (signal = 'SIGINT') => sendTo(child, signal) };
}

function sendTo(child, signal) {
  const { pid, exitCode, signalCode } = child;
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    if (WINDOWS) child.kill(signal);
    else process.kill(-pid, signal);
  } catch {
    // it has just ended
  }
}

function endOf(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((done) => {
    child.on('error', ({ message }) => done({ status: 1, output: `${output}${message}\n` }));
    child.on('close', (status) => done({ status: status ?? 1, output }));
  });
}

/** @returns a promise of its exit status and its output, both streams as they came; it never rejects */
export const runAside = (command, args) =>
  endOf(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], shell: WINDOWS }));
