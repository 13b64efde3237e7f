// `npm run bench:groups [-- PRESET…]`: how many workgroups each kernel has at the presets' shapes on a graphics card.
import { withPage } from '../scripts/headless.mjs';

const names = process.argv.slice(2);
await withPage(
  async ({ server }) => {
    const { presets } = await server.ssrLoadModule('/bench/work.ts');
    const { countGroups, groupTable } = await server.ssrLoadModule('/bench/groups.ts');
    const unknown = names.find((name) => !(name in presets));
    if (unknown) {
      console.error(`got ${unknown}, wanted some of ${Object.keys(presets).join(', ')}.`);
      process.exit(2);
    }
    for (const name of names.length > 0 ? names : ['small', 'brief', 'classroom', 'medium', 'large']) {
      const { train, decode } = await countGroups(presets[name]);
      console.log(
        `${groupTable(`${name}: training step`, train)}\n\n${groupTable(`${name}: decode`, decode)}\n`,
      );
    }
  },
  { browser: false },
);
