/**
 * AEPO's entropy-balanced advantages: tokens of unusual entropy count more. No gradient flows through the factor.
 * @see arXiv:2510.14545; released code `compute_policy_loss_entropy_balanced_clipping`; algorithms' spec baselines 6.3
 */

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
