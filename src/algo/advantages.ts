/** Group-relative advantages of chains: one number per rollout, from the rewards of its group. */
import { standardise, statisticsOf } from './normalise.ts';
import type { Statistics } from './trace.ts';

/** Statistics of a GRPO group. A group of one keeps mean 0 and deviation 1, so that its reward passes through. */
export function groupStatistics(rewards: readonly number[]): Statistics {
  const statistics = statisticsOf(rewards, 1);
  return rewards.length === 1 ? { ...statistics, mean: 0, deviation: 1 } : statistics;
}

/**
 * GRPO: (r − mean) / (deviation + 1e-6) with the sample deviation (ddof 1) of the row's group. Without
 * `divideByDeviation`, r − mean (Dr. GRPO).
 * @param rewards dimensionless, one per row
 * @param groups name of each row's group (its prompt)
 * @see released code compute_grpo_outcome_advantage
 */
export function groupAdvantages(
  rewards: readonly number[],
  groups: readonly (string | number)[],
  divideByDeviation = true,
): readonly number[] {
  const byGroup = new Map<string | number, number[]>();
  rewards.forEach((reward, row) => byGroup.set(groups[row], [...(byGroup.get(groups[row]) ?? []), reward]));
  const statistics = new Map([...byGroup].map(([group, members]) => [group, groupStatistics(members)]));
  return rewards.map((reward, row) => {
    const group = statistics.get(groups[row]) ?? groupStatistics([reward]);
    return divideByDeviation ? standardise(reward, group) : reward - group.mean;
  });
}
