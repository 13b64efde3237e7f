/**
 * The turn-level policy loss of AT²PO and the objective round it, in float64 on packed scored tokens.
 * A loss is two choices: over which tokens the log-ratio is averaged (here a turn), and what a token makes of that
 * mean and its advantage (here PPO's clip with a capped log-ratio). Both are separate functions.
 * @see arXiv:2601.04767 eq. 8–10; released code `compute_policy_loss_gspo_turn`; where we differ: algo/README.md
 */
import { LabError, type ClipState, type LossConfig } from '../units.ts';
import { klTerm, tokenMeanWeight } from './penalties.ts';

/** Scored tokens of a batch; the first four are TokenBatch's. S tokens, K turns. */
export interface LossTokens {
  readonly turnStart: ArrayLike<number>; // [K+1] offsets into the scored tokens
  readonly turnIndex: ArrayLike<number>; // [S]
  readonly advantage: ArrayLike<number>; // [S] dimensionless
  readonly weight: ArrayLike<number>; // [S] share of the token in the loss, 1 / (B·n_i) for AT²PO
  readonly logProb: ArrayLike<number>; // [S] nats, current policy
  readonly oldLogProb: ArrayLike<number>; // [S] nats, sampling policy
}

export type ClipConfig = Pick<LossConfig, 'clipLow' | 'clipHigh' | 'logRatioCap'>;

/** What one token contributes, before its weight. */
export interface TokenTerm {
  readonly ratio: number; // e^min(logRatio, cap)
  readonly tokenLoss: number;
  readonly dlogProb: number; // ∂tokenLoss/∂logProb of the token itself
  readonly clipState: ClipState;
}

export interface PolicyLoss {
  readonly loss: number; // Σ weight·tokenLoss, to be minimised
  readonly turnLogRatio: Float64Array; // [K] nats, mean over the turn; 0 for an empty turn
  readonly ratio: Float64Array; // [S]
  readonly tokenLoss: Float64Array; // [S] before weighting
  readonly clipState: readonly ClipState[]; // [S]
  readonly dlogProb: Float64Array; // [S] ∂loss/∂logProb, weighted
}

export class LossInputError extends LabError {
  constructor(what: string, got: string, wanted: string) {
    const next = 'Score the batch that the loss is computed on.';
    super('LossInputError', { what, where: 'src/algo/loss.ts', got, wanted, next });
  }
}

function checkLengths(tokens: LossTokens): void {
  const scored = tokens.turnIndex.length;
  for (const name of ['advantage', 'weight', 'logProb', 'oldLogProb'] as const) {
    const length = tokens[name].length;
    if (length !== scored)
      throw new LossInputError(`${name} does not match the scored tokens`, `${length} values`, `${scored}`);
  }
}

/** Mean of logProb − oldLogProb over each segment [start[k], start[k+1]), nats; 0 where the segment is empty. */
export function meanLogRatios(
  start: ArrayLike<number>,
  logProb: ArrayLike<number>,
  oldLogProb: ArrayLike<number>,
): Float64Array {
  const means = new Float64Array(start.length - 1);
  for (let k = 0; k < means.length; k += 1) {
    let sum = 0;
    for (let s = start[k]; s < start[k + 1]; s += 1) sum += logProb[s] - oldLogProb[s];
    means[k] = sum / Math.max(1, start[k + 1] - start[k]);
  }
  return means;
}

/**
 * Which of the zero-gradient rules holds: 1 for A > 0 above the band, 2 for A < 0 below it, 3 where the log-ratio cap
 * saturates (at exactly the cap the gradient still flows), 0 where none does.
 * @param logRatio mean over the turn, nats
 */
export function clipStateOf(logRatio: number, advantage: number, config: ClipConfig): ClipState {
  const ratio = Math.exp(Math.min(logRatio, config.logRatioCap));
  if (advantage > 0 && ratio > 1 + config.clipHigh) return 1;
  if (advantage < 0 && ratio < 1 - config.clipLow) return 2;
  return logRatio > config.logRatioCap ? 3 : 0;
}

