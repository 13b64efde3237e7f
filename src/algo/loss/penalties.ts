/**
 * KL estimates against a reference policy, and how per-token terms are reduced to one number.
 * @see released code `kl_penalty`, `agg_loss`; http://joschu.net/blog/kl-approx.html for k1, k2, k3
 */
import type { KlKind, LossReduction } from '../../units.ts';
import { gradientOf } from './loss_terms.ts';

const TOKEN_MEAN_EPSILON = 1e-8; // masked_mean of the released code
const K3_LIMIT = 10; // k3 is clamped to ±10 in the released code

/** Weight of a token in a token mean over `scored` tokens. */
export const tokenMeanWeight = (scored: number): number => 1 / (scored + TOKEN_MEAN_EPSILON);

export interface KlTerm {
  readonly kl: number; // nats
  readonly dlogProb: number; // ∂kl/∂logProb
}

/** k3 = e^x − x − 1 with x = refLogProb − logProb, cut at 10 nats where its gradient ends too. */
function k3Term(logProb: number, refLogProb: number): KlTerm {
  const x = refLogProb - logProb;
  if (Number.isNaN(x)) return { kl: NaN, dlogProb: NaN }; // what is not a number is not above the limit either
  const kl = Math.expm1(x) - x;
  return kl <= K3_LIMIT ? { kl, dlogProb: -Math.expm1(x) } : { kl: K3_LIMIT, dlogProb: 0 };
}

/** KL estimate of one token against the reference policy, and its derivative by logProb: NaN where it is not finite. */
export function klTerm(kind: KlKind, logProb: number, refLogProb: number): KlTerm {
  const difference = logProb - refLogProb;
  switch (kind) {
    case 'k1':
      return { kl: difference, dlogProb: gradientOf(difference, 1) };
    case 'abs':
      return { kl: Math.abs(difference), dlogProb: gradientOf(difference, Math.sign(difference)) };
    case 'k2':
      return { kl: 0.5 * difference * difference, dlogProb: gradientOf(difference, difference) };
    case 'k3':
      return k3Term(logProb, refLogProb);
    default:
      return kind satisfies never;
  }
}

/**
 * Weight of each scored token, so that the loss is Σ weight·term.
 * @param rowIndex [S] row of each scored token
 * @param rowCount B; rows without scored tokens count
 * @param responseLength padded length T, only for 'seq-mean-token-sum-norm'
 */
export function reductionWeights(
  reduction: LossReduction,
  rowIndex: ArrayLike<number>,
  rowCount: number,
  responseLength: number,
): Float64Array {
  const scoredInRow = new Float64Array(rowCount);
  for (let s = 0; s < rowIndex.length; s += 1) scoredInRow[rowIndex[s]] += 1;
  const weightOf = (row: number): number => {
    switch (reduction) {
      case 'token-mean':
        return tokenMeanWeight(rowIndex.length);
      case 'seq-mean-token-mean':
        return 1 / (rowCount * scoredInRow[row]);
      case 'seq-mean-token-sum':
        return 1 / rowCount;
      case 'seq-mean-token-sum-norm':
        return 1 / responseLength;
      default:
        return reduction satisfies never;
    }
  };
  return Float64Array.from(rowIndex, weightOf);
}

// AEPO's entropy-balanced advantages: tokens of unusual entropy count more. No gradient flows through the factor.
// @see arXiv:2510.14545; released code `compute_policy_loss_entropy_balanced_clipping`; algorithms' spec baselines 6.3

export interface EntropyMoments {
  readonly mean: number; // nats
  readonly deviation: number; // nats, sample deviation over all scored tokens; 1 where they do not differ
}

/**
 * Mean and sample deviation over the scored tokens of the whole mini-batch. Welford's recurrence: equal entropies
 * give a deviation of exactly 0, never a rounding error that would be divided by.
 */
export function entropyMoments(entropy: ArrayLike<number>): EntropyMoments {
  let mean = 0;
  let squares = 0;
  for (let s = 0; s < entropy.length; s += 1) {
    const delta = entropy[s] - mean;
    mean += delta / (s + 1);
    squares += delta * (entropy[s] - mean);
  }
  const deviation = Math.sqrt(squares / Math.max(1, entropy.length - 1));
  return { mean, deviation: deviation === 0 ? 1 : deviation };
}

/** A·(1 + coefficient·(H − mean)/deviation). */
export const balancedAdvantage = (
  advantage: number,
  entropy: number,
  { mean, deviation }: EntropyMoments,
  coefficient: number,
): number => advantage * (1 + (coefficient * (entropy - mean)) / deviation);
