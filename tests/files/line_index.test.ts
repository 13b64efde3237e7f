/** What a record does not hold is read back by its lines: event for event as it would stand in a record that holds all. */
import { expect, test } from 'vitest';
import { importAsRecord } from '../../src/files/rollouts/look.ts';
import { importFiles } from '../../src/files/rollouts/import.ts';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { readRecording } from '../../src/files/recording.ts';
import type { FileLines, RunEvent } from '../../src/protocol/protocol.ts';
import type { Rollout } from '../../src/files/rollouts/rollout.ts';
import { isTable, partsOf, type ImportFile } from '../../src/files/rollouts/source.ts';
import { fixtureFiles } from '../support/imports.ts';

const AS_READ = { format: null, delimiters: null, reward: null, group: null };
const HOOKS = { onProgress: () => undefined, onFirst: () => undefined };

/** Events of one update with their tokens as texts, rounded as a log rounds them. */
function spelt(events: readonly RunEvent[]): Map<number, unknown[]> {
  const texts: string[] = [];
  const byUpdate = new Map<number, unknown[]>();
  for (const event of events) {
    if (event.kind === 'texts') texts.push(...event.texts);
    if (event.kind === 'texts' || event.kind === 'run-started' || !('update' in event)) continue;
    const own = byUpdate.get(event.update) ?? [];
    byUpdate.set(event.update, own);
    own.push(
      JSON.parse(
        JSON.stringify({ ...event, update: 0 }, (key, value: unknown) =>
          (key === 'tokens' || key === 'answer') && Array.isArray(value)
            ? value.map((id: number) => texts[id])
            : typeof value === 'number' && !Number.isInteger(value)
              ? Number(value.toPrecision(5))
              : value,
        ),
      ),
    );
  }
  return byUpdate;
}

async function readBack(files: readonly ImportFile[], lines: readonly FileLines[]): Promise<unknown[]> {
  const parts = lines.map((only) => ({ ...files.find(({ path }) => path === only.path)!, only }));
  const { log } = await importAsRecord(parts, AS_READ, HOOKS);
  const events: RunEvent[] = [];
  for await (const event of readRecording(log!)) events.push(event);
  expect([...spelt(events).keys()]).toEqual([1]);
  return spelt(events).get(1)!;
}

/** Groups in turn, several rollouts a line, a byte order mark, a torn line and empty ones between them. */
const knotted = (): readonly ImportFile[] => {
  const row = (group: number, at: number, step: number) =>
    JSON.stringify({ input: `user\nQuestion ${group} ü\nassistant\n`, output: `answer ${at}`, gts: 'x', score: at, step }); // prettier-ignore
  const lines = [1, 2].flatMap((step) =>
    [0, 1, 2].flatMap((at) => [
      ...[0, 1].map((group) => row(group, at, step)),
      `[${row(0, 10 + at, step)},${row(1, 20 + at, step)}]`,
      ...(at === 1 ? ['', '{"input": "torn'] : []),
    ]),
  );
  return [{ path: 'knotted.jsonl', blob: new Blob([`\uFEFF${lines.join('\r\n')}`]) }];
};

test.for([
  ['knotted', knotted()],
  ...[
    ...[
      'verl_0_6',
      'verl_0_9_train.jsonl',
      'atpo_dump.jsonl',
      'nemo_gym_math_with_code.jsonl',
      'prime_rl_steps',
    ],
    ...[
      'verifiers_wordle_results.jsonl',
      'rllm_gateway.jsonl',
      'agent_lightning_spans.jsonl',
      'chat.jsonl',
      'verl_mlflow.jsonl',
    ],
    ...['rllm', 'inspect_browser.json', 'tau_bench.json', 'search_r1_case.txt'], // documents of many lines
  ].map((name) => [name, fixtureFiles(name)] as const),
] as const)('%s is read back update by update as it stands in a whole record', async ([, files]) => {
  const { updates, without } = await importFiles(files, { keepBytes: 0, withIndex: true });
  expect(without).toBe(null);
  const whole = await importFiles(files);
  const events = [...toRecord(whole.rollouts, { file: 'f', format: 'f', updates })];
  const wanted = spelt(events);
  expect(updates!.length).toBe(wanted.size);
  expect(wanted.size).toBe(whole.summary.steps || 1);
  for (const [at, { lines }] of updates!.entries())
    expect(await readBack(files, lines)).toEqual(wanted.get(at + 1));
});

test('a record that holds the first groups alone says which stand elsewhere, and lines next to each other are one range', async () => {
  const files = knotted();
  const { updates } = await importFiles(files, { keepBytes: 0, withIndex: true });
  const events = [...toRecord([], { file: 'f', format: 'f', updates })];
  const ended = events.filter((event) => event.kind === 'update-ended');
  expect(ended.map(({ elsewhere }) => elsewhere)).toEqual([{ groups: 2, rollouts: 12 }, { groups: 2, rollouts: 12 }]); // prettier-ignore
  expect(updates!.map(({ lines: [{ ranges }] }) => ranges.length / 3)).toEqual([2, 2]); // the torn line parts them
});

