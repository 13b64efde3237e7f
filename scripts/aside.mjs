// Runs a command beside others: what it says is kept apart until it has ended.
import { spawn } from 'node:child_process';

/** @returns a promise of its exit status and its output, both streams as they came; it never rejects */
export function runAside(command, args) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((done) => {
    child.on('error', ({ message }) => done({ status: 1, output: `${output}${message}\n` }));
    child.on('close', (status) => done({ status: status ?? 1, output }));
  });
}
