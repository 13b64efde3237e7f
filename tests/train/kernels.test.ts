import { expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { refusalOf } from '../support/questions.ts';
import { scriptedEngine, smallConfig } from '../support/scripted_run.ts';

test('the engine lists every kernel with the text that runs, without opening a device', async () => {
  const { events, ask } = scriptedEngine(smallConfig());
  const answer = await ask({ kind: 'list-kernels' });
  expect(events).toEqual([]); // no `ready`: nothing was opened
  expect(answer.map(({ name }) => name)).toEqual(Object.keys(kernels));
  for (const { name, source } of answer) expect(source.startsWith(`// ${name} — `)).toBe(true);
  expect(structuredClone(answer)).toEqual(answer); // it crosses to the page
});

test('a check of no kernel, and one without a device, are refused in words', async () => {
  const { engine, ask } = scriptedEngine(smallConfig());
  await engine.start();
  const refused = (name: string) => refusalOf(ask({ kind: 'check-kernel', name }));
  expect(await refused('matmul')).toMatchObject({
    ...{ where: 'question.name', wanted: 'the name of a kernel in shaders/index.ts' },
  });
  expect(await refused('matmul_nt')).toMatchObject({
    ...{ where: 'question check-kernel', got: 'a backend without kernels' },
  });
});
