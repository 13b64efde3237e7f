/**
 * The shared vocabulary: ids, trees, batches, configs and the three seams (environment, turn sampler,
 * trainer) that the stages meet at. Types and trivial constructors only; imports nothing.
 */

declare const nodeIdBrand: unique symbol;
declare const tokenIdBrand: unique symbol;

/** Index of a node in its tree, in creation order; the root is 0. */
export type NodeId = number & { readonly [nodeIdBrand]: true };
/** Index of a token in the environment's vocabulary. */
export type TokenId = number & { readonly [tokenIdBrand]: true };

export const nodeId = (index: number): NodeId => index as NodeId;
export const tokenId = (index: number): TokenId => index as TokenId;
export const ROOT = nodeId(0);

/** One value per node of a tree, indexed by NodeId. */
export type NodeTable<T> = readonly T[];

// ---------------------------------------------------------------- prompts and trees

export interface Prompt {
  readonly index: number; // place in the update's batch
  readonly dataset: string;
  readonly seed: number; // uint32, fixes the question and its world
  readonly tokens: readonly TokenId[];
  readonly answer: readonly TokenId[]; // the true answer
}

/** Why a path ended. */
export type LeafEnding =
  | 'answer' // the policy answered (rightly or wrongly), or sampled the end of text
  | 'malformed' // the turn breaks the grammar
  | 'call-limit' // one tool call too many
  | 'length' // no room left in the response
  | 'tool-failure' // the tool gave no result
  | 'empty-call'; // a tool call without a query

/** How a node came to be. */
export type NodeOrigin =
  | { readonly kind: 'root' }
  | { readonly kind: 'initial'; readonly branch: number } // one of the M first turns
  | { readonly kind: 'continuation' } // opened by the tool result of its parent's call
  | {
      readonly kind: 'expansion';
      readonly iteration: number;
      readonly pick: number;
      readonly resampled: NodeId;
    }
  /** One more way to go on after the parent; of ARPO, a copy of a path that had gone on there already. */
  | { readonly kind: 'branch'; readonly iteration: number; readonly pick: number }
  | { readonly kind: 'scout' } // AEPO: sampled only to decide M; always pruned
  | { readonly kind: 'duplicate'; readonly of: NodeId }; // copy of the last leaf, to fill the group

/** A turn in the tree: the tool result that opened it (mask 0) and the tokens the policy sampled (mask 1). */
export interface TurnNode {
  readonly id: NodeId;
  readonly parent: NodeId | null; // null at the root
  readonly children: readonly NodeId[]; // creation order
  readonly tree: number; // of the prompt's trees (Tree-GRPO): index of the one it stands in; else, and at the root, 0
  readonly depth: number; // tool results on the path, this node's own included
  readonly origin: NodeOrigin;
  readonly tokens: readonly TokenId[]; // this node's own tokens, in order
  readonly mask: readonly number[]; // 1 sampled by the policy, 0 inserted by the environment
  readonly logProb: readonly number[]; // nats, sampling policy; 0 where mask is 0
  readonly entropy: readonly number[]; // nats, whole next-token distribution; 0 where mask is 0
  /**
   * H of the released code: mean surprisal of the last generation's tokens, nats per token; the root's
   * is 0. Called entropy there; it is a one-sample estimate of it (algorithms' spec 2.2).
   */
  readonly turnEntropy: number;
  readonly lastGenerationLength: number; // tokens of the most recent generation call of this node
  readonly callCount: number; // tool calls on the path, this node's own included
  readonly ending: LeafEnding | null; // set on leaves
  readonly pruned: boolean; // taken out of the group; no longer among its parent's children
  /** RAPO: the last `lastGenerationLength` tokens were copied from a stored step, not sampled; their mask is 0. */
  readonly retrieved?: true;
}

/** What a search remembers of a node. */
export interface SearchStatistics {
  readonly visits: number; // N: paths backed up through the node
  readonly quality: number; // Q: mean of their rewards; 0 where there was none
}

export interface RolloutTree {
  readonly prompt: Prompt;
  readonly nodes: NodeTable<TurnNode>;
  readonly leaves: readonly NodeId[]; // rows of the training batch, breadth-first
  readonly expansions: readonly ExpansionRecord[];
  readonly search?: NodeTable<SearchStatistics>; // of a search tree
}