/**
 * PPO's clipped surrogate without dual clip. The ratio is written as π/sg[π]·sg[turn mean], so ∂ratio/∂logProb is the
 * ratio for the token itself and 0 for the others of its turn.
 */
export function clippedTerm(logRatio: number, advantage: number, config: ClipConfig): TokenTerm {
  const ratio = Math.exp(Math.min(logRatio, config.logRatioCap));
  const clipped = Math.min(Math.max(ratio, 1 - config.clipLow), 1 + config.clipHigh);
  const clipState = clipStateOf(logRatio, advantage, config);
  return {
    ratio,
    tokenLoss: Math.max(-advantage * ratio, -advantage * clipped),
    dlogProb: clipState === 0 ? -advantage * ratio : 0,
    clipState,
  };
}

/**
 * L = Σ_s weight_s · max(−A·ratio, −A·clip(ratio, 1 − ε_low, 1 + ε_high)), ratio from the mean log-ratio of the turn.
 * @throws LossInputError when the arrays differ in length
 */
export function atpoLoss(tokens: LossTokens, config: ClipConfig): PolicyLoss {
  checkLengths(tokens);
  const scored = tokens.turnIndex.length;
  const turnLogRatio = meanLogRatios(tokens.turnStart, tokens.logProb, tokens.oldLogProb);
  const ratio = new Float64Array(scored);
  const tokenLoss = new Float64Array(scored);
  const dlogProb = new Float64Array(scored);
  const clipState: ClipState[] = [];
  let loss = 0;
  for (let s = 0; s < scored; s += 1) {
    const term = clippedTerm(turnLogRatio[tokens.turnIndex[s]], tokens.advantage[s], config);
    ratio[s] = term.ratio;
    tokenLoss[s] = term.tokenLoss;
    dlogProb[s] = tokens.weight[s] * term.dlogProb;
    clipState.push(term.clipState);
    loss += tokens.weight[s] * term.tokenLoss;
  }
  return { loss, turnLogRatio, ratio, tokenLoss, clipState, dlogProb };
}

export interface ObjectiveTokens extends LossTokens {
  readonly entropy: ArrayLike<number>; // [S] nats, whole distribution
  readonly refLogProb: ArrayLike<number> | null; // [S] nats; needed when klCoefficient ≠ 0
}

/** The objective and its terms; gradients are of the total. */
export interface Objective {
  readonly total: number; // policy.loss − c_ent·entropy + c_kl·kl
  readonly policy: PolicyLoss;
  readonly kl: number; // token mean of k3, nats; 0 when off
  readonly entropy: number; // token mean, nats
  readonly dlogProb: Float64Array; // [S] through the chosen token's log-probability
  readonly dentropy: number; // ∂total/∂entropy, the same for every token
}

/**
 * Policy loss, entropy bonus and k3 penalty against the reference policy (both token means).
 * @throws LossInputError when arrays differ in length, or klCoefficient ≠ 0 without refLogProb
 */
export function objective(tokens: ObjectiveTokens, config: LossConfig): Objective {
  const policy = atpoLoss(tokens, config);
  const scored = tokens.turnIndex.length;
  const mean = tokenMeanWeight(scored);
  const dlogProb = policy.dlogProb.slice();
  let entropy = 0;
  for (let s = 0; s < scored; s += 1) entropy += mean * tokens.entropy[s];
  let kl = 0;
  if (config.klCoefficient !== 0) {
    const { refLogProb } = tokens;
    if (refLogProb?.length !== scored)
      throw new LossInputError(
        'refLogProb does not match',
        `${refLogProb?.length ?? 'none'}`,
        `${scored} values`,
      );
    for (let s = 0; s < scored; s += 1) {
      const term = klTerm('k3', tokens.logProb[s], refLogProb[s]);
      kl += mean * term.kl;
      dlogProb[s] += config.klCoefficient * mean * term.dlogProb;
    }
  }
  const total = policy.loss - config.entropyCoefficient * entropy + config.klCoefficient * kl;
  return { total, policy, kl, entropy, dlogProb, dentropy: -config.entropyCoefficient * mean };
}
