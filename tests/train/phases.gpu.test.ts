import { expect, test } from 'vitest';
import type { Phase, RunCommand, EngineEvent } from '../../src/protocol/protocol.ts';
import { Engine } from '../../src/train/engine/engine.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import { lentGpu } from '../support/shared_gpu.ts';
import { tinyRun } from '../support/tiny_run.ts';

test('the weights at a pause before each step are those before it, and the step moves them', async () => {
  const events: EngineEvent[] = [];
  let heard: () => void = () => undefined;
  const post = (event: EngineEvent): void => {
    events.push(event);
    heard();
  };
  const fetchWeights = (): Promise<ArrayBuffer> => Promise.reject(new Error('no file is needed'));
  const engine = new Engine({ post, openBackend: () => openGpuBackend({ gpu: lentGpu }), fetchWeights });
  /** Sends a command and takes the first event from then on that `matches`. */
  const ask = async (
    command: RunCommand,
    matches: (event: EngineEvent) => boolean,
  ): Promise<EngineEvent | undefined> => {
    const from = events.length;
    await engine.dispatch(command);
    for (;;) {
      const found = events.slice(from).find((event) => matches(event) || event.kind === 'failed');
      if (found) return found;
      await new Promise<void>((resolve) => (heard = resolve));
    }
  };
  await engine.dispatch({ kind: 'open', config: tinyRun(0) });
  const seen: { readonly phase: Phase; readonly weights: Uint8Array }[] = [];
  while (seen.filter(({ phase }) => phase === 'step').length < 2) {
    const paused = await ask({ kind: 'step-phase' }, ({ kind, ...rest }) => kind === 'status' && 'status' in rest && rest.status === 'paused'); // prettier-ignore
    if (paused?.kind !== 'status') throw new Error(JSON.stringify(paused));
    if (!paused.phase) throw new Error(JSON.stringify(paused));
    const saved = await engine.ask({ kind: 'save-weights' });
    seen.push({ phase: paused.phase, weights: new Uint8Array(saved.bytes) });
  }
  await engine.dispose();
  expect(seen.map(({ phase }) => phase)).toEqual(['rollout', 'reward', 'value', 'advantage', 'loss', 'step', 'loss', 'step']); // prettier-ignore
  const moved = seen.slice(1).map(({ weights }, index) => {
    const before = seen[index].weights;
    return weights.length !== before.length || weights.some((byte, place) => byte !== before[place]);
  });
  expect(moved).toEqual([false, false, false, false, true, false, true]); // after the first pause
});
