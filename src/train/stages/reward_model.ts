/**
 * iStar's second network π_φ: trained on pairs of right and wrong rows of one question, then read as rewards of turns.
 * Trained first and read after, so that the rewards know this update's rows; where φ has never moved they would be 0.
 * @see arXiv:2509.19199
 */
import { STREAMS, keyedRandom } from '../../algo/random.ts';
import { isRight } from '../../algo/reward.ts';
import { implicitRewards } from '../../algo/signals.ts';
import { NO_EXTRAS, type NodeTable, type OptimiserConfig, type RolloutTree } from '../../units.ts';
import { MissingPolicyError } from '../errors.ts';
import { packToScore } from './score.ts';
import type { Group, Update } from './stage.ts';

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

/** One step of −ln σ(Σ r(right) − Σ r(wrong)), r = β·ln(π_φ / π_old). */
async function trainRewardModel(at: Update, groups: readonly Group[]): Promise<void> {
  const { policy, rewardModel, environment, config } = at.run;
  const trees = groups.flatMap((group) => pairedRows(group, at) ?? []);
  if (!rewardModel || trees.length === 0) return; // every question was always or never solved
  const batch = packToScore(trees, environment.contextLength);
  const { logProb } = await policy.score(batch, config.temperature);
  const partner = Int32Array.from(batch.rows, (_, row) => (row % 2 === 0 ? row + 1 : -1 - (row - 1)));
  await rewardModel.update(batch, {
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
    optimiser: optimiserOf(config.optimiser),
  });
}

/** @throws MissingPolicyError where the run has none */
export async function impliedRewards(
  at: Update,
  groups: readonly Group[],
): Promise<readonly NodeTable<number>[]> {
  const { policy, rewardModel, environment, config } = at.run;
  if (!rewardModel) throw new MissingPolicyError('reward model', config.algorithm.name);
  await trainRewardModel(at, groups);
  const trees = groups.map(({ tree }) => tree);
  const batch = packToScore(trees, environment.contextLength);
  const old = await policy.score(batch, config.temperature);
  const model = await rewardModel.score(batch, config.temperature);
  return implicitRewards(trees, batch, model.logProb, old.logProb, config.algorithm.loss.beta);
}
