/** What credit reads beside rewards, measured where the algorithm asks for it. */
import { optimalValue } from '../../algo/advantage/returns.ts';
import { CHAINS } from '../../algo/defaults.ts';
import { STREAMS, keyedRandom } from '../../algo/random.ts';
import { isRight, scoreTrees } from '../../algo/reward.ts';
import { growTrees } from '../../algo/rollout.ts';
import { beliefs, penaltyRewards, probeBelief, rowMeans, signalsRead } from '../../algo/signals.ts';
import type { NodeTable, Prompt, RandomKey, TrainablePolicy, TreeSignals } from '../../units.ts';
import { NO_SIGNALS } from '../../units.ts';
import { MissingPolicyError } from '../errors.ts';
import { impliedRewards } from './reward_model.ts';
import { rewardConfig } from './rollout.ts';
import { packToScore } from './score.ts';
import { gateRounds, samplingOf, type Group, type Update } from './stage.ts';

/** A*-PO, stage 1: samples per question of the reference policy, and β₁. */
export const REFERENCE_SAMPLES = 8;
const REFERENCE_BETA = 0.5;

/** One per group; what the credit rule does not read is null. */
export async function measureSignals(at: Update, groups: readonly Group[]): Promise<readonly TreeSignals[]> {
  const needs = signalsRead(at.run.config.algorithm.credit.advantageRule);
  const prompts = groups.map(({ tree }) => tree.prompt);
  const belief = needs.belief ? await measureBeliefs(at, groups, needs.belief) : null;
  const stepReward = needs.stepReward ? await stepRewards(at, groups, needs.stepReward) : null;
  const baseline = needs.baseline ? await baselines(at, prompts, needs.baseline) : null;
  return groups.map((_, g) => ({
    ...NO_SIGNALS,
    belief: belief?.[g] ?? null,
    stepReward: stepReward?.[g] ?? null,
    baseline: baseline?.[g] ?? null,
  }));
}

async function measureBeliefs(
  { run }: Update,
  groups: readonly Group[],
  when: 'after_call' | 'after_result',
): Promise<readonly NodeTable<number | null>[]> {
  const { policy, environment, config } = run;
  const probes = groups.map(({ tree }) => probeBelief(tree, environment, when));
  const batch = packToScore(
    probes.map(({ tree }) => tree),
    environment.contextLength,
  );
  const means = rowMeans(batch, (await policy.score(batch, config.temperature)).logProb);
  let row = 0;
  return groups.map(({ tree }, g) => {
    const own = means.slice(row, row + probes[g].probed.length);
    row += own.length;
    return beliefs(tree, probes[g], own);
  });
}

async function stepRewards(
  at: Update,
  groups: readonly Group[],
  kind: 'penalties' | 'implicit',
): Promise<readonly NodeTable<number>[]> {
  if (kind === 'implicit') return impliedRewards(at, groups);
  const { config, environment } = at.run;
  const { reward, credit } = config.algorithm;
  const weights = { penalty: reward.turnPenalty, similarity: credit.mixing };
  return groups.map(({ tree, grades }) => penaltyRewards(tree, environment, grades.map(isRight), weights));
}

async function baselines(
  at: Update,
  prompts: readonly Prompt[],
  kind: 'greedy' | 'optimal',
): Promise<readonly number[]> {
  if (kind === 'greedy') {
    const rewards = await rewardsOf(at, at.run.policy, prompts, 1, at.key, 0);
    return rewards.map(([reward]) => reward);
  }
  await findOptimalValues(at, prompts);
  return prompts.map((prompt) => at.memory.optimalValues.get(nameOf(prompt)) ?? 0);
}

const nameOf = ({ dataset, seed }: Prompt): string => `${dataset}/${seed}`;

/** V* of the questions that this run has not met before, from samples of the reference policy. */
async function findOptimalValues(at: Update, prompts: readonly Prompt[]): Promise<void> {
  const { optimalValues } = at.memory;
  const { reference, config } = at.run;
  const fresh = prompts.filter((prompt) => !optimalValues.has(nameOf(prompt)));
  if (fresh.length === 0) return;
  if (!reference) throw new MissingPolicyError('reference', config.algorithm.name);
  // A key of its own: else the first sample would share its noise with the row that is trained on.
  const key = { ...at.key, seed: keyedRandom(at.key, STREAMS.references).next() };
  const rewards = await rewardsOf(at, reference, fresh, REFERENCE_SAMPLES, key, config.temperature);
  fresh.forEach((prompt, p) => optimalValues.set(nameOf(prompt), optimalValue(rewards[p], REFERENCE_BETA)));
}

/** Rewards of some chains per prompt, sampled beside the rollout; no event tells of them. */
async function rewardsOf(
  { run, memory }: Update,
  policy: TrainablePolicy,
  prompts: readonly Prompt[],
  count: number,
  key: RandomKey,
  temperature: number,
): Promise<readonly (readonly number[])[]> {
  const { environment, config } = run;
  const chains = { ...CHAINS, initialBranches: count, leavesPerTree: count };
  policy.beginRollout(key, { ...samplingOf(run), temperature });
  const trees = await growTrees(policy, environment, prompts, chains, key, gateRounds(run));
  const scored = scoreTrees(trees, environment, rewardConfig(config.algorithm), memory.boundary);
  return trees.map(({ leaves }, t) => leaves.map((leaf) => scored[t].byNode[leaf] ?? 0));
}