export interface ExpansionCandidate {
  readonly node: NodeId;
  readonly turnEntropy: number; // nats per token
  readonly siblingCount: number; // max(0, children of the reference node − 1)
  readonly penalty: number; // of a turn tree alpha · siblingCount; else 0, or what the shape's file says
  readonly score: number; // of a turn tree turnEntropy − penalty; else what the shape's file says
  readonly rank: number; // 0 is best; ties keep breadth-first order
  readonly pickCount: number; // times picked in this iteration
}

export interface ExpansionRecord {
  readonly iteration: number;
  readonly candidates: readonly ExpansionCandidate[]; // breadth-first order
  readonly picks: readonly NodeId[]; // in order; a node may stand twice
}

// ---------------------------------------------------------------- seams

/** What the environment makes of a turn. */
export type Transition<State> =
  | { readonly kind: 'observe'; readonly tokens: readonly TokenId[]; readonly state: State }
  | { readonly kind: 'notice'; readonly tokens: readonly TokenId[]; readonly state: State } // the same node goes on
  | {
      readonly kind: 'end';
      readonly ending: LeafEnding;
      readonly appended: readonly TokenId[]; // trained on (mask 1) though not sampled
    };

/** A path through the environment, as rewards see it. */
export interface Trajectory {
  readonly turns: readonly (readonly TokenId[])[]; // sampled tokens, turn by turn
  readonly observations: readonly (readonly TokenId[])[];
  readonly ending: LeafEnding;
}

/** What a path achieved, before any rule of reward makes a number of it. */
export interface Grade {
  readonly exactMatch: 0 | 1; // the answer is the true one, whatever the form of the turn around it
  readonly f1: number; // [0, 1]: partial credit; the environment says for what
  readonly formatValid: boolean; // every turn follows the grammar and the path ends as it should
  readonly answer: readonly TokenId[] | null; // as far as one can be read, even from a malformed turn
  readonly unknown: boolean; // that answer is "I do not know"
  readonly toolsUsed: number; // different tools that were called
}

/** The true answer as the policy would write it, to measure how likely the policy holds it. */
export interface AnswerProbe {
  readonly bridge: readonly TokenId[]; // closes the thought and opens the answer
  readonly answer: readonly TokenId[]; // at least one
}

/** A task: one file in src/env. State is opaque to everyone else and never mutated. */
export interface Environment<State = unknown> {
  readonly name: string;
  readonly title: string;
  readonly description: string; // one or two sentences for the page
  readonly vocabulary: readonly string[]; // token texts; id = index
  readonly padToken: TokenId;
  readonly stopTokens: readonly TokenId[]; // a turn ends after one of these
  readonly contextLength: number; // tokens, prompt and response together
  readonly turnTokenLimit: number; // most tokens sampled in one turn
  readonly callLimit: number;
  readonly datasets: readonly string[];
  /** The question of a seed; the same seed gives the same question and world. */
  prompt(dataset: string, seed: number, index: number): Prompt;
  start(prompt: Prompt): State;
  step(
    prompt: Prompt,
    state: State,
    turn: readonly TokenId[],
  ): Transition<State> | Promise<Transition<State>>;
  readonly formatTokens: readonly TokenId[]; // words of the grammar that the policy writes
  /** Dimensionless; from the whole path. */
  reward(prompt: Prompt, trajectory: Trajectory): number;
  grade(prompt: Prompt, trajectory: Trajectory): Grade;
  /** Whether a tool call came to nothing: what was called, and what it showed. */
  callFailed(turn: readonly TokenId[], observation: readonly TokenId[]): boolean;
  answerProbe(prompt: Prompt): AnswerProbe;
  /** A scripted solution that earns the top reward, turn by turn. */
  solve(prompt: Prompt): readonly (readonly TokenId[])[];
}

/** Words that key one turn's random numbers; see algo/random.ts. */
export interface TurnKey {
  readonly prompt: number;
  readonly node: number; // NodeId of the turn being sampled
  readonly firstToken: number; // tokens already sampled in this node
}

export interface GenerateRequest {
  readonly context: readonly TokenId[]; // prompt and response so far
  readonly key: TurnKey;
  readonly maxTokens: number;
}

export interface Generation {
  readonly tokens: readonly TokenId[];
  readonly logProb: readonly number[]; // nats
  readonly entropy: readonly number[]; // nats
  readonly finish: 'stop' | 'length'; // ended at a stop token, or at maxTokens
}

/** What growing a tree needs of a policy. Requests of one call are sampled together. */
export interface TurnSampler {
  generate(requests: readonly GenerateRequest[]): Promise<readonly Generation[]>;
}

/** How turns are sampled. */
export interface SamplingConfig {
  readonly temperature: number; // 0 = greedy
  readonly stopTokens: readonly TokenId[];
}

