/** What a person grows in a copy of a tree: sampled, answered by the tools and scored like a run's own paths. */
import { STREAMS, keyedRandom } from '../algo/random.ts';
import { scoreLeaves } from '../algo/reward.ts';
import { growByHand } from '../algo/rollouts/by_hand.ts';
import type { Environment, RandomKey, TrainablePolicy } from '../units.ts';
import type { InterventionAnswer, InterventionQuestion } from './protocol/interventions.ts';
import { rewardConfig } from './stages/rollout.ts';

/** Numbers that no rollout of the run draws: of a stream of their own, by prompt, node and the person's seed. */
export const interventionKey = ({ config, update, prompt, node, seed }: InterventionQuestion): RandomKey => {
  const own = { seed: config.seed, update };
  return { seed: keyedRandom(own, STREAMS.interventions, prompt.index, node, seed).next(), update };
};

/**
 * Boundary-aware rewards (BAPO) see the new rows as a group of their own.
 * @param policy one of its own: it forgets what it was sampling
 * @throws RolloutError if the environment does not answer the path as it did
 */
export async function intervene(
  policy: TrainablePolicy,
  environment: Environment,
  question: InterventionQuestion,
): Promise<Pick<InterventionAnswer, 'id' | 'first' | 'nodes' | 'rewards'>> {
  const { id, config, path } = question;
  const { temperature, algorithm } = config;
  policy.beginRollout(interventionKey(question), { temperature, stopTokens: environment.stopTokens });
  const tree = await growByHand(policy, environment, question);
  const { byNode } = scoreLeaves(tree, environment, rewardConfig(algorithm));
  const first = path.length + 1;
  return { id, first, nodes: tree.nodes.slice(first), rewards: byNode.slice(first) };
}
