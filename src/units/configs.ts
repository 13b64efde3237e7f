/** Configurations of a model, an algorithm and a run. */
import type { LossConfig } from './loss.ts';
import type { OptimiserConfig } from './batch.ts';
import type { CreditConfig, FilterConfig, RewardConfig } from './credit.ts';

/** What wrote a file; as package.json has it. */
export const PROGRAM = 'Turnwise 0.1.0';

// A kernel whose text a person changed for a run, and how such a run is named wherever it appears.

/** Kernels that a run may bring a text of its own for. */
export const EDITABLE_KERNELS = ['policy_loss'] as const;
export type EditableKernel = (typeof EDITABLE_KERNELS)[number];

/** What finite differences of its loss said of its gradient. */
export const GRADIENT_VERDICTS = ['agrees', 'differs', 'unchecked'] as const;
export type GradientVerdict = (typeof GRADIENT_VERDICTS)[number];

const VERDICT_WORDS: Readonly<Record<GradientVerdict, string>> = {
  agrees: 'gradient checked',
  differs: 'gradient check failed',
  unchecked: 'gradient not checked',
};

/** Tokens of a gradient check by what was found; those left out count for nothing. */
interface CheckCounts {
  readonly counts: Readonly<Record<'agrees' | 'differs' | 'not-finite', number>>;
}

/** @param checks null where none was made; one that judged no token says nothing either */
export function gradientVerdict(checks: readonly CheckCounts[] | null): GradientVerdict {
  const found = checks ?? [];
  if (found.some(({ counts }) => counts.differs + counts['not-finite'] > 0)) return 'differs';
  return found.some(({ counts }) => counts.agrees > 0) ? 'agrees' : 'unchecked';
}

/** Stands in for the lab's own text; bindings, params and entry point are those of the kernel. */
export interface EditedKernel {
  readonly name: EditableKernel;
  readonly source: string; // WGSL
  readonly gradientCheck: GradientVerdict; // before the run
}

/** Six hex digits of a text (FNV-1a over its UTF-16 units): tells two edits apart, guards against nothing. */
export function textMark(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 8).toString(16).padStart(6, '0');
}

/** A configuration with an edited kernel, or without one. */
export function withKernel<Config extends { readonly editedKernel?: EditedKernel }>(
  config: Config,
  editedKernel: EditedKernel | null,
): Config {
  const own: Omit<Config, 'editedKernel'> & { editedKernel?: EditedKernel } = { ...config };
  if (editedKernel) own.editedKernel = editedKernel;
  else delete own.editedKernel;
  return own as Config; // all of its other fields, and this one as it may be
}

/** How a run with an edited kernel is labelled, e.g. `edited policy_loss #03fa9c (gradient check failed)`. */
export const editLabel = ({ name, source, gradientCheck }: EditedKernel): string =>
  `edited ${name} #${textMark(source)} (${VERDICT_WORDS[gradientCheck]})`;

/** That label behind a comma, to end a title with; nothing for a run on the lab's own kernels. */
export const editSuffix = ({ editedKernel }: { readonly editedKernel?: EditedKernel }): string =>
  editedKernel ? `, ${editLabel(editedKernel)}` : '';

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
