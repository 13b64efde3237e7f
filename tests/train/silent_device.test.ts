import { expect, test } from 'vitest';
import { CheckCancelledError, DeviceGivenUpError } from '../../src/gpu/errors.ts';
import type { KernelTrial, EngineEvent } from '../../src/protocol/protocol.ts';
import type { Backend } from '../../src/train/engine/backend.ts';
import type { TrainablePolicy } from '../../src/units.ts';
import { scriptedBackend, scriptedEngine, smallConfig } from '../support/scripted_run.ts';

const config = smallConfig({ updates: 1, evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });
const QUESTION = { name: 'policy_loss', source: 'loop {}', batch: null, checkGradient: true } as const;
const kinds = (events: readonly EngineEvent[]) => events.map(({ kind }) => kind);

/** A backend whose policies never give an answer until the device is given up. */
function stuckBackend(): Backend {
  const backend = scriptedBackend(config);
  const { report } = new DeviceGivenUpError();
  let fail: (error: Error) => void = () => undefined;
  const answer = new Promise<never>((_, reject) => (fail = reject));
  answer.catch(() => undefined);
  return {
    ...backend,
    createPolicy: async (request) => {
      const policy: TrainablePolicy = await backend.createPolicy(request);
      return Object.assign(policy, { generate: () => answer });
    },
    giveUp() {
      backend.lose(report);
      fail(new DeviceGivenUpError());
    },
  };
}

test('a run whose device never answers can be given up, although a reset waits for it; then the reset is carried out', async () => {
  const backends = [stuckBackend(), scriptedBackend(config)];
  const { engine, events, send, until } = scriptedEngine(config, {
    openBackend: () => Promise.resolve(backends.shift()!),
  });
  await engine.start();
  await send({ kind: 'open', config });
  const begun = until((event) => event.kind === 'phase');
  await send({ kind: 'play' });
  await begun;
  const reset = send({ kind: 'reset' }); // waits for the run to end, which it cannot
  await Promise.resolve();
  expect(kinds(events)).not.toContain('failed');
  await send({ kind: 'give-up' });
  await reset;
  const failed = events.filter((event) => event.kind === 'failed');
  expect(failed.map((event) => event.report.what)).toEqual([
    'The graphics device did not answer and was given up',
  ]);
  expect(events.at(-1)).toMatchObject({ kind: 'status', status: 'paused', update: 0 });
});

test('a check is cancelled without a failure, and the run that was open plays on', async () => {
  const plain = scriptedBackend(config);
  let end: (error: Error) => void = () => undefined;
  let ended = false;
  const backend: Backend = {
    ...plain,
    tryKernel: () => new Promise<KernelTrial>((_, reject) => (end = reject)),
    cancelChecks() {
      ended = true;
      end(new CheckCancelledError());
    },
  };
  const { engine, events, send, ask, until } = scriptedEngine(config, {
    openBackend: () => Promise.resolve(backend),
  });
  await engine.start();
  await send({ kind: 'open', config });
  const cancel = new AbortController();
  const answer = ask({ kind: 'try-kernel', ...QUESTION }, cancel.signal);
  await ask({ kind: 'list-kernels' }); // the check has begun
  cancel.abort();
  await expect(answer).rejects.toThrow('aborted');
  expect(ended).toBe(true);
  const over = until((event) => event.kind === 'status' && event.status === 'finished');
  await send({ kind: 'play' });
  await over;
  expect(kinds(events)).not.toContain('failed');
});

test('the engine says while it waits for a device, and counts the silence of the one it has', async () => {
  let give: (backend: Backend) => void = () => undefined;
  const { engine } = scriptedEngine(config, {
    openBackend: () => new Promise((resolve) => (give = resolve)),
  });
  const started = engine.start();
  await Promise.resolve();
  expect([engine.isOpening, engine.countSilence()]).toEqual([true, 0]);
  give({ ...scriptedBackend(config), countSilence: () => 4 });
  await started;
  expect([engine.isOpening, engine.countSilence()]).toEqual([false, 4]);
});
