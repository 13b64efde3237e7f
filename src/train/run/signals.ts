/** What credit reads beside rewards, measured where the algorithm asks for it. */
import { NODEWISE } from '../../algo/advantage/method.ts';
import { optimalValue } from '../../algo/advantage/returns.ts';
import { packTrees } from '../../algo/batch/batch.ts';
import { CHAINS } from '../../algo/catalogue/defaults.ts';
import {
  beliefs,
  implicitRewards,
  penaltyRewards,
  probeBelief,
  rowMeans,
  signalsRead,
} from '../../algo/credit/signals.ts';
import { keyedRandom, STREAMS } from '../../algo/random.ts';
import { isRight, scoreTrees } from '../../algo/reward/reward.ts';
import { growTrees } from '../../algo/rollouts/turn_tree.ts';
import {
  NO_EXTRAS,
  NO_SIGNALS,
  type NodeTable,
  type OptimiserConfig,
  type Prompt,
  type RandomKey,
  type RecordedTree,
  type RolloutTree,
  type TokenBatch,
  type TokenScores,
  type TrainablePolicy,
  type TreeSignals,
} from '../../units.ts';
import { MissingPolicyError } from '../engine/errors.ts';
import { rewardConfig } from './reward.ts';
import { questionName, type RunMemory } from './memory.ts';
import { gateRounds, samplingOf, type Group, type Run, type Update } from './update.ts';

// Rows that are only scored, and scores batch by batch.

/** Every row of the trees, tree by tree, each in leaf order; advantages are 0. */
export const packToScore = (trees: readonly RecordedTree[], contextLength: number): TokenBatch =>
  packTrees(
    trees,
    trees.map((tree) => ({ ...NODEWISE, byNode: tree.nodes.map(() => 0), trace: [] })),
    contextLength,
  );

/** Batch by batch; a pause holds between two. */
export async function scoreAll(
  { transport, config }: Run,
  policy: TrainablePolicy,
  batches: readonly TokenBatch[],
): Promise<readonly TokenScores[]> {
  const scores: TokenScores[] = [];
  for (const batch of batches) {
    await transport.gate();
    scores.push(await policy.score(batch, config.temperature)); // one at a time: they share buffers
  }
  return scores;
}

// iStar's second network π_φ: trained on pairs of right and wrong rows of one question, then read as rewards of turns.
// Trained first and read after, so that the rewards know this update's rows; where φ has never moved they would be 0.
// @see arXiv:2509.19199

/** Its rate is twice the policy's (1e-6 beside 5e-7) and its gradient clip 10. */
const optimiserOf = (policy: OptimiserConfig): OptimiserConfig => ({
  ...policy,
  learningRate: 2 * policy.learningRate,
  gradientClip: 10 * policy.gradientClip,
});

/** Right and wrong rows of one question in turn, as many pairs as there are; keyed, so that chance pairs them. */
function pairedRows({ tree, rewards, grades }: Group, { key }: Update): RolloutTree | null {
  const random = keyedRandom(key, STREAMS.pairs, tree.prompt.index);
  const rows = tree.leaves.flatMap((leaf, row) =>
    rewards[leaf] === null ? [] : [{ leaf, right: isRight(grades[row]) }],
  );
  const right = random.shuffle(rows.filter((row) => row.right));
  const wrong = random.shuffle(rows.filter((row) => !row.right));
  const leaves = right.slice(0, wrong.length).flatMap((row, pair) => [row.leaf, wrong[pair].leaf]);
  return leaves.length === 0 ? null : { ...tree, leaves };
}

/**
 * One step of −ln σ(Σ r(right) − Σ r(wrong)), r = β·ln(π_φ / π_old).
 * @returns steps of the second network so far
 */
