/** Seeded walks over configurations: a preset, a method, and a few settings that are anything at all. */
import { algorithms, type AlgorithmName } from '../../src/algo/catalogue/index.ts';
import { keyedRandom, type KeyedRandom } from '../../src/algo/random.ts';
import { withSetting } from '../../src/train/config/config.ts';
import { presets, withAlgorithm } from '../../src/train/config/presets.ts';
import type { RunConfig } from '../../src/units.ts';
import { settingPaths, valueAt } from './settings.ts';

const STREAM = 2001; // beside those of src/algo/random.ts

export interface Walked {
  readonly config: RunConfig; // unchecked
  readonly changed: readonly string[]; // paths
}

const NUMBERS = [
  ...[NaN, Infinity, -Infinity, -1, -0.5, -1e-45, 0, 1e-323, 1e-45, 1e-39, 1e-38, 1e-30, 1e-20, 1e-16, 1e-12],
  ...[1e-9, 1e-6, 1e-3, 0.01, 0.1, 0.5, 0.75, 0.99, 0.999999, 1, 1.5, 2, 3, 4, 5, 8, 10, 12, 16, 20, 30, 64],
  ...[100, 128, 132, 256, 257, 1000, 1024, 1025, 4096, 65_536, 1e5, 1e6, 2 ** 31, 2 ** 32, 1e15, 2 ** 53],
  ...[1e19, 1e30, 1e38, 3.5e38, 1e308],
];
const STRANGE = [null, undefined, true, false, '', '1', 'grpo', [], {}, [1], ['hotpot'], 'x'.repeat(200)];
const WORDS = [
  ...[
    'hard',
    'soft',
    'token',
    'turn',
    'sequence',
    'clip',
    'gate',
    'regression',
    'preference',
    'none',
    'k1',
    'abs',
  ],
  ...['k2', 'k3', 'turn_tree', 'chains', 'continuation_tree', 'branching', 'segment_tree', 'level_tree'],
  ...[
    'search_tree',
    'hybrid_chains',
    'entropy',
    'random',
    'arpo',
    'aepo',
    'dynamic_sampling',
    'reward_spread',
  ],
  ...[
    'token-mean',
    'seq-mean-token-sum',
    'node_value',
    'diff_parent',
    'tree_rl',
    'gae',
    'vanilla',
    'rloo',
    'pass_k',
  ],
  ...[
    'opo',
    'remax',
    'optimal_value',
    'reinforce_pp',
    'gtpo',
    'igpo',
    'a2tgpo',
    'istar',
    'rapo',
    'leaf_mean',
  ],
  ...['child_mean', 'child_entropy', 'boundary', 'corridor', 'search'],
];

const pick = <T>(random: KeyedRandom, list: readonly T[]): T => list[random.integer(list.length)];

/** Mostly of the setting's own type, and mostly not at all sensible. */
function anything(random: KeyedRandom, now: unknown): unknown {
  if (random.uniform() < 0.1) return pick(random, STRANGE);
  if (typeof now === 'boolean') return !now;
  if (typeof now === 'string') return pick(random, WORDS);
  if (typeof now !== 'number') return now;
  const draw = random.uniform();
  if (draw < 0.5) return pick(random, NUMBERS);
  return draw < 0.8 ? now * 10 ** (4 * random.uniform() - 2) : random.integer(12);
}

/** The n-th configuration of a walk. */
export function walked(seed: number, n: number): Walked {
  const random = keyedRandom({ seed, update: 0 }, STREAM, n);
  const preset = presets.get(pick(random, ['instant', 'corridor', 'boundary']))!; // presets of the catalogue
  const method = pick(random, Object.keys(algorithms) as AlgorithmName[]);
  let config = withAlgorithm(preset.config, algorithms[method].config);
  const paths = settingPaths(config);
  const changed = Array.from({ length: 1 + random.integer(4) }, () => pick(random, paths));
  for (const path of changed) config = withSetting(config, path, anything(random, valueAt(config, path)));
  return { config, changed };
}

/** One update of it, with few prompts, rows and questions: amounts only, so that a valid configuration stays valid. */
export function tiny(config: RunConfig): RunConfig {
  const { algorithm, evaluation } = config;
  const { rollout, filter } = algorithm;
  return {
    ...config,
    updates: 1,
    promptsPerUpdate: Math.min(2, config.promptsPerUpdate),
    promptsPerMinibatch: 1,
    evaluation: { ...evaluation, questions: Math.min(1, evaluation.questions) },
    algorithm: {
      ...algorithm,
      filter: { ...filter, generationBatches: Math.min(2, filter.generationBatches) },
      rollout: {
        ...rollout,
        leavesPerTree: Math.min(4, rollout.leavesPerTree),
        initialBranches: Math.min(3, rollout.initialBranches),
        iterations: Math.min(2, rollout.iterations),
        picks: Math.min(2, rollout.picks),
        width: Math.min(3, rollout.width),
      },
    },
  };
}