/** Key of a run's random numbers. Every use folds in its own counter words. */
export interface RandomKey {
  readonly seed: number; // uint32
  readonly update: number; // 0 = before the first update (evaluation)
}

// ---------------------------------------------------------------- credit

export const VALUE_RULES = ['child_softmax', 'child_mean', 'leaf_mean', 'child_entropy'] as const;
export type ValueRule = (typeof VALUE_RULES)[number];

/** How a token's advantage follows from rewards, values and signals; each is described in algo. */
export const ADVANTAGE_RULES = [
  // of a node, from the values around it
  'node_value',
  'diff_parent',
  'diff_global',
  'diff_localglobal',
  'tree_rl', // TreeRL, TreePS-RAG
  'treepo_segment',
  // of a row, from its group
  'vanilla', // GRPO
  'dr_grpo',
  'rloo',
  'opo',
  'pass_k',
  'remax',
  'optimal_value', // A*-PO
  'reinforce_pp',
  'reinforce_pp_baseline',
  // of a row or a node, from the tree's leaves
  'tree_grpo',
  'tree_grpo_two_norms',
  'tree_grpo_intra',
  'tree_grpo_per_token',
  'tree_diff',
  'arpo_hard',
  'treepo',
  // of a turn in a row, from what follows it
  'gae',
  'gtpo',
  'gtpo_by_turn',
  'igpo',
  'igpo_position',
  'a2tgpo',
  'istar',
  'rapo',
] as const;
export type AdvantageRule = (typeof ADVANTAGE_RULES)[number];

export interface CreditConfig {
  readonly leafNormalisation: boolean;
  readonly valueRule: ValueRule;
  readonly advantageRule: AdvantageRule;
  readonly discount: number; // γ of the rules that look ahead
  readonly lambda: number; // λ of GAE
  readonly mixing: number; // weight of the turn's own signal beside the outcome (α of A²TGPO, w of iStar, a of RAPO)
}

/** What the rules read of a tree beside its rewards; null where the run does not measure it. */
export interface TreeSignals {
  /** ln p of the true answer after the node, mean per answer token, nats; null at leaves. algo/signals.ts says when. */
  readonly belief: NodeTable<number | null> | null;
  readonly baseline: number | null; // reward of the greedy path (ReMax), or V* (A*-PO)
  readonly stepReward: NodeTable<number> | null; // of a turn by itself: penalties (GTPO), implicit rewards (iStar)
}

export const NO_SIGNALS: TreeSignals = { belief: null, baseline: null, stepReward: null };

/** How a leaf's grade becomes its reward; each is described in algo/reward_rules. */
export const REWARD_RULES = ['environment', 'f1', 'exact_match', 'format_credit', 'boundary'] as const;
export type RewardRule = (typeof REWARD_RULES)[number];

export interface RewardConfig {
  readonly rule: RewardRule;
  readonly overlongBuffer: number; // tokens before the response limit over which the penalty grows; 0 = off (DAPO)
  readonly overlongPenalty: number; // taken off at the limit
  readonly turnPenalty: number; // of a turn with a malformed or failing call (GTPO, StarPO); 0 = off
}

export const FILTER_RULES = ['none', 'dynamic_sampling', 'reward_spread'] as const;
export type FilterRule = (typeof FILTER_RULES)[number];

/** Which prompt groups are trained on. */
export interface FilterConfig {
  readonly rule: FilterRule;
  readonly generationBatches: number; // most rollout batches of one update (DAPO)
  readonly keptShare: number; // of the groups, those of the widest rewards (StarPO-S)
}

// ---------------------------------------------------------------- batch

/** Tokens of row `[start, end)` that belong to one node. Positions count from the row's first token. */
export interface NodeSpan {
  readonly node: NodeId;
  readonly start: number;
  readonly end: number;
}

export interface BatchRow {
  readonly prompt: number; // Prompt.index
  readonly leaf: NodeId;
  readonly length: number; // tokens of the path, prompt included
  readonly tokenStart: number; // range of TokenBatch.tokens that holds the path; rows of one tree may share it
  readonly tokenEnd: number;
  readonly scoredStart: number; // into the scored arrays
  readonly scoredEnd: number;
  readonly spans: readonly NodeSpan[];
}

