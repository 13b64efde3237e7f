/** What a person grows in a copy of a tree: sampled, answered by the tools and scored like a run's own paths. */
import { STREAMS, keyedRandom } from '../../algo/random.ts';
import { scoreLeaves } from '../../algo/reward/reward.ts';
import { growByHand } from '../../algo/rollouts/by_hand.ts';
import type { Environment, RandomKey, TrainablePolicy } from '../../units.ts';
import type { AskedParameters } from '../../protocol/inspection.ts';
import type {
  AskedPolicy,
  InterventionAnswer,
  InterventionEvent,
  InterventionQuestion,
} from '../../protocol/interventions.ts';
import { rewardConfig } from '../run/reward.ts';
import type { TransportState } from '../run/gates.ts';

/** A policy to ask beside the run's own, and whose parameters it has. */
export interface AskedOf {
  readonly policy: TrainablePolicy;
  readonly environment: Environment;
  readonly parameters: AskedParameters;
}

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

/** @param state of the live run when its parameters were taken; null where there is none */
function whoWrote(parameters: AskedParameters, state: TransportState | null): AskedPolicy {
  if (parameters === 'starting' || !state) return { parameters, update: 0, stepped: false, status: 'idle' };
  const { update, phase, status } = state;
  return {
    parameters,
    update,
    stepped: status === 'finished' || phase === 'loss' || phase === 'step',
    status,
  };
}

/** The answer as an event. Disposes of the policy. */
export async function answerIntervention(
  { policy, environment, parameters }: AskedOf,
  question: InterventionQuestion,
  state: TransportState | null,
): Promise<InterventionEvent> {
  const startMs = performance.now();
  try {
    const grown = await intervene(policy, environment, question);
    const ms = performance.now() - startMs;
    return { kind: 'intervention', ...grown, policy: whoWrote(parameters, state), ms };
  } finally {
    policy.dispose();
  }
}
