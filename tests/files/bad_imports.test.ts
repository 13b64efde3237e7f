/** Files that are torn, mixed up, of another kind, or hostile: the good part opens, the bad is listed, nothing breaks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { importFiles } from '../../src/files/rollouts/import.ts';
import { parseJson } from '../../src/files/rollouts/json.ts';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { ImportError } from '../../src/files/rollouts/rollout.ts';
import { fixtureFiles, importText, IMPORTS } from '../support/imports.ts';
import { mutatedImport } from '../support/mutated_imports.ts';

const row = (output: string, score: unknown = 1): string => JSON.stringify({ input: 'user\nQ\nassistant\n', output, score, step: 1 }); // prettier-ignore
const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const joined = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => Uint8Array.from(parts.flatMap((part) => [...part])); // prettier-ignore
const refusedLines = async (content: string | Uint8Array<ArrayBuffer>, path?: string) => {
  const { summary } = await importText(content, path === undefined ? {} : { path });
  return [summary.rollouts, summary.refused.map(({ line }) => line)];
};

describe('the good part opens, the bad is listed with its line', () => {
  test('a torn line, at the end, in the middle, at the start', async () => {
    const torn = row('torn').slice(0, 30);
    expect(await refusedLines(`${row('a')}\n${row('b')}\n${torn}`)).toEqual([2, [3]]);
    expect(await refusedLines(`${row('a')}\n${torn}\n${row('b')}\n`)).toEqual([2, [2]]);
    expect(await refusedLines(`${torn}\n${row('a')}\n${row('b')}\n`)).toEqual([2, [1]]);
  });

  test('a field of a wrong type, told by its name; a row of another kind', async () => {
    const wrong = JSON.stringify({ input: 'Q', output: 5, score: 1, step: 1 });
    const { summary } = await importText(`${row('a')}\n${wrong}\n3\n${row('b')}\n`);
    expect(summary.rollouts).toBe(2);
    expect(summary.refused.map(({ line, report }) => [line, report.where])).toEqual([
      [2, 'rollouts.jsonl, row 2.output'],
      [3, 'rollouts.jsonl, row 3'],
    ]);
    for (const { report } of summary.refused)
      expect(Object.values(report as unknown as Record<string, string>).every((part) => part.length > 0)).toBe(true); // prettier-ignore
  });

  test('a list or a document that breaks off', async () => {
    const list = JSON.stringify([1, 2, 3].map((trial) => ({ task_id: 0, trial, reward: 1, traj: [{ role: 'assistant', content: 'a' }] })), null, 1); // prettier-ignore
    expect(await refusedLines(list.slice(0, -40), 'tau.json')).toEqual([2, [24]]);
    expect(await refusedLines('{\n"eval": {"task": "q"', 'log.json')).toEqual([0, [1]]);
  });

  test('documents one after another, over several lines each', async () => {
    const pretty = [row('a'), row('b')].map((each) => JSON.stringify(JSON.parse(each), null, 2)).join('\n');
    expect(await refusedLines(pretty)).toEqual([2, []]);
  });

  test('a gzip file that breaks off, and one of several members', async () => {
    const whole = gzipSync(bytes(Array.from({ length: 4000 }, (_, at) => `${row(`answer ${at * 7919}`)}\n`).join(''))); // prettier-ignore
    const [read, refused] = await refusedLines(whole.slice(0, whole.length / 2), 'a.jsonl.gz');
    expect(read).toBeGreaterThan(100);
    expect(refused).toHaveLength(1);
    const members = joined(gzipSync(bytes(`${row('a')}\n`)), gzipSync(bytes(`${row('b')}\n`)));
    expect(await refusedLines(members, 'a.jsonl.gz')).toEqual([2, []]);
  });

  test('a gzip file whose bytes are not those that were packed', async () => {
    const damaged = gzipSync(bytes(`${row('a')}\n${row('b')}\n`));
    damaged[damaged.length - 8] ^= 1; // of its checksum
    const { summary } = await importFiles([{ path: 'a.jsonl.gz', blob: new Blob([damaged]) }]);
    expect(summary.refused.map(({ report }) => report.got)).toEqual([
      expect.stringMatching(/its checksum differs/),
    ]);
  });
});

describe('encodings', () => {
  const text = `${row('é')}\r\n${row('ü')}\r\n`;
  const utf16 = (isLittle: boolean): Uint8Array<ArrayBuffer> => {
    const units = [...`\uFEFF${text}`].map((unit) => unit.charCodeAt(0));
    return Uint8Array.from(units.flatMap((unit) => (isLittle ? [unit & 255, unit >> 8] : [unit >> 8, unit & 255]))); // prettier-ignore
  };

  test.each([
    ['a byte order mark and CRLF', bytes(`\uFEFF${text}`)],
    ['UTF-16, little end first', utf16(true)],
    ['UTF-16, big end first', utf16(false)],
  ])('%s', async (_, content) => {
    const { rollouts, summary } = await importText(content);
    expect(rollouts.map(({ rows }) => rows[0].spans[1].text)).toEqual(['é', 'ü']);
    expect(summary.refused).toEqual([]);
  });

  test('a line in another encoding is read, and listed', async () => {
    const latin = Uint8Array.from([...`${row('é')}\n`].map((unit) => unit.charCodeAt(0)));
    const { rollouts, summary } = await importText(joined(bytes(`${row('é')}\n`), latin));
    expect(rollouts.map(({ rows }) => rows[0].spans[1].text)).toEqual(['é', '\uFFFD']);
    expect(summary.lints).toMatchObject([{ kind: 'not-utf8', count: 1, places: [{ line: 2 }] }]);
  });
});

describe('files of another kind are refused with a sentence', () => {
  const refusal = async (content: string | Uint8Array<ArrayBuffer>, path: string): Promise<string> => {
    const { summary } = await importText(content, { path });
    expect([summary.rollouts, summary.refusedCount]).toEqual([0, 1]);
    return new ImportError(summary.refused[0].report).message;
  };

  test('pickles and torch files: how to write text instead', async () => {
    const pickle = Uint8Array.from([0x80, 4, 0x95, 1, 2, 3]);
    expect(await refusal(pickle, 'gen_batch.dp')).toMatch(/pickled Python objects.*rollout_data_dir/);
    expect(await refusal(zipSync({ 'archive/data.pkl': pickle }), 'rollout.pt')).toMatch(/torch file.*rollout_data_dir/); // prettier-ignore
  });

  test('an empty file, a picture, a database, a text, an unknown row', async () => {
    expect(await refusal('', 'a.jsonl')).toMatch(/empty file/);
    expect(await refusal(Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 0]), 'a.jsonl')).toMatch(/binary data/);
    expect(await refusal('SQLite format 3\0', 'mlflow.db')).toMatch(/search_traces/);
    expect(await refusal('Dear diary', 'a.jsonl')).toMatch(/no JSON/);
    expect(await refusal('{"colour": "red"}\n', 'a.jsonl')).toMatch(/No known format.*colour/);
    expect(await refusal(zipSync({ 'a.jsonl': bytes(row('a')) }).slice(0, 60), 'a.zip')).toMatch(/breaks off|EOF|end of/i); // prettier-ignore
  });
});

test('values that are too deep for any reader are refused, and the next row is read', async () => {
  const deep = `${'['.repeat(300_000)}${']'.repeat(300_000)}`;
  const rows = [
    `{"messages": [{"role": "assistant", "tool_calls": [{"name": "f", "arguments": ${deep}}]}]}`,
    `{"messages": ${deep}}`,
  ];
  const good = '{"messages": [{"role": "assistant", "content": "a"}]}';
  const { summary } = await importText([good, ...rows, good].join('\n'));
  expect([summary.rollouts, summary.refusedCount]).toEqual([2, 2]);
});

test('rows that prime-rl’s index names and its stream does not hold are told', async () => {
  const files = fixtureFiles('prime_rl').map((file) =>
    /index/.test(file.path)
      ? { ...file, blob: new Blob([file.blob, '{"trace_ids": ["t9", "t9-judge"]}\n']) }
      : file,
  );
  const { summary } = await importFiles(files);
  expect([summary.rollouts, summary.refused.map(({ line }) => line)]).toEqual([2, [3]]);
  expect(summary.refused[0].report.got).toContain('t9');
});

test('an annotation file or an index that is no text leaves the traces as they are', async () => {
  const files = fixtureFiles('prime_rl').map(
    (file) =>
    /index|annotations/.test(file.path) ? { ...file, blob: new Blob([/trainer/.test(file.path) ? '' : Uint8Array.of(0x80, 4)]) } : file, // prettier-ignore
  );
  const { summary } = await importFiles(files);
  expect([summary.rollouts, summary.tier, summary.refusedCount]).toEqual([2, 'B', 3]);
});

test('an archive whose files are in zstd, as newer Inspect may write it, is opened', async () => {
  const chunk = readFileSync(join(IMPORTS, 'prime_rl/traces/stream/00000.jsonl.zst'));
  const zip = zipSync({ 'samples/a.jsonl': [chunk, { level: 0 }] });
  const view = new DataView(zip.buffer);
  const method = 93;
  view.setUint16(8, method, true); // of the file's own header
  view.setUint16(zip.length - 22 - 46 - 'samples/a.jsonl'.length + 10, method, true); // of the directory
  const { summary } = await importText(zip, { path: 'log.eval' });
  expect([summary.format, summary.rollouts, summary.refusedCount]).toEqual(['verifiers-v1', 2, 0]);
});

test('numbers that JSON has no word for are read as Python writes them, in strings they stay', () => {
  const text = '{"a": NaN, "b": [-Infinity, Infinity, 1], "NaN": "say NaN, \\"Infinity\\" \\\\", "c": -NaN}';
  expect(parseJson(text)).toEqual({
    a: NaN,
    b: [-Infinity, Infinity, 1],
    NaN: 'say NaN, "Infinity" \\',
    c: NaN,
  });
  expect(() => parseJson('{"a": NaN')).toThrow(SyntaxError);
});

test('an unknown reward is null, never 0', async () => {
  const { summary } = await importText([`{"input": "Q", "output": "a", "score": NaN, "step": 1}`, row('b', null), row('c', '0.5'), row('d', 0)].join('\n')); // prettier-ignore
  expect(summary.rewards).toEqual([null, null, 0.5, 0]);
  expect(summary.lints.map(({ kind }) => kind)).toEqual(['reward-not-a-number']);
});

test('reading stops when it is asked to', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  const onProgress = (): void => abort.abort(reason);
  const long = `${row('x'.repeat(2 ** 20))}\n`.repeat(4);
  await expect(importText(long, { signal: abort.signal, onProgress })).rejects.toBe(reason);
});

/** More by hand: IMPORT_MUTATIONS=3000 npx vitest run --project node tests/files/bad_imports.test.ts */
const MUTATIONS = Number(process.env.IMPORT_MUTATIONS ?? 120);

test(`${MUTATIONS} files with seeded faults are read to their end, and what opens is a record`, async () => {
  let opened = 0;
  for (let seed = 1; seed <= MUTATIONS; seed += 1) {
    const { files, label } = mutatedImport(seed);
    const { summary, rollouts } = await importFiles(files);
    expect(summary.rewards.length, label).toBe(summary.rollouts);
    expect(summary.rollouts + summary.refusedCount + summary.lints.length + summary.skipped.length, label).toBeGreaterThan(0); // prettier-ignore
    if (rollouts.every(({ rows }) => rows.length === 0)) continue;
    const written = await writeRecording(toRecord(rollouts, { file: 'x', format: 'y', unit: seed % 2 ? 'words' : 'tokens' })); // prettier-ignore
    for await (const { kind } of readRecording(new Blob([written]))) opened += Number(kind === 'leaves');
  }
  expect(opened).toBeGreaterThan(MUTATIONS / 4);
}, 600_000);