/**
 * Rows packed without padding. N tokens, U predicted tokens, S scored tokens of rows, K turns, B rows.
 *
 * The model computes each of the N tokens once; U of them are trained on. The loss sees rows: a scored token is a
 * predicted token in one row, so where rows share a prefix several scored tokens name one predicted token.
 * For plain rows U = S and `scored` counts up from 0.
 *
 * Reading rule: query n reads key j exactly when j ≤ n < visibleEnd[j] and j ≥ visibleStart[n].
 * For plain rows visibleEnd is the end of the row. In a tree packed in pre-order it is the end of the
 * subtree below the token, so that one rule serves both.
 */
export interface TokenBatch {
  readonly rows: readonly BatchRow[]; // B
  readonly tokens: Uint32Array<ArrayBuffer>; // [N] token ids
  readonly positions: Uint32Array<ArrayBuffer>; // [N] place in the path, from 0
  readonly previous: Int32Array<ArrayBuffer>; // [N] index of the token before on the path, −1 at its start
  readonly visibleStart: Uint32Array<ArrayBuffer>; // [N] first token of the row, or of the tree
  readonly visibleEnd: Uint32Array<ArrayBuffer>; // [N] exclusive
  readonly predicted: Uint32Array<ArrayBuffer>; // [U] indices into tokens, ascending; responseMask = 1 there
  readonly scored: Uint32Array<ArrayBuffer>; // [S] indices into predicted, row by row; ascending in a row
  readonly turnStart: Uint32Array<ArrayBuffer>; // [K+1] offsets into scored; a turn is a maximal mask run
  readonly turnRow: Uint32Array<ArrayBuffer>; // [K] row of the turn
  readonly turnIndex: Uint32Array<ArrayBuffer>; // [S] turn of each scored token
  readonly weight: Float32Array<ArrayBuffer>; // [S] 1 / (B · n_i), B and n_i of the whole mini-batch
  readonly advantage: Float32Array<ArrayBuffer>; // [S] dimensionless
}

// ---------------------------------------------------------------- loss and optimiser

export const RATIO_LEVELS = ['token', 'turn', 'sequence'] as const;
/** Over which tokens the log-ratio is averaged. */
export type RatioLevel = (typeof RATIO_LEVELS)[number];

export const SURROGATES = ['clip', 'gate', 'regression', 'preference', 'none'] as const;
/** What a token makes of ratio and advantage: PPO's clip, SAPO's gate, A*-PO's regression, DPO; none trains nothing. */
export type Surrogate = (typeof SURROGATES)[number];

/** At a hard bound the gradient is 0; at a soft one it is that of the bound itself. */
export const CLIP_EDGES = ['hard', 'soft'] as const;
export type ClipEdge = (typeof CLIP_EDGES)[number];

export const KL_KINDS = ['k1', 'abs', 'k2', 'k3'] as const;
export type KlKind = (typeof KL_KINDS)[number];

export const LOSS_REDUCTIONS = [
  'token-mean',
  'seq-mean-token-mean',
  'seq-mean-token-sum',
  'seq-mean-token-sum-norm',
] as const;
/** Weight of a token in the loss, named as in verl. */
export type LossReduction = (typeof LOSS_REDUCTIONS)[number];

export interface LossConfig {
  readonly ratioLevel: RatioLevel;
  readonly surrogate: Surrogate;
  readonly clipLow: number; // ε_low
  readonly clipHigh: number; // ε_high
  readonly lowerEdge: ClipEdge; // for A < 0
  readonly upperEdge: ClipEdge; // for A > 0
  readonly dualClip: number; // c: most loss of a token with A < 0, in units of −A; 0 = off
  readonly logRatioCap: number; // nats; 10 in the released code
  readonly gatePositive: number; // τ of SAPO's gate for A > 0
  readonly gateNegative: number; // and otherwise
  readonly beta: number; // β of 'regression' and 'preference'
  readonly entropyAdvantage: number; // AEPO: advantages scaled by 1 + this · z-score of entropy; 0 = off
  readonly clipAdaptation: number; // A²TGPO: band scaled by 1 + this · (2σ(z) − 1) of a turn's gain; 0 = off
  readonly retrievalRatio: number; // RAPO: ratios scaled by 1 + this · share of retrieved tokens; 0 = off
  readonly formatMask: boolean; // tokens of the grammar are not pushed down (DialTree)
  readonly reduction: LossReduction;
  readonly entropyCoefficient: number; // c_ent, 0 = off
  readonly klCoefficient: number; // c_kl against the reference policy, 0 = off
  readonly klKind: KlKind;
}

export interface OptimiserConfig {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number; // decoupled, on all parameters
  readonly gradientClip: number; // global norm
}

/**
 * Clip state of a token: 0 inside or unclipped branch, 1 clipped above, 2 clipped below, 3 log-ratio cap, 4 dual clip
 * (no gradient in 1 to 4), 5 at the soft upper edge, 6 at the soft lower edge (the gradient of the bound).
 */
