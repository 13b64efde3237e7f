/** Sums over what follows: discounted returns and generalised advantages of one row, and optimal values. */

/**
 * G_t = r_t + γ·m_{t+1}·G_{t+1}: a token that was not sampled passes nothing on to those before it.
 * @param rewards [T] dimensionless
 * @param mask [T] 1 where the policy sampled
 * @see released code compute_reinforce_plus_plus_outcome_advantage ("reset after EOS")
 */
export function discountedReturns(
  rewards: readonly number[],
  mask: readonly number[],
  discount: number,
): readonly number[] {
  const returns = rewards.map(() => 0);
  let later = 0;
  for (let at = rewards.length - 1; at >= 0; at -= 1) {
    returns[at] = rewards[at] + discount * later;
    later = returns[at] * mask[at];
  }
  return returns;
}

/**
 * GAE: δ_t = r_t + γ·V_{t+1} − V_t, A_t = δ_t + γλ·A_{t+1}; beyond the last step V = 0.
 * @param rewards [T] of each step (token or turn), dimensionless
 * @param values [T] before each step
 * @returns advantages [T] (add values for the returns) and the δ they are made of
 * @see arXiv:1506.02438; released code compute_gae_advantage_return
 */
export function generalisedAdvantages(
  rewards: readonly number[],
  values: readonly number[],
  discount: number,
  lambda: number,
): { readonly advantages: readonly number[]; readonly surprises: readonly number[] } {
  const surprises = rewards.map((reward, at) => reward + discount * (values[at + 1] ?? 0) - values[at]);
  const advantages = rewards.map(() => 0);
  let later = 0;
  for (let at = rewards.length - 1; at >= 0; at -= 1) {
    later = surprises[at] + discount * lambda * later;
    advantages[at] = later;
  }
  return { advantages, surprises };
}

/**
 * V* = β·ln mean e^(r/β): the largest reward for β → 0, the mean for β → ∞.
 * @param rewards of samples of the reference policy, at least one
 * @param beta dimensionless, at least 0
 * @see arXiv:2505.20686 (A*-PO), stage 1
 */
export function optimalValue(rewards: readonly number[], beta: number): number {
  const largest = Math.max(...rewards);
  if (beta === 0) return largest;
  // Differences from the largest keep e^x finite; expm1 and log1p keep their digits where β is large.
  const excess = rewards.reduce((sum, reward) => sum + Math.expm1((reward - largest) / beta), 0);
  return largest + beta * Math.log1p(excess / rewards.length);
}
