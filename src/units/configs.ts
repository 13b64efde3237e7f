/** Configurations of a model, an algorithm and a run. */
import type { LossConfig, OptimiserConfig } from './batch.ts';
import type { CreditConfig, FilterConfig, RewardConfig } from './credit.ts';
import type { EditedKernel } from './edited_kernel.ts';

/** A Qwen3-style decoder. All sizes in elements. */
export interface ModelConfig {
  readonly vocabularySize: number;
  readonly channels: number; // multiple of 4
  readonly layers: number;
  readonly heads: number; // query heads
  readonly kvHeads: number; // divides heads
  readonly headSize: number; // multiple of 4
  readonly hidden: number; // SwiGLU width, multiple of 4
  readonly rmsEpsilon: number;
  readonly ropeTheta: number;
  readonly queryKeyNorm: boolean;
  readonly tiedOutput: boolean;
  readonly previousTokenMixing: boolean; // x_t = E[tok_t] + P·E[tok_{t−1}]; not in Qwen3
  readonly logitScale: number; // 1 in Qwen3
}

/** How a prompt's group of paths comes to be; each is described in algo/rollouts. */
export const ROLLOUT_SHAPES = [
  'turn_tree', // AT²PO
  'chains',
  'continuation_tree', // Tree-GRPO
  'branching', // ARPO, AEPO
  'segment_tree', // TreePO
  'level_tree', // TreePS-RAG, DialTree
  'search_tree', // MCTS
  'hybrid_chains', // RAPO
] as const;
export type RolloutShape = (typeof ROLLOUT_SHAPES)[number];

/** Settings of all shapes; a shape reads those that its description names. */
export interface RolloutConfig {
  readonly shape: RolloutShape;
  readonly leavesPerTree: number; // S: rows per prompt; of a turn tree M + L·K unless pruned or duplicated
  readonly initialBranches: number; // M: first turns; trees of Tree-GRPO; chains that ARPO starts with
  readonly iterations: number; // L: rounds of expansion; simulations of MCTS
  readonly picks: number; // K: turns expanded in a round, per tree
  readonly expansion: 'entropy' | 'random';
  readonly siblingPenalty: number; // α
  readonly branchRule: 'arpo' | 'aepo';
  readonly beam: number; // a turn branches into at most this many
  readonly branchBase: number; // q: base probability of branching
  readonly branchWeight: number; // w: weight of the entropy change
  readonly dynamicInitial: boolean; // AEPO: M from the entropies of a first path
  readonly segmentTokens: number; // of a segment tree: tokens per node
  readonly width: number; // children per node of segment and level trees
  readonly levels: number; // depth at which segment and level trees stop branching
  readonly similarity: number; // level tree: prunes siblings whose observations overlap more (Jaccard); 1 = off
  readonly explorationWeight: number; // MCTS: w of the prior term
  readonly hybridRows: number; // RAPO: rows that retrieve stored steps
  readonly retrieveProbability: number; // at each of their turns after the first
}

export interface AlgorithmConfig {
  readonly name: string; // the catalogue entry it started from
  readonly rollout: RolloutConfig;
  readonly reward: RewardConfig;
  readonly filter: FilterConfig;
  readonly credit: CreditConfig;
  readonly loss: LossConfig;
}

export interface RunConfig {
  readonly preset: string;
  readonly seed: number; // uint32
  readonly updates: number;
  readonly environment: string;
  readonly datasets: readonly string[];
  readonly model: ModelConfig;
  readonly weights: string | null; // file in public/, or null: random initial parameters
  readonly algorithm: AlgorithmConfig;
  readonly promptsPerUpdate: number;
  readonly promptsPerMinibatch: number;
  readonly temperature: number;
  readonly optimiser: OptimiserConfig;
  readonly evaluation: {
    readonly every: number; // updates; 0 = only before and after
    readonly questions: number; // per data set
    readonly datasets: readonly string[];
  };
  readonly editedKernel?: EditedKernel; // absent: every kernel is the lab's own
}

/** Stands in RunConfig.weights for a file that came from outside public/. */
export const LOADED_BY_HAND = '(loaded by hand)';