test('a record holds the groups of a step before the first that is not whole', async () => {
  const files = knotted();
  const { updates } = await importFiles(files, { keepBytes: 0, withIndex: true });
  const { rollouts, summary } = await importFiles(files);
  const heldOf = (of: (rollout: Rollout) => boolean) => {
    const counted = { summary, choices: AS_READ };
    const events = [...toRecord(rollouts.filter(of), { file: 'f', format: 'f', updates, counted })];
    const [first] = events;
    const groups = events.flatMap((event) => event.kind === 'update-ended' ? [event.elsewhere?.groups ?? 0] : []); // prettier-ignore
    return [first.kind === 'run-started' && first.origin.kind === 'imported' && first.origin.summary?.held, groups]; // prettier-ignore
  };
  const [{ group }] = rollouts;
  expect(heldOf((each) => each.step === 1)).toEqual([12, [0, 2]]);
  expect(heldOf((each) => each.group.key === group.key)).toEqual([12, [1, 1]]);
  expect(heldOf((each) => each.group.key !== group.key)).toEqual([0, [2, 2]]); // the second of each step
  expect(heldOf((each) => each !== rollouts[0])).toEqual([12, [2, 0]]); // of the first a rollout is not here
});

test('a document of many lines is one range of its file, and of its values those of the asked groups are read again', async () => {
  const document = (file: number, groups: readonly number[]): ImportFile => {
    const rows = groups.map((group) => ({ input: `user\nQuestion ${group}\nassistant\n`, output: `of file ${file}`, gts: 'x', score: group, step: 1 + (group % 2) })); // prettier-ignore
    return { path: `${file}.json`, blob: new Blob([JSON.stringify(rows, null, 2)]) };
  };
  const files = [document(1, [0, 1, 2]), document(2, [1, 2, 3])];
  const { updates } = await importFiles(files, { keepBytes: 0, withIndex: true });
  const ranges = files.map(({ blob }) => [0, blob.size, 1]);
  expect(updates!.map(({ lines }) => lines.map((each) => each.ranges))).toEqual([ranges, ranges]);
  const parts = updates![0].lines.map((only) => ({ ...files.find(({ path }) => path === only.path)!, only }));
  const { rollouts } = await importFiles(parts);
  expect(rollouts.map(({ reward, place }) => [reward, place.path])).toEqual([[0, '1.json'], [2, '1.json'], [2, '2.json']]); // prettier-ignore
});

test('a step of more than 4 MB of text is several updates of whole groups', async () => {
  const text = 'word '.repeat(40_000); // 200 kB
  const rows = Array.from({ length: 60 }, (_, at) =>
    JSON.stringify({ input: `user\nQ${at >> 1}\nassistant\n`, output: text, gts: 'x', score: at, step: 1 }),
  );
  const files = [{ path: 'large.jsonl', blob: new Blob([rows.join('\n')]) }];
  const { updates } = await importFiles(files, { keepBytes: 0, withIndex: true });
  expect(updates!.map(({ groups }) => groups.length)).toEqual([10, 10, 10]);
  expect(updates!.flatMap(({ lines }) => lines.map(({ ranges }) => ranges.length))).toEqual([3, 3, 3]);
});

test('a step of more than 4096 groups is several updates', async () => {
  const rows = Array.from({ length: 4100 }, (_, at) =>
    JSON.stringify({ input: `user\nQ${at}\nassistant\n`, output: 'a', gts: 'x', score: at, step: 1 }),
  );
  const files = [{ path: 'wide.jsonl', blob: new Blob([rows.join('\n')]) }];
  const { updates } = await importFiles(files, { keepBytes: 0, withIndex: true });
  expect(updates!.map(({ groups }) => groups.length)).toEqual([4096, 4]);
});

/** The lines of a packed fixture as they are. */
async function unpacked(file: ImportFile): Promise<ImportFile> {
  for await (const part of partsOf(file)) {
    if (isTable(part)) break;
    const pieces: BlobPart[] = [];
    for await (const piece of part.bytes()) pieces.push(piece);
    return { path: part.path, blob: new Blob(pieces) };
  }
  return file;
}

test.for(['trl', 'gzip', 'UTF-16', 'prime_rl', 'prime_rl, unpacked'])(
  'of %s nothing is read back, and the file is named',
  async (name) => {
    const [{ blob }] = fixtureFiles('chat.jsonl');
    const made: Record<string, () => Promise<readonly ImportFile[]>> = {
      gzip: async () => [{ path: 'a.jsonl.gz', blob: await new Response(blob.stream().pipeThrough(new CompressionStream('gzip'))).blob() }], // prettier-ignore
      'UTF-16': async () => [{ path: 'a.jsonl', blob: new Blob([Uint16Array.from(`\uFEFF${await blob.text()}`, (unit) => unit.charCodeAt(0))]) }], // prettier-ignore
      'prime_rl, unpacked': () => Promise.all(fixtureFiles('prime_rl').map(unpacked)), // lines, whose annotations stand elsewhere
    };
    const files = await (made[name]?.() ?? fixtureFiles(name));
    const { summary, updates, without } = await importFiles(files, { keepBytes: 0, withIndex: true });
    expect(summary.rollouts).toBeGreaterThan(0);
    expect(updates).toBe(null);
    expect(without).not.toBe(null);
  },
);
