// Where contenders run: a page of one headless Chromium each, or a Node process each with Dawn's WebGPU.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A page per contender. `blankUrl`: the dev server's blank page. */
export async function browserSeat({ browser, blankUrl, id, log }) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => log(`${id}: ${error.message.slice(0, 300)}`));
  await page.goto(blankUrl);
  await page.evaluate(async () => {
    globalThis.seat = (await import('/bench/seat.ts')).seat;
  });
  return {
    id,
    call: (name, ...args) => page.evaluate(([name, args]) => globalThis.seat[name](...args), [name, args]),
    close: () => page.close(),
  };
}

/** A process per contender (dawn_seat.mjs). */
export async function dawnSeat({ id, log }) {
  const child = fork(fileURLToPath(new URL('dawn_seat.mjs', import.meta.url)), { serialization: 'advanced' });
  const waiting = new Map();
  let calls = 0;
  let gone = null;
  child.on('message', ({ call, value, error }) => {
    const { resolve, reject } = waiting.get(call);
    waiting.delete(call);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  });
  child.on('exit', (code, signal) => {
    gone = new Error(`the process ended (${signal ?? code})`);
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
    if (code !== 0 && signal !== 'SIGTERM') log(`${id}: ${gone.message}`);
  });
  return {
    id,
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone);
        calls += 1;
        waiting.set(calls, { resolve, reject });
        child.send({ call: calls, name, args });
      }),
    close: async () => void child.kill(),
  };
}
