import type { AlgorithmConfig, ModelConfig, OptimiserConfig, RunConfig } from '../units.ts';
import { algorithms } from '../algo/index.ts';
import type { CatalogueEntry } from './protocol.ts';

export interface Preset extends CatalogueEntry {
  readonly config: RunConfig;
}

/** 94,592 parameters over the search world's 128 tokens; the shipped warm start has this shape. */
export const SEARCH_MODEL: ModelConfig = {
  vocabularySize: 128,
  channels: 64,
  layers: 2,
  heads: 4,
  kvHeads: 4,
  headSize: 16,
  hidden: 128,
  rmsEpsilon: 1e-6,
  ropeTheta: 10_000,
  queryKeyNorm: true,
  tiedOutput: true,
  previousTokenMixing: true, // without it the policy learns to copy the first result (algorithm note: spike)
  logitScale: 0.25,
};

/** 0.88 M parameters. */
export const RESEARCH_MODEL: ModelConfig = {
  ...SEARCH_MODEL,
  channels: 128,
  layers: 4,
  heads: 8,
  kvHeads: 8,
  hidden: 384,
};

const CORRIDOR_MODEL: ModelConfig = {
  ...SEARCH_MODEL,
  vocabularySize: 16,
  channels: 32,
  layers: 1,
  heads: 2,
  kvHeads: 2,
  hidden: 64,
};

/** Adam as in the learnability runs: no decay, a shorter second moment than the paper's 0.999. */
const OPTIMISER: OptimiserConfig = {
  learningRate: 5e-4,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0,
  gradientClip: 1,
};

/** AT²PO with another tree (M, L, K) and clip band (below, above). */
function at2po(tree: readonly [number, number, number], clip: readonly [number, number]): AlgorithmConfig {
  const { name, rollout, credit, loss } = algorithms.at2po.config;
  const [initialBranches, iterations, picks] = tree;
  const leavesPerTree = initialBranches + iterations * picks;
  return {
    name,
    rollout: { ...rollout, initialBranches, iterations, picks, leavesPerTree },
    credit,
    loss: { ...loss, clipLow: clip[0], clipHigh: clip[1] },
  };
}

/**
 * A configuration with another algorithm: its rules of expansion and credit, the configuration's own tree and clip
 * band, since those go with the model and the learning rate.
 */
export function withAlgorithm(config: RunConfig, { name, rollout, credit }: AlgorithmConfig): RunConfig {
  const own = config.algorithm;
  const { expansion } = rollout;
  return { ...config, algorithm: { name, rollout: { ...own.rollout, expansion }, credit, loss: own.loss } };
}

const instant: RunConfig = {
  preset: 'instant',
  seed: 1,
  updates: 40,
  environment: 'search',
  datasets: ['hotpot'],
  model: SEARCH_MODEL,
  weights: 'warmstart-search-d64L2.safetensors',
  algorithm: at2po([5, 2, 3], [0.02, 0.03]),
  promptsPerUpdate: 16, // 8 left the gain to chance: README, decisions
  promptsPerMinibatch: 4,
  temperature: 1,
  optimiser: OPTIMISER,
  evaluation: { every: 10, questions: 64, datasets: ['hotpot'] },
};

const classroom: RunConfig = {
  ...instant,
  preset: 'classroom',
  updates: 80,
  datasets: ['hotpot', '2wiki', 'musique'],
  algorithm: at2po([5, 2, 3], [3e-3, 4e-3]),
  promptsPerUpdate: 16,
  evaluation: { every: 20, questions: 64, datasets: ['hotpot', '2wiki', 'musique'] },
};

const research: RunConfig = {
  ...classroom,
  preset: 'research',
  updates: 200,
  datasets: ['hotpot', '2wiki', 'musique', 'bamboogle', 'nq', 'trivia', 'popqa'],
  model: RESEARCH_MODEL,
  weights: null,
  algorithm: at2po([10, 2, 6], [3e-3, 4e-3]),
  promptsPerUpdate: 64,
  promptsPerMinibatch: 8,
  optimiser: { ...OPTIMISER, learningRate: 3e-4 },
  evaluation: { every: 20, questions: 100, datasets: ['hotpot', '2wiki', 'musique', 'bamboogle'] },
};

const corridor: RunConfig = {
  ...instant,
  preset: 'corridor',
  updates: 60,
  environment: 'corridor',
  datasets: ['corridor'],
  model: CORRIDOR_MODEL,
  weights: null,
  algorithm: at2po([5, 2, 3], [0.2, 0.3]),
  optimiser: { ...OPTIMISER, learningRate: 2e-3 },
  evaluation: { every: 10, questions: 64, datasets: ['corridor'] },
};

const PRESETS: readonly Preset[] = [
  {
    name: 'instant',
    title: 'Instant',
    description:
      'Two-hop questions from the shipped warm start; learns in minutes, without a graphics card too.',
    config: instant,
  },
  {
    name: 'classroom',
    title: 'Classroom',
    description: 'Two- to four-hop questions and year comparisons with the paper’s clip band; a few minutes.',
    config: classroom,
  },
  {
    name: 'research',
    title: 'Research',
    description:
      'The paper’s tree (10 first turns, 22 leaves) and 64 prompts with a 0.88 M parameter policy. Random initial parameters: load a warm start (npm run pretrain) first. Wants a graphics card.',
    config: research,
  },
  {
    name: 'corridor',
    title: 'Corridor',
    description:
      'Another environment, key and door, learnt from random parameters without a warm start: no door opened at first, about two in three after half a minute; an unlucky seed stays at one in three.',
    config: corridor,
  },
];

/** All presets by name, in the order of the picker. */
export const presets: ReadonlyMap<string, Preset> = new Map(PRESETS.map((preset) => [preset.name, preset]));
