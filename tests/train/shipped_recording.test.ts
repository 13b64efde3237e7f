import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { createPlayer } from '../../src/store/record/player.ts';
import { presets } from '../../src/train/config/presets.ts';
import { blobSource, wholeMembers } from '../../src/files/members.ts';
import { rangesOf, type RecordingIndex } from '../../src/files/members.ts';
import { partBatches, readRecording } from '../../src/files/recording.ts';

const bytes = new Uint8Array(readFileSync('public/recorded-instant.ndjson.members'));
const events: RunEvent[] = [];
for await (const event of readRecording(new Blob([bytes]).stream())) events.push(event);

test('the shipped recording is a whole run of the instant preset as it is now', () => {
  const [started] = events.filter((event) => event.kind === 'run-started');
  const preset = presets.get('instant')?.config;
  expect({ ...started.config, evaluation: null }).toEqual({ ...preset, seed: 1, evaluation: null });
  expect(events.filter((event) => event.kind === 'metrics')).toHaveLength(40);
  expect(events.at(-1)).toMatchObject({ kind: 'status', status: 'finished', update: 40 });
});

test('in it the policy learns: held-out exact match rises by more than 0.30', () => {
  const sampled = events.filter((event) => event.kind === 'evaluation').filter((event) => !event.greedy);
  const [before, after] = [sampled[0], sampled[sampled.length - 1]];
  expect([before.update, after.update]).toEqual([0, 40]);
  expect(before.questions).toBeGreaterThanOrEqual(200);
  expect(after.exactMatch - before.exactMatch).toBeGreaterThan(0.3);
});

test('its first update plays in less than 8 s at speed 1, and each of its phases stands for at least 300 ms', () => {
  const player = createPlayer(() => undefined);
  const end = events.findIndex((event) => event.kind === 'metrics' && event.update === 1) + 1;
  player.add(events.slice(0, end));
  player.play();
  const STEP_MS = 10;
  const begun: number[] = [];
  let [ms, seen] = [0, 0];
  for (; player.getState().position < end && ms < 60_000; ms += STEP_MS) {
    player.tick(ms);
    const { position } = player.getState();
    for (const { kind } of events.slice(seen, position))
      if (kind === 'phase' || kind === 'metrics') begun.push(ms);
    seen = position;
  }
  expect(seen).toBe(end);
  expect(ms).toBeLessThan(8000);
  expect(begun.length).toBeGreaterThanOrEqual(6);
  for (const [at, start] of begun.slice(1).entries()) expect(start - begun[at]).toBeGreaterThanOrEqual(300);
});

test('it is small enough to wait for, and its first hundred events come in the first 64 kilobytes', async () => {
  expect(bytes.length).toBeLessThan(3_000_000);
  const head = readRecording(
    new ReadableStream({ start: (controller) => controller.enqueue(bytes.slice(0, 64_000)) }),
  );
  for (let i = 0; i < 100; i += 1) expect((await head.next()).done).toBe(false);
});

test('its index tells where each update stands: read alone, an update is what it is in the whole', async () => {
  const index = JSON.parse(readFileSync('public/recorded-instant.index.json', 'utf8')) as RecordingIndex;
  const { members, bytes: whole } = await wholeMembers(blobSource(new Blob([bytes])));
  expect(whole).toBe(bytes.length);
  expect(index.lengths).toEqual(members.slice(0, -1).map((member) => member.bytes)); // the last is the end line
  expect(members.map(({ label }) => label)).toEqual(Array.from({ length: 42 }, (_, update) => update));
  for (const update of [1, 23, 40]) {
    const parts = rangesOf(index, update)!.map(([start, end]) => bytes.subarray(start, end));
    const read: RunEvent[] = [];
    for await (const batch of partBatches(new Blob(parts))) read.push(...batch);
    const first = events.findIndex((event) => event.kind === 'update-started');
    const start = events.findIndex((event) => event.kind === 'update-started' && event.update === update);
    const next = events.findIndex((event) => event.kind === 'update-started' && event.update === update + 1);
    const want = [...events.slice(0, first), ...events.slice(start, next < 0 ? undefined : next)];
    const differs = want.findIndex((event, place) => JSON.stringify(event) !== JSON.stringify(read[place]));
    expect([read.length, differs]).toEqual([want.length, -1]);
    expect(parts.reduce((sum, part) => sum + part.length, 0)).toBeLessThan(70_000);
  }
  expect([0, 41, 1.5, NaN].map((update) => rangesOf(index, update))).toEqual([null, null, null, null]);
});
