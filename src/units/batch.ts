/** Rows of a mini-batch, and what training on it takes and returns. */
import type { LossConfig } from './loss.ts';
import type { RandomKey, SamplingConfig, TurnSampler } from './seams.ts';
import type { NodeId, TokenId } from './trees.ts';

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
 * (no gradient in 1 to 4), 5 at the soft upper edge, 6 at the soft lower edge (the gradient of the
 * bound, times its factor).
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

/** Norms of the parts of one layer's attention gradient that belong to one head each, before clipping. */
export interface HeadNorms {
  readonly query: readonly number[]; // [NH] rows of q_proj
  readonly key: readonly number[]; // [NKV] rows of k_proj
  readonly value: readonly number[]; // [NKV] rows of v_proj
  readonly output: readonly number[]; // [NH] columns of o_proj
}

export interface StepResult {
  readonly gradientNorm: number; // before clipping
  readonly gradientNorms: Readonly<Record<string, number>>; // per parameter, before clipping
  readonly headNorms: readonly HeadNorms[]; // by layer; none where a policy has no heads
  readonly skipped: boolean; // the norm was not finite: parameters unchanged
}

/** A policy as who only asks sees it: nothing here changes a parameter, a moment or a kept gradient. */
export interface PolicyReader extends TurnSampler {
  /** Starts sampling under a key; forgets cached prefixes (the parameters may have changed). */
  beginRollout(key: RandomKey, sampling: SamplingConfig): void;
  /** Log-probabilities and entropies of the scored tokens, no gradient. */
  score(batch: TokenBatch, temperature: number): Promise<TokenScores>;
  /** Norms of the gradients that several losses give now, and the cosines between them; nothing is trained. */
  gradientCosines(losses: readonly GradientSource[]): Promise<GradientComparison>;
  /**
   * What the policy thinks comes after some tokens.
   * @returns [V] logits, before temperature
   */
  nextLogits(tokens: readonly TokenId[]): Promise<Float32Array<ArrayBuffer>>;
  dispose(): void;
}

/** A policy that can also be trained. The engine's is src/model/policy.ts; tests script their own. */
export interface TrainablePolicy extends PolicyReader {
  /**
   * Another reader of the same parameters, with a rollout of its own. Its calls come in order with the policy's; while it
   * samples, no step may be taken. Disposing of it frees what it took beside the parameters.
   */
  reader(): PolicyReader;
  /** As score, with other parameters in the place of the policy's own, which stay as they are bit for bit. */
  scoreAt(
    parameters: Float32Array<ArrayBuffer>,
    batch: TokenBatch,
    temperature: number,
  ): Promise<TokenScores>;
  /** Loss of a mini-batch and its gradients, which the policy keeps; no parameter changes. */
  backward(batch: TokenBatch, inputs: LossInputs): Promise<LossResult>;
  /**
   * Clip → AdamW along the gradients of the last `backward`, each of which is stepped along once. A gradient norm that is
   * not finite skips the step.
   */
  step(optimiser: OptimiserConfig): Promise<StepResult>;
  /** The loss as `backward` would find it now; the kept gradients stay. Absent where every loss is that of src/algo. */
  lossOf?(batch: TokenBatch, inputs: LossInputs): Promise<LossResult>;
  /** All parameters, flat; and the gradient of the last `backward` in the same order, before clipping. */
  parameters(): Promise<Float32Array<ArrayBuffer>>;
  gradients(): Promise<Float32Array<ArrayBuffer>>;
  /**
   * The state as it is now: the device copies it in its turn, and later calls do not wait until it is read. The gradients of
   * a `backward` that no `step` has gone along are not in it.
   */
  readState(): Promise<PolicyState>;
  /**
   * Puts a state in the place of the present one; kept gradients are forgotten.
   * @throws PolicyStateError where it is of another model; nothing is then changed
   */
  writeState(state: PolicyState): Promise<void>;
  /** All parameters as a safetensors file. */
  save(): Promise<ArrayBuffer>;
}

/** Numbers of trained tensors, flat, by the name of the parameter. */
export type NamedTensors = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

/** All that a policy's later calls depend on. What is frozen is not in it: it never changes. */
export interface PolicyState {
  readonly parameters: NamedTensors;
  readonly optimiser: OptimiserState | null; // null before the first step: moments are 0
}

/** AdamW's, of the same tensors. */
export interface OptimiserState {
  readonly steps: number; // taken, at least 1
  readonly firstMoment: NamedTensors;
  readonly secondMoment: NamedTensors;
}

/** A loss to be differentiated: what `backward` would be given. */
export interface GradientSource {
  readonly batch: TokenBatch;
  readonly inputs: LossInputs;
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

/** What a loss reads beside its mini-batch. */
export interface LossInputs {
  readonly oldLogProb: Float32Array<ArrayBuffer>; // [S] nats
  readonly refLogProb: Float32Array<ArrayBuffer> | null; // [S] nats; needed when klCoefficient ≠ 0, and by 'regression', 'preference'
  readonly extras?: LossExtras; // absent: none
  readonly temperature: number;
  readonly loss: LossConfig;
}
