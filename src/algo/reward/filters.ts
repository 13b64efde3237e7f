/** Which prompt groups are trained on, by the spread of their rewards. */
import type { FilterConfig, FilterRule } from '../../units.ts';
import type { Rule } from '../catalogue/rule.ts';

export const FILTER_RULE: Rule<FilterRule> = {
  path: 'filter.rule',
  title: 'Groups trained on',
  paperTerm: 'dynamic sampling; filtering',
  options: [
    {
      value: 'none',
      title: 'All',
      formula: 'every group',
      description: 'Groups whose rewards are all alike teach nothing and cost their share all the same.',
      source: 'paper',
    },
    {
      value: 'dynamic_sampling',
      title: 'Dynamic sampling',
      formula: 'groups with σ(r) > 0, from up to n rollout batches',
      description:
        'Rolls out more prompts until enough groups vary; the last batch fills up with groups that do not.',
      source: 'DAPO, Sec. 3.2; released code of ATPO’s comparison',
    },
    {
      value: 'reward_spread',
      title: 'Widest rewards',
      formula: 'the share of groups with the largest σ(r)',
      description: 'Trains on the prompts that the policy is least sure to solve or to fail.',
      source: 'StarPO-S (RAGEN), released code',
    },
  ],
};

/** Population standard deviation of a group's rewards; a group without rows has 0. */
export function rewardDeviation(rewards: readonly number[]): number {
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / Math.max(1, rewards.length);
  const variance =
    rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / Math.max(1, rewards.length);
  return rewards.every((reward) => reward === rewards[0]) ? 0 : Math.sqrt(variance); // no rounding for equal ones
}

/** A group of one is kept, as in the released code: its spread says nothing. */
const informative = (rewards: readonly number[]): boolean =>
  rewards.length === 1 || rewardDeviation(rewards) > 0;

/**
 * Whether another batch of prompts is to be rolled out before choosing.
 * @param groups rewards of all groups so far
 * @param wanted groups of one update
 * @param batches rollout batches so far
 */
export const wantsMore = (
  { rule, generationBatches }: FilterConfig,
  groups: readonly (readonly number[])[],
  wanted: number,
  batches: number,
): boolean =>
  rule === 'dynamic_sampling' && batches < generationBatches && groups.filter(informative).length < wanted;

/**
 * Groups to train on, as ascending positions. Dynamic sampling keeps the first `wanted` groups that vary and fills up
 * with the first others; reward spread keeps its share of all, ties going to the earlier group; at least one is kept.
 */
export function keptGroups(
  { rule, keptShare }: FilterConfig,
  groups: readonly (readonly number[])[],
  wanted: number,
): readonly number[] {
  const all = [...groups.keys()];
  const ascending = (a: number, b: number): number => a - b;
  switch (rule) {
    case 'none':
      return all;
    case 'dynamic_sampling': {
      const varied = all.filter((index) => informative(groups[index]));
      const alike = all.filter((index) => !informative(groups[index]));
      return [...varied, ...alike].slice(0, wanted).toSorted(ascending);
    }
    case 'reward_spread': {
      const spread = groups.map(rewardDeviation);
      const widest = all.toSorted((a, b) => spread[b] - spread[a] || a - b);
      return widest.slice(0, Math.max(1, Math.round(keptShare * all.length))).toSorted(ascending);
    }
    default:
      return rule satisfies never;
  }
}
