import { expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { presets, withAlgorithm } from '../../src/train/config/presets.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/run/checkpoint_file.ts';
import type { RunConfig } from '../../src/units.ts';
import { eventsAfter, trainedRun, type TrainedRun, type TrainingPlan } from '../support/resumed_runs.ts';

const HALF = 2;

/** Four small updates from a shipped warm start, so that some answers are right and some are not. */
function configOf(name: keyof typeof algorithms): RunConfig {
  const { config } = presets.get(name === 'bapo' ? 'boundary' : 'instant')!; // presets of the catalogue
  const small = {
    ...{ seed: 3, updates: 2 * HALF, promptsPerUpdate: 4, promptsPerMinibatch: 2 },
    evaluation: { ...config.evaluation, every: 1, questions: 4 },
  };
  return withAlgorithm({ ...config, ...small }, algorithms[name].config);
}

/** On a device of its own, which is gone afterwards. */
async function onDevice(config: RunConfig, plan: TrainingPlan): Promise<TrainedRun> {
  const backend = await openGpuBackend();
  try {
    return await trainedRun(backend, config, plan);
  } finally {
    backend.close();
  }
}

test.each(['at2po', 'dapo', 'bapo', 'a_star_po', 'istar'] as const)(
  'a run of %s that is resumed on another device posts what the run posts that nobody interrupted',
  async (name) => {
    const config = configOf(name);
    const weights = await (await fetch(`/${config.weights}`)).arrayBuffer();
    const straight = await onDevice(config, { weights });
    const interrupted = await onDevice(config, { weights, at: [HALF], until: HALF });
    const file = await encodeCheckpoint(interrupted.checkpoints[0]);
    const resumed = await onDevice(config, { from: await decodeCheckpoint(file) });

    const after = eventsAfter(straight.events, HALF);
    expect(resumed.events).toEqual(after);
    expect(interrupted.events).toEqual(straight.events.filter((event) => !after.includes(event)));
    const norms = after.flatMap((event) => (event.kind === 'step' ? [event.gradientNorm] : []));
    expect(norms.some((norm) => norm > 0)).toBe(true); // the parameters moved in what was compared
  },
);
