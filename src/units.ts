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
  | { readonly kind: 'duplicate'; readonly of: NodeId }; // copy of the last leaf, to fill the group

/** A turn in the tree: the tool result that opened it (mask 0) and the tokens the policy sampled (mask 1). */
export interface TurnNode {
  readonly id: NodeId;
  readonly parent: NodeId | null; // null at the root
  readonly children: readonly NodeId[]; // creation order
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
}

export interface RolloutTree {
  readonly prompt: Prompt;
  readonly nodes: NodeTable<TurnNode>;
  readonly leaves: readonly NodeId[]; // rows of the training batch, breadth-first
  readonly expansions: readonly ExpansionRecord[];
}

export interface ExpansionCandidate {
  readonly node: NodeId;
  readonly turnEntropy: number; // nats per token
  readonly siblingCount: number; // max(0, children of the reference node − 1)
  readonly penalty: number; // alpha · siblingCount
  readonly score: number; // turnEntropy − penalty
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
  /** Dimensionless; from the whole path. */
  reward(prompt: Prompt, trajectory: Trajectory): number;
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

export type ValueRule = 'child_softmax' | 'child_mean' | 'leaf_mean' | 'child_entropy';
export type AdvantageRule = 'node_value' | 'diff_parent' | 'diff_global' | 'diff_localglobal' | 'vanilla';

export interface CreditConfig {
  readonly leafNormalisation: boolean;
  readonly valueRule: ValueRule;
  readonly advantageRule: AdvantageRule;
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
  readonly tokenStart: number; // into TokenBatch.tokens
  readonly tokenEnd: number;
  readonly scoredStart: number; // into the scored arrays
  readonly scoredEnd: number;
  readonly spans: readonly NodeSpan[];
}

/**
 * Rows packed back to back without padding. N tokens, S scored (trained-on) tokens, K turns, B rows.
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
  readonly visibleStart: Uint32Array<ArrayBuffer>; // [N] first token of the row
  readonly visibleEnd: Uint32Array<ArrayBuffer>; // [N] exclusive
  readonly scored: Uint32Array<ArrayBuffer>; // [S] indices into tokens, ascending; responseMask = 1 there
  readonly turnStart: Uint32Array<ArrayBuffer>; // [K+1] offsets into scored; a turn is a maximal mask run
  readonly turnRow: Uint32Array<ArrayBuffer>; // [K] row of the turn
  readonly turnIndex: Uint32Array<ArrayBuffer>; // [S] turn of each scored token
  readonly weight: Float32Array<ArrayBuffer>; // [S] 1 / (B · n_i), B and n_i of the whole mini-batch
  readonly advantage: Float32Array<ArrayBuffer>; // [S] dimensionless
}

// ---------------------------------------------------------------- loss and optimiser

export interface LossConfig {
  readonly clipLow: number; // ε_low
  readonly clipHigh: number; // ε_high
  readonly logRatioCap: number; // nats; 10 in the released code
  readonly entropyCoefficient: number; // c_ent, 0 = off
  readonly klCoefficient: number; // c_kl on k3 against the reference policy, 0 = off
}

export interface OptimiserConfig {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number; // decoupled, on all parameters
  readonly gradientClip: number; // global norm
}

/** Clip state of a token: 0 inside or unclipped branch, 1 clipped above, 2 clipped below, 3 log-ratio cap. */
export type ClipState = 0 | 1 | 2 | 3;

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
  /** All parameters as a safetensors file. */
  save(): Promise<ArrayBuffer>;
  dispose(): void;
}

export interface TokenScores {
  readonly logProb: Float32Array<ArrayBuffer>; // [S] nats
  readonly entropy: Float32Array<ArrayBuffer>; // [S] nats
}

export interface UpdateInputs {
  readonly oldLogProb: Float32Array<ArrayBuffer>; // [S] nats
  readonly refLogProb: Float32Array<ArrayBuffer> | null; // [S] nats; needed when klCoefficient ≠ 0
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

export interface RolloutConfig {
  readonly expansion: 'entropy' | 'random';
  readonly initialBranches: number; // M
  readonly iterations: number; // L
  readonly picks: number; // K
  readonly siblingPenalty: number; // α
  readonly leavesPerTree: number; // S; M + L·K unless pruned or duplicated
}

export interface AlgorithmConfig {
  readonly name: string;
  readonly rollout: RolloutConfig;
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
