// `node scripts/index_recording.mjs FILE.ndjson.gz`: writes beside it FILE.ndjson.members, a gzip member for each update, and
// FILE.index.json with their lengths: a link to an update is then read from the middle (src/files/recording.ts). Not as .gz: hosts
// send such a file as a page that is zipped, and a browser unzips the first member of it alone.
import { openAsBlob, writeFileSync } from 'node:fs';
import { withPage } from './headless.mjs';

const [file] = process.argv.slice(2);
if (!file?.endsWith('.ndjson.gz')) {
  console.error('Name a recording: node scripts/index_recording.mjs run.ndjson.gz');
  process.exit(2);
}
await withPage(
  async ({ server }) => {
    const { readRecording, writeInMembers } = await server.ssrLoadModule('/src/files/recording.ts');
    const events = [];
    for await (const event of readRecording(await openAsBlob(file))) events.push(event);
    const { bytes, index } = await writeInMembers(events);
    writeFileSync(file.replace(/\.gz$/, '.members'), bytes);
    writeFileSync(file.replace(/\.ndjson\.gz$/, '.index.json'), `${JSON.stringify(index)}\n`);
  },
  { browser: false },
);
