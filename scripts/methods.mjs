// `npm run methods`: writes the README's table of methods from the catalogue.
import { readFileSync, writeFileSync } from 'node:fs';
import { withPage } from './headless.mjs';

await withPage(
  async ({ server }) => {
    const { withMethodsTable } = await server.ssrLoadModule('/src/train/config/catalogue.ts');
    writeFileSync('README.md', withMethodsTable(readFileSync('README.md', 'utf8')));
  },
  { browser: false },
);