export type ClipState = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** What the trainer computed for one mini-batch; arrays follow TokenBatch's scored tokens and turns. */
export interface LossResult {
  readonly logProb: Float32Array<ArrayBuffer>; // [S] nats, current policy
  readonly entropy: Float32Array<ArrayBuffer>; // [S] nats
  readonly turnLogRatio: Float32Array<ArrayBuffer>; // [K] nats, mean over the turn
  readonly tokenLoss: Float32Array<ArrayBuffer>; // [S] before weighting
  readonly dlogProb: Float32Array<ArrayBuffer>; // [S] ∂loss/∂logProb, weighted, all terms
  readonly loss: number; // Σ weight · tokenLoss
}

export interface StepResult {
  readonly gradientNorm: number; // before clipping
  readonly gradientNorms: Readonly<Record<string, number>>; // per parameter, before clipping
  readonly skipped: boolean; // the norm was not finite: parameters unchanged
}

/** A policy that can also be trained. The engine's is src/model/policy.ts; tests script their own. */
export interface TrainablePolicy extends TurnSampler {
  /** Starts sampling under a key; forgets cached prefixes (the parameters may have changed). */
  beginRollout(key: RandomKey, sampling: SamplingConfig): void;
  /** Log-probabilities and entropies of the scored tokens, no gradient. */
  score(batch: TokenBatch, temperature: number): Promise<TokenScores>;
  /** Loss → gradients → clip → AdamW on one mini-batch. A non-finite gradient norm skips the step. */
  update(batch: TokenBatch, inputs: UpdateInputs): Promise<UpdateResult>;
  /** Norms of the gradients that several losses give now, and the cosines between them; nothing is trained. */
  gradientCosines(losses: readonly GradientSource[]): Promise<GradientComparison>;
  /** All parameters as a safetensors file. */
  save(): Promise<ArrayBuffer>;
  dispose(): void;
}

/** A loss to be differentiated: what `update` would be given; its optimiser is not read. */
export interface GradientSource {
  readonly batch: TokenBatch;
  readonly inputs: UpdateInputs;
}

export interface GradientComparison {
  readonly norms: readonly number[]; // of each gradient, before clipping
  readonly cosines: readonly (readonly number[])[]; // symmetric; 0 beside a gradient of norm 0
}

export interface TokenScores {
  readonly logProb: Float32Array<ArrayBuffer>; // [S] nats
  readonly entropy: Float32Array<ArrayBuffer>; // [S] nats
}

/** What only some losses read; null where the loss does not ask for it. */
export interface LossExtras {
  readonly clipScale: Float32Array<ArrayBuffer> | null; // [S] factor of the clip band (A²TGPO)
  readonly ratioFactor: Float32Array<ArrayBuffer> | null; // [B] factor of a row's ratios (RAPO)
  readonly rowTarget: Float32Array<ArrayBuffer> | null; // [B] what 'regression' fits: r − V*
  /** [B] of 'preference': the row it is compared with, p where this row is the better one, −1 − p where the worse. */
  readonly partner: Int32Array<ArrayBuffer> | null;
}

export const NO_EXTRAS: LossExtras = { clipScale: null, ratioFactor: null, rowTarget: null, partner: null };

export interface UpdateInputs {
  readonly oldLogProb: Float32Array<ArrayBuffer>; // [S] nats
  readonly refLogProb: Float32Array<ArrayBuffer> | null; // [S] nats; needed when klCoefficient ≠ 0, and by 'regression', 'preference'
  readonly extras?: LossExtras; // absent: none
  readonly temperature: number;
  readonly loss: LossConfig;
  readonly optimiser: OptimiserConfig;
}

export interface UpdateResult {
  readonly loss: LossResult;
  readonly step: StepResult;
}

// ---------------------------------------------------------------- configs

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
}

// ---------------------------------------------------------------- errors

/** The five things an error says. Every error class of the project carries one. */
export interface ErrorReport {
  readonly what: string;
  readonly where: string;
  readonly got: string;
  readonly wanted: string;
  readonly next: string; // what the person can do now
}

/** Base of the project's errors: the message is the report in one sentence. */
export class LabError extends Error {
  readonly report: ErrorReport;
  constructor(name: string, report: ErrorReport, cause?: unknown) {
    super(
      `${report.what} (${report.where}): got ${report.got}, wanted ${report.wanted}. ${report.next}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = name;
    this.report = report;
  }
}
