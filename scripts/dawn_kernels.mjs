// `npm run test:dawn [-- name] [-- --adapter hardware]`: every case of every kernel (with `name` in its name) on Dawn, the WebGPU of
// Chromium, without a browser: on the driver that VK_DRIVER_FILES names, on a card, or on Chromium's software driver.
import { parseArgs } from 'node:util';
import { fail } from './arguments.mjs';
import { startedForDawn, withDawn } from './dawn.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { adapter: { type: 'string', default: process.env.VK_DRIVER_FILES ? 'hardware' : 'software' } },
});
if (!['software', 'hardware'].includes(values.adapter))
  fail(`--adapter: got ${values.adapter}, wanted software or hardware.`);
startedForDawn(values.adapter);
await withDawn(async ({ server }) => {
  const { runSuite } = await server.ssrLoadModule('/tests/support/naga_suite.ts');
  process.exitCode = (await runSuite(positionals[0] ?? '', console.log)) === 0 ? 0 : 1;
});
