import { presets } from '../../src/train/config/presets.ts';
import type { RunConfig } from '../../src/units.ts';

/** The corridor preset with random parameters, 2 prompts, one update of 2 mini-batches: seconds on a CPU adapter. */
export function tinyRun(questions: number): RunConfig {
  const { config } = presets.get('corridor')!; // a preset of the catalogue
  const { algorithm } = config;
  return {
    ...config,
    model: { ...config.model, channels: 16, heads: 2, kvHeads: 1, headSize: 8, hidden: 24 },
    updates: 1,
    promptsPerUpdate: 2,
    promptsPerMinibatch: 1,
    algorithm: {
      ...algorithm,
      rollout: { ...algorithm.rollout, initialBranches: 2, iterations: 1, picks: 2, leavesPerTree: 4 },
      credit: { ...algorithm.credit, leafNormalisation: false },
    },
    evaluation: { every: 0, questions, datasets: ['corridor'] },
  };
}
