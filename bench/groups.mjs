// `npm run bench:groups [-- PRESET…]`: what each kernel asks of a multiprocessor, read off its text, and how many workgroups it
// has at the presets' shapes on a graphics card. On no device.
import { withPage } from '../scripts/headless.mjs';

const names = process.argv.slice(2);
await withPage(
  async ({ server }) => {
    const { presets } = await server.ssrLoadModule('/bench/work.ts');
    const { countGroups, groupTable } = await server.ssrLoadModule('/bench/groups.ts');
    const { budgetTable } = await server.ssrLoadModule('/bench/budget.ts');
    const { kernels } = await server.ssrLoadModule('/shaders/index.ts');
    const unknown = names.find((name) => !(name in presets));
    if (unknown) {
      console.error(`got ${unknown}, wanted some of ${Object.keys(presets).join(', ')}.`);
      process.exit(2);
    }
    console.log(`${budgetTable(Object.values(kernels))}\n`);
    for (const name of names.length > 0 ? names : ['small', 'brief', 'classroom', 'medium', 'large']) {
      const { train, decode } = await countGroups(presets[name]);
      console.log(
        `${groupTable(`${name}: training step`, train)}\n\n${groupTable(`${name}: decode`, decode)}\n`,
      );
    }
  },
  { browser: false },
);
