import { afterEach, expect, test, vi } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { environmentNamed } from '../../src/train/config/config.ts';
import type { Phase } from '../../src/protocol/protocol.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { scriptedEngine, smallConfig } from '../support/scripted_run.ts';

afterEach(() => vi.restoreAllMocks());

/** What one update asked of policies and environment, phase by phase: 'policy 0 score', 'grade', …; each once a phase. */
async function workOf(name: 'at2po' | 'istar' | 'dapo', skill = 0.6) {
  const evaluation = { every: 0, questions: 0, datasets: ['hotpot'] };
  const config = withAlgorithm(
    smallConfig({ updates: 1, promptsPerUpdate: 4, promptsPerMinibatch: 4, evaluation }),
    algorithms[name].config,
  );
  const { engine, send, until, onEvent, backend } = scriptedEngine(config, { skill: () => skill });
  const work: { readonly phase: Phase; readonly done: Set<string> }[] = [];
  const grade = vi.spyOn(environmentNamed(config.environment), 'grade');
  const counts = (): number[] => backend.policies.map(({ calls }) => calls.length);
  let [from, graded] = [[] as number[], 0];
  const close = (): void => {
    const done = work.at(-1)?.done;
    backend.policies.forEach(({ calls }, index) =>
      calls.slice(from[index] ?? 0).forEach((call) => done?.add(`policy ${index} ${call}`)),
    );
    if (grade.mock.calls.length > graded) done?.add('grade');
    [from, graded] = [counts(), grade.mock.calls.length];
  };
  onEvent((event) => {
    if (event.kind === 'phase') {
      close();
      work.push({ phase: event.phase, done: new Set() });
    } else if (event.kind === 'metrics') close();
  });
  await engine.start();
  await send({ kind: 'open', config });
  const over = until(({ kind }) => kind === 'metrics' || kind === 'failed');
  await send({ kind: 'play' });
  expect((await over).kind).toBe('metrics');
  await engine.dispose();
  return work.map(({ phase, done }) => [phase, ...[...done].toSorted()]);
}

test('each phase does the work of its name and no other', async () => {
  expect(await workOf('at2po')).toEqual([
    ['rollout', 'policy 0 beginRollout', 'policy 0 generate'],
    ['reward', 'grade'],
    ['value'],
    ['advantage'],
    ['loss', 'policy 0 backward', 'policy 0 score'],
    ['step', 'policy 0 step'],
  ]);
});

test('the network that iStar rewards turns with learns in the phase reward', async () => {
  const work = new Map((await workOf('istar')).map(([phase, ...done]) => [phase, done]));
  expect(work.get('reward')).toEqual(['grade', 'policy 0 score', 'policy 1 backward', 'policy 1 score', 'policy 1 step']); // prettier-ignore
  expect(work.get('loss')).toEqual(['policy 0 backward', 'policy 0 score']);
});

test('dynamic sampling scores each batch before it rolls out the next, and begins the rollout once', async () => {
  const work = await workOf('dapo', 1);
  const first = work.slice(0, 4);
  expect(first).toEqual([
    ['rollout', 'policy 0 beginRollout', 'policy 0 generate'],
    ['reward', 'grade'],
    ['rollout', 'policy 0 generate'],
    ['reward', 'grade'],
  ]);
});
