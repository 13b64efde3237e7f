import type { AlgorithmConfig, ModelConfig, OptimiserConfig, RunConfig } from '../../units.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import { scaleAlgorithm, type LabScale } from '../../algo/catalogue/defaults.ts';
import { sayClaim } from './claims.ts';
import type { CatalogueEntry } from '../../protocol/descriptions.ts';

export interface Preset extends CatalogueEntry {
  readonly config: RunConfig;
  readonly scale: LabScale; // of every algorithm under this preset
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

/** Files of weights in public/ by name, with the model that each was made for. */
export const WARM_STARTS: ReadonlyMap<string, ModelConfig> = new Map([
  ['warmstart-search-d64L2.safetensors', SEARCH_MODEL],
  ['warmstart-search-admits-d64L2.safetensors', SEARCH_MODEL],
]);

/** Adam as in the learnability runs: no decay, a shorter second moment than the paper's 0.999. */
const OPTIMISER: OptimiserConfig = {
  learningRate: 5e-4,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0,
  gradientClip: 1,
};

/** Half the paper's rows per prompt; a band for a learning rate of 5e-4. */
const SMALL: LabScale = { rows: 0.5, turnBand: [0.02, 0.03] };
const CLASSROOM: LabScale = { rows: 0.5, turnBand: [3e-3, 4e-3] };
const PAPER: LabScale = { rows: 1, turnBand: [3e-3, 4e-3] };
const CORRIDOR: LabScale = { rows: 0.5, turnBand: [0.2, 0.3] };

const at2po = (scale: LabScale): AlgorithmConfig => scaleAlgorithm(algorithms.at2po.config, scale);

/** A configuration with another algorithm, at the size of its preset (the paper's size where it names none). */
export const withAlgorithm = (config: RunConfig, algorithm: AlgorithmConfig): RunConfig => ({
  ...config,
  algorithm: scaleAlgorithm(algorithm, presets.get(config.preset)?.scale ?? PAPER),
});

const instant: RunConfig = {
  preset: 'instant',
  seed: 1,
  updates: 40,
  environment: 'search',
  datasets: ['hotpot'],
  model: SEARCH_MODEL,
  weights: 'warmstart-search-d64L2.safetensors',
  algorithm: at2po(SMALL),
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
  algorithm: at2po(CLASSROOM),
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
  algorithm: at2po(PAPER),
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
  algorithm: at2po(CORRIDOR),
  optimiser: { ...OPTIMISER, learningRate: 2e-3 },
  evaluation: { every: 10, questions: 64, datasets: ['corridor'] },
};

/** Validated often, since BAPO's phase follows the validations. */
const boundary: RunConfig = {
  ...instant,
  preset: 'boundary',
  datasets: ['hotpot', 'unanswerable'],
  weights: 'warmstart-search-admits-d64L2.safetensors',
  algorithm: scaleAlgorithm(algorithms.bapo.config, SMALL),
  evaluation: { every: 4, questions: 32, datasets: ['hotpot', 'unanswerable'] },
};

const PRESETS: readonly Preset[] = [
  {
    name: 'instant',
    title: 'Instant',
    description: 'Two-hop questions from the shipped warm start; learns without a graphics card too.',
    config: instant,
    scale: SMALL,
  },
  {
    name: 'classroom',
    title: 'Three kinds of questions', // its name stands in addresses and records
    description:
      'Two- to four-hop questions and year comparisons with the paper’s clip band; the rise is slow, for class take Corridor.',
    config: classroom,
    scale: CLASSROOM,
  },
  {
    name: 'research',
    title: 'Research',
    description:
      'The paper’s tree (10 first turns, 22 leaves) and 64 prompts with a 0.88 M parameter policy. Random initial parameters: load a warm start (npm run pretrain) first. Wants a graphics card.',
    config: research,
    scale: PAPER,
  },
  {
    name: 'corridor',
    title: 'Corridor, for class',
    description:
      'Another environment, key and door, learnt from random parameters without a warm start: the rise is seen within a class’s patience, and seeds differ in how far it goes.',
    config: corridor,
    scale: CORRIDOR,
  },
  {
    name: 'boundary',
    title: 'Boundary',
    description:
      'Half of the questions ask for a fact that the world lacks: the right thing to say is “none”. From a warm start that sometimes does. BAPO pays for it where nobody knew; other methods pay by the answer key.',
    config: boundary,
    scale: SMALL,
  },
];

/** All presets by name, in the order of the picker. */
export const presets: ReadonlyMap<string, Preset> = new Map(
  PRESETS.map((preset) => {
    const description = `${preset.description} ${sayClaim(preset.name)}`.trim();
    return [preset.name, { ...preset, description }];
  }),
);
