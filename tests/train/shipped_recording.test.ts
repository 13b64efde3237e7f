import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { presets } from '../../src/train/config/presets.ts';
import { readRecording } from '../../src/files/recording.ts';

const bytes = new Uint8Array(readFileSync('public/recorded-instant.ndjson.gz'));
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

test('it is small enough to wait for, and its first hundred events come in the first 40 kilobytes', async () => {
  expect(bytes.length).toBeLessThan(3_000_000);
  const head = readRecording(
    new ReadableStream({ start: (controller) => controller.enqueue(bytes.slice(0, 40_000)) }),
  );
  for (let i = 0; i < 100; i += 1) expect((await head.next()).done).toBe(false);
});
