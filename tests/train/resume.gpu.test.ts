import { afterAll, beforeAll, expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { DeviceLostError } from '../../src/gpu/errors.ts';
import { firstDifference } from '../../src/store/record/replay_difference.ts';
import { environmentNamed } from '../../src/train/config/config.ts';
import { presets, withAlgorithm } from '../../src/train/config/presets.ts';
import type { Backend } from '../../src/train/engine/engine.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/run/checkpoint_file.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { tokenId, type RunConfig } from '../../src/units.ts';
import { randomBatch } from '../support/gpu_policies.ts';
import { eventsAfter, trainedRun } from '../support/resumed_runs.ts';
import { lentGpu } from '../support/shared_gpu.ts';

const BEFORE = 2; // updates before the checkpoint: the moments of the optimiser are full by then
const UPDATES = 3;

/** A few small updates from a shipped warm start, so that some answers are right and some are not. */
function configOf(name: keyof typeof algorithms): RunConfig {
  const { config } = presets.get(name === 'bapo' ? 'boundary' : 'instant')!; // presets of the catalogue
  const small = {
    ...{ seed: 3, updates: UPDATES, promptsPerUpdate: 4, promptsPerMinibatch: 2 },
    evaluation: { ...config.evaluation, every: 1, questions: 4 },
  };
  return withAlgorithm({ ...config, ...small }, algorithms[name].config);
}

let straightOn: Backend;
let resumedOn: Backend; // another device: nothing of the first run is on it
beforeAll(async () => {
  [straightOn, resumedOn] = [await openGpuBackend({ gpu: lentGpu }), await openGpuBackend()];
});
afterAll(() => [straightOn, resumedOn].forEach((backend) => backend.close()));

test.each(['at2po', 'dapo', 'bapo', 'a_star_po', 'istar'] as const)(
  'a run of %s that is resumed on another device posts what the run posts that nobody interrupted',
  async (name) => {
    const config = configOf(name);
    const weights = await (await fetch(`/${config.weights}`)).arrayBuffer();
    const straight = await trainedRun(straightOn, config, { weights, at: [BEFORE] });
    const file = await encodeCheckpoint(straight.checkpoints[0]);
    const resumed = await trainedRun(resumedOn, config, { from: await decodeCheckpoint(file) });

    const after = eventsAfter(straight.events, BEFORE);
    expect(resumed.events).toEqual(after);
    const norms = after.flatMap((event) => (event.kind === 'step' ? [event.gradientNorm] : []));
    expect(norms.some((norm) => norm > 0)).toBe(true); // the parameters moved in what was compared
  },
);

test('a fork with nothing changed is its parent bit for bit; with another learning rate it is until the first step', async () => {
  const base = configOf('at2po');
  const config = { ...base, updates: 2, evaluation: { ...base.evaluation, every: 0 } };
  const weights = await (await fetch(`/${config.weights}`)).arrayBuffer();
  const parent = await trainedRun(straightOn, config, { weights, at: [1] });
  const file = await encodeCheckpoint(parent.checkpoints[0]);
  const fork = async (learningRate: number) => {
    const checkpoint = await decodeCheckpoint(file.slice());
    const child = { ...config, optimiser: { ...config.optimiser, learningRate } };
    return (await trainedRun(resumedOn, child, { from: { ...checkpoint, config: child } })).events;
  };
  const after = eventsAfter(parent.events, 1);
  const { learningRate } = config.optimiser;
  expect(await fork(learningRate)).toEqual(after);

  const faster = await fork(2 * learningRate);
  const step = after.findIndex(({ kind }) => kind === 'step'); // its norms are of the gradient, before the rate
  expect(faster.slice(0, step + 1)).toEqual(after.slice(0, step + 1));
  const { gradientNorm } = after[step] as Extract<RunEvent, { kind: 'step' }>;
  expect(gradientNorm).toBeGreaterThan(0);
  // the next mini-batch, which the moved policy scores
  expect(firstDifference(after, faster)).toMatchObject({ update: 2, phase: 'loss', kind: 'loss' });
});

// Here, since the device that goes has compiled all that a policy needs.
test('a lost device rejects the calls under way and every later one', async () => {
  const config = configOf('at2po');
  const environment = environmentNamed(config.environment);
  const policy = await resumedOn.createPolicy({ config, weights: null, environment });
  policy.beginRollout({ seed: 1, update: 1 }, { temperature: 1, stopTokens: [] });
  const request = { context: [tokenId(1)], key: { prompt: 0, node: 0, firstToken: 0 }, maxTokens: 30 };
  const batch = randomBatch(config.model.vocabularySize, 9, 21);
  const underWay = [policy.score(batch, 1), policy.generate([request])];
  resumedOn.close();
  for (const call of underWay) await expect(call).rejects.toThrow(DeviceLostError);
  await expect(policy.parameters()).rejects.toThrow(DeviceLostError);
});
