/** `npm run import` as a script of somebody with a cluster calls it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { importRollouts } from '../../scripts/import.mjs';
import { readRecording } from '../../src/files/recording.ts';
import type { Summary } from '../../src/files/rollouts/tally.ts';
import { saidBy, sources, type Said } from '../support/command.ts';
import { IMPORTS } from '../support/imports.ts';

const folder = mkdtempSync(join(tmpdir(), 'imports-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** In a process of its own, as somebody starts it whose checkout stands behind a link. */
function start(...words: readonly string[]) {
  const checkout = join(folder, 'checkout');
  symlinkSync(process.cwd(), checkout, 'junction'); // the one kind that Windows lets everybody make
  return spawnSync(process.execPath, [join(checkout, 'scripts/import.mjs'), ...words], { encoding: 'utf8' });
}

const run = (...words: readonly string[]): Promise<Said> =>
  saidBy(() => importRollouts(words, () => Promise.resolve(sources)));

test('a folder of step files is one run: counts as JSON, a record, and words', async () => {
  const [json, record] = [join(folder, 'out.json'), join(folder, 'run.ndjson.gz')];
  const { status, stdout, stderr } = start(join(IMPORTS, 'verl_0_6'), '--json', json, '--record', record);
  expect([status, stderr]).toEqual([0, '']);
  const read = JSON.parse(readFileSync(json, 'utf8')) as Summary;
  expect(read).toMatchObject({ ...{ format: 'verl', tier: 'A', rollouts: 6, groups: 3, turns: 10 }, ...{ observations: 4, rewards: [1, 0.5, 0, 1, 1, null], steps: 2, refused: [] } }); // prettier-ignore
  expect(stdout).toMatch(/rollouts +6 in 3 groups \(by inferred: equal prompt\), 2 steps/);
  let updates = 0;
  for await (const { kind } of readRecording(new Blob([readFileSync(record)]))) updates += Number(kind === 'update-ended'); // prettier-ignore
  expect(updates).toBe(2);
});

test('a folder elsewhere is read as one that is here', async () => {
  const row = (step: number) => JSON.stringify({ input: 'Q', output: 'a', score: 1, step });
  for (const step of [1, 2]) writeFileSync(join(folder, `${step}.jsonl`), row(step));
  const { status, stdout } = await run(join(folder, '1.jsonl'), join(folder, '2.jsonl'));
  expect([status, stdout]).toEqual([0, expect.stringMatching(/rollouts +2 in 2 groups .*, 2 steps/)]);
});

test('refused lines are printed with their numbers; where nothing can be read, the command fails', async () => {
  const torn = join(folder, 'torn.jsonl');
  writeFileSync(torn, `${readFileSync(join(IMPORTS, 'chat.jsonl'), 'utf8')}{"messages": [`);
  const { status, stdout } = await run(torn);
  expect(status).toBe(0);
  expect(stdout).toMatch(/refused +1\n.*torn\.jsonl:3 A row is no JSON/);
  writeFileSync(torn, Uint8Array.of(0x80, 4, 1));
  expect(await run(torn)).toMatchObject({ status: 1, stdout: expect.stringContaining('pickled Python objects') as string }); // prettier-ignore
  expect(await run(join(folder, 'none.jsonl'))).toMatchObject({ status: 2, stderr: expect.stringContaining('There is no file') as string }); // prettier-ignore
  expect((await run(join(IMPORTS, 'chat.jsonl'), '--format', 'x')).status).toBe(2);
});