async function trainRewardModel(at: Update, groups: readonly Group[]): Promise<number> {
  const { policy, rewardModel, environment, config } = at.run;
  const { rewardModelSteps: before } = at.memory;
  if (!rewardModel) throw new MissingPolicyError('reward model', config.algorithm.name);
  const trees = groups.flatMap((group) => pairedRows(group, at) ?? []);
  if (trees.length === 0) return before; // every question was always or never solved
  const batch = packToScore(trees, environment.contextLength);
  const { logProb } = await policy.score(batch, config.temperature);
  const partner = Int32Array.from(batch.rows, (_, row) => (row % 2 === 0 ? row + 1 : -1 - (row - 1)));
  await rewardModel.backward(batch, {
    oldLogProb: logProb,
    refLogProb: logProb,
    extras: { ...NO_EXTRAS, partner },
    temperature: config.temperature,
    loss: {
      ...config.algorithm.loss,
      surrogate: 'preference',
      klCoefficient: 0,
      entropyCoefficient: 0,
    },
  });
  const { skipped } = await rewardModel.step(optimiserOf(config.optimiser));
  return skipped ? before : before + 1;
}

/** @throws MissingPolicyError where the run has none */
async function impliedRewards(
  { run }: Update,
  groups: readonly Group[],
): Promise<readonly NodeTable<number>[]> {
  const { policy, rewardModel, environment, config } = run;
  if (!rewardModel) throw new MissingPolicyError('reward model', config.algorithm.name);
  const trees = groups.map(({ tree }) => tree);
  const batch = packToScore(trees, environment.contextLength);
  const old = await policy.score(batch, config.temperature);
  const model = await rewardModel.score(batch, config.temperature);
  return implicitRewards(trees, batch, model.logProb, old.logProb, config.algorithm.loss.beta);
}

/** A*-PO, stage 1: samples per question of the reference policy, and β₁. */
export const REFERENCE_SAMPLES = 8;
const REFERENCE_BETA = 0.5;

export interface MeasuredSignals {
  readonly signals: readonly TreeSignals[]; // one per group; what the credit rule does not read is null
  readonly memory: RunMemory; // with what was found here
}

export async function measureSignals(at: Update, groups: readonly Group[]): Promise<MeasuredSignals> {
  const needs = signalsRead(at.run.config.algorithm.credit.advantageRule);
  const prompts = groups.map(({ tree }) => tree.prompt);
  const belief = needs.belief ? await measureBeliefs(at, groups, needs.belief) : null;
  const rewardModelSteps =
    needs.stepReward === 'implicit' ? await trainRewardModel(at, groups) : at.memory.rewardModelSteps;
  const stepReward = needs.stepReward ? await stepRewards(at, groups, needs.stepReward) : null;
  const optimalValues =
    needs.baseline === 'optimal' ? await findOptimalValues(at, prompts) : at.memory.optimalValues;
  const baseline = needs.baseline === 'greedy' ? await greedyRewards(at, prompts) : null;
  const valueOf = ({ tree }: Group): number | null =>
    needs.baseline === 'optimal' ? (optimalValues.get(questionName(tree.prompt))?.value ?? 0) : null;
  const signals = groups.map((group, g) => ({
    ...NO_SIGNALS,
    belief: belief?.[g] ?? null,
    stepReward: stepReward?.[g] ?? null,
    baseline: baseline?.[g] ?? valueOf(group),
  }));
  return { signals, memory: { ...at.memory, optimalValues, rewardModelSteps } };
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

async function greedyRewards(at: Update, prompts: readonly Prompt[]): Promise<readonly number[]> {
  const rewards = await rewardsOf(at, at.run.policy, prompts, 1, at.key, 0);
  return rewards.map(([reward]) => reward);
}

/** V* remembered, and that of the questions that this run has not met before, from samples of the reference policy. */
async function findOptimalValues(
  at: Update,
  prompts: readonly Prompt[],
): Promise<RunMemory['optimalValues']> {
  const { optimalValues } = at.memory;
  const { reference, config } = at.run;
  const fresh = prompts.filter((prompt) => !optimalValues.has(questionName(prompt)));
  if (fresh.length === 0) return optimalValues;
  if (!reference) throw new MissingPolicyError('reference', config.algorithm.name);
  // A key of its own: else the first sample would share its noise with the row that is trained on.
  const key = { ...at.key, seed: keyedRandom(at.key, STREAMS.references).next() };
  const rewards = await rewardsOf(at, reference, fresh, REFERENCE_SAMPLES, key, config.temperature);
  const found = fresh.map((prompt, p) => {
    const { dataset, seed } = prompt;
    return [
      questionName(prompt),
      { dataset, seed, value: optimalValue(rewards[p], REFERENCE_BETA) },
    ] as const;
  });
  return new Map([...optimalValues, ...found]);
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
