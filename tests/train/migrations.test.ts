import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readRecording, recordingLines } from '../../src/files/recording.ts';
import { parseLoggedEvent } from '../../src/protocol/log.ts';
import { LOG_VERSION, migrated } from '../../src/protocol/migrations.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { whatDiffers } from '../../src/store/record/run_difference.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { LabError } from '../../src/units.ts';
import { METRICS } from '../support/sample_log.ts';
import { scriptedRun } from '../support/scripted_run.ts';

type Json = Readonly<Record<string, unknown>>;

/** The first update of the run that was shipped while logs were of version 1, as it was written then. */
const shipped = readFileSync('tests/fixtures/version_1_run.ndjson.gz');
const lines = gunzipSync(shipped).toString().trimEnd().split('\n');
const written = lines.slice(1, -1).map((line) => JSON.parse(line) as Json);

async function read(text: string | Uint8Array<ArrayBuffer>, events: RunEvent[] = []): Promise<RunEvent[]> {
  for await (const event of readRecording(new Blob([text]))) events.push(event);
  return events;
}

async function refusal(text: string) {
  const error = await read(text).then(() => null, (reason: unknown) => reason); // prettier-ignore
  if (error instanceof LabError) return { name: error.name, ...error.report };
  throw new Error('the recording was read');
}

/** As the first version wrote it. */
const asWritten = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replaceAll('"turnSurprisal"', '"turnEntropy"'));

test('a recording of version 1 is read whole, and every number of it is read under the name of today', async () => {
  expect(JSON.parse(lines[0])).toMatchObject({ version: 1 });
  const events = await read(new Uint8Array(shipped));
  expect(events.map(({ kind }) => kind)).toEqual(written.map(({ kind }) => kind));
  const named = written.filter((event) => JSON.stringify(event).includes('"turnEntropy"'));
  expect(new Set(named.map(({ kind }) => kind))).toEqual(new Set(['node', 'expansion', 'metrics']));
  const changed = events.filter((event, at) => {
    if (event.kind === 'run-started') return false; // its configuration is completed by its own schema
    return JSON.stringify(event).includes('turnEntropy') || !isDeepStrictEqual(asWritten(event), written[at]);
  });
  expect(changed).toEqual([]);
});

test('a run of an older log says the version that it was first written in, after it was saved anew too', async () => {
  const startOf = (events: readonly RunEvent[]) => events.find((event) => event.kind === 'run-started');
  const events = await read(new Uint8Array(shipped));
  expect(startOf(events)?.writtenIn).toBe(1);
  const again = await read([...recordingLines(events)].join(''));
  expect(startOf(again)?.writtenIn).toBe(1);
  const own = await read([...recordingLines(await scriptedRun())].join(''));
  expect(startOf(own)).not.toHaveProperty('writtenIn');
  const [old, fresh] = [events, own].map((log) => foldEvents(EMPTY_RUN, log));
  const rows = whatDiffers(old, fresh, null)?.map(({ title, a, b }) => [title, a, b]);
  expect(rows).toContainEqual(['Version of the log', '1', String(LOG_VERSION)]);
  expect(whatDiffers(old, old, null)).toEqual([]);
});

test('a header that says no version is of version 1', async () => {
  const { version, ...header } = JSON.parse(lines[0]) as Json;
  expect(version).toBe(1);
  const text = [JSON.stringify(header), ...lines.slice(1, 200), ''].join('\n');
  const seen: RunEvent[] = [];
  await read(text, seen).catch(() => undefined); // it is cut off
  expect(seen).toHaveLength(199);
  expect(JSON.stringify(seen)).toContain('turnSurprisal');
});

test('a log is written in the newest version, which is not touched when it is read', async () => {
  const log = await scriptedRun();
  const [header] = recordingLines(log);
  expect(JSON.parse(header)).toMatchObject({ version: LOG_VERSION });
  for (const event of log) expect(migrated(event, LOG_VERSION)).toBe(event);
  const claimsFirst = [...recordingLines(log)].with(
    0,
    header.replace(`"version":${LOG_VERSION}`, '"version":1'),
  );
  const claimed = await read(claimsFirst.join(''));
  const unstamped = claimed.map((event) => event.kind === 'run-started' ? { ...event, writtenIn: undefined } : event); // prettier-ignore
  expect(JSON.stringify(unstamped)).toBe(JSON.stringify(await read([...recordingLines(log)].join(''))));
});

test('a log of a later version is refused by name, with what can be done', async () => {
  for (const version of [LOG_VERSION + 1, 1000])
    expect(await refusal(lines.with(0, `{"format":"turnwise-run","version":${version}}`).join('\n'))).toEqual(
      {
        name: 'RecordingError',
        what: 'The recorded run was written by a later version of the lab',
        where: 'line 1',
        got: `version ${version}`,
        wanted: `a version from 1 to ${LOG_VERSION}`,
        next: expect.stringContaining('newest version') as unknown,
      },
    );
});

/** An event as the lab wrote it before trees, filters, admissions and norms by head were logged. */
function first(kind: string, change: (event: Json) => Json): unknown {
  const event = written.find((each) => each.kind === kind)!;
  return change(JSON.parse(JSON.stringify(event)) as Json);
}
const without = (value: unknown, ...names: string[]): Json =>
  Object.fromEntries(Object.entries(value as Json).filter(([name]) => !names.includes(name)));

test('what the first files did not say is filled in where it is certain, and else is not known', () => {
  const opened = (value: unknown): Json => parseLoggedEvent(migrated(value, 1), 'line 3');
  const node = first('node', (event) => ({ ...event, node: without(event.node, 'tree') }));
  expect(opened(node)).toMatchObject({ node: { tree: 0 } });
  const LATER = ['unknown', 'reliability', 'rolloutBatches', 'droppedGroups'];
  const metrics = first('metrics', (event) => ({ ...event, metrics: without(event.metrics, ...LATER) }));
  expect(opened(metrics)).toMatchObject({
    metrics: { unknown: null, reliability: null, rolloutBatches: 1, droppedGroups: 0 },
  });
  const evaluation = first('evaluation', (event) => without(event, 'unknown', 'reliability'));
  expect(opened(evaluation)).toMatchObject({ unknown: null, reliability: null });
  expect(opened(first('step', (event) => without(event, 'headNorms')))).toMatchObject({ headNorms: [] });
});

test('the newest version is strict: what an older one lacked is refused in it, by its path', () => {
  const where = (value: Json): string => {
    try {
      parseLoggedEvent(value, 'line 3');
    } catch (error) {
      if (error instanceof LabError) return error.report.where;
    }
    throw new Error('the event was read');
  };
  for (const name of Object.keys(METRICS))
    expect(where({ kind: 'metrics', update: 1, metrics: without(METRICS, name) })).toBe(
      `line 3.metrics.${name}`,
    );
  const node = migrated(
    first('node', (event) => event),
    1,
  ) as { readonly node: Json };
  for (const name of ['tree', 'turnSurprisal'])
    expect(where({ ...node, node: without(node.node, name) })).toBe(`line 3.node.${name}`);
  const step = migrated(
    first('step', (event) => event),
    1,
  );
  expect(where(without(step, 'headNorms'))).toBe('line 3.headNorms');
});

test('what is no event of the log goes on to the schema as it is', () => {
  for (const value of [
    null,
    7,
    'node',
    [],
    {},
    { kind: 'node' },
    { kind: 'node', node: 3 },
    { kind: 'expansion', record: [] },
    { kind: 'expansion', record: { candidates: [null, 2] } },
  ])
    // prettier-ignore
    expect(migrated(value, 1)).toEqual(value);
});
