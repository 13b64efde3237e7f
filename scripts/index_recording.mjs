// `node scripts/index_recording.mjs FILE.ndjson.gz`: writes a recording again, a gzip member for each update, and beside it
// FILE.index.json with their lengths: a link to an update is then read from the middle (src/files/recording.ts).
import { openAsBlob, writeFileSync } from 'node:fs';
import { withPage } from './headless.mjs';

const [file] = process.argv.slice(2);
if (!file?.endsWith('.ndjson.gz')) {
  console.error('Name a recording: node scripts/index_recording.mjs public/recorded-instant.ndjson.gz');
  process.exit(2);
}
await withPage(
  async ({ server }) => {
    const { readRecording, writeInMembers } = await server.ssrLoadModule('/src/files/recording.ts');
    const events = [];
    for await (const event of readRecording(await openAsBlob(file))) events.push(event);
    const { bytes, index } = await writeInMembers(events);
    writeFileSync(file, bytes);
    writeFileSync(file.replace(/\.ndjson\.gz$/, '.index.json'), `${JSON.stringify(index)}\n`);
  },
  { browser: false },
);
