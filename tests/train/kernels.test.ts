import { expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { scriptedEngine, smallConfig } from '../support/scripted_run.ts';

const reports = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.kind === 'failed' ? [event.report] : []));

test('the engine lists every kernel with the text that runs, without opening a device', async () => {
  const { events, send } = scriptedEngine(smallConfig());
  await send({ kind: 'list-kernels' });
  const [answer] = events.flatMap((event) => (event.kind === 'kernels' ? [event] : []));
  expect(events).toHaveLength(1); // no `ready`: nothing was opened
  expect(answer.kernels.map(({ name }) => name)).toEqual(Object.keys(kernels));
  for (const { name, source } of answer.kernels) expect(source.startsWith(`// ${name} — `)).toBe(true);
  expect(structuredClone(answer)).toEqual(answer); // it crosses to the page
});

test('a check of no kernel, and one without a device, are refused in words', async () => {
  const { engine, events, send } = scriptedEngine(smallConfig());
  await engine.start();
  await send({ kind: 'check-kernel', name: 'matmul' });
  await send({ kind: 'check-kernel', name: 'matmul_nt' });
  expect(reports(events)).toMatchObject([
    { where: 'command.name', wanted: 'the name of a kernel in shaders/index.ts' },
    { where: 'command check-kernel', got: 'a backend without kernels' },
  ]);
});
