// One contender in a Node process with Dawn's WebGPU (the npm package webgpu): for machines with a graphics card and
// no browser. Answers the driver's calls (seats.mjs) one after another.
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
// The instance must live as long as the process: Dawn's adapter does not keep it.
globalThis.dawn = create([]);
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu: globalThis.dawn, userAgent: `Node ${process.version}` },
  configurable: true,
});

// jax-js maps over iterators, which Node can from version 22.
const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
iterators.map ??= function* (change) {
  for (const value of this) yield change(value);
};
iterators.filter ??= function* (keep) {
  for (const value of this) if (keep(value)) yield value;
};

const server = await createServer({
  root: fileURLToPath(new URL('..', import.meta.url)),
  logLevel: 'error',
  appType: 'custom',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
const { seat } = await server.ssrLoadModule('/bench/seat.ts');

let tail = Promise.resolve();
process.on('message', ({ call, name, args }) => {
  tail = tail.then(async () => {
    try {
      process.send({ call, value: await seat[name](...args) });
    } catch (error) {
      process.send({ call, error: String(error?.message ?? error) });
    }
  });
});
process.on('disconnect', () => process.exit(0));
