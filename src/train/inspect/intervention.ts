/** What a person grows in a copy of a tree: sampled, answered by the tools and scored like a run's own paths. */
import * as v from 'valibot';
import { STREAMS, keyedRandom } from '../../algo/random.ts';
import { scoreLeaves } from '../../algo/reward/reward.ts';
import { growByHand } from '../../algo/rollouts/by_hand.ts';
import type { Environment, PolicyReader, RandomKey, TurnSampler } from '../../units.ts';
import type {
  AskedParameters,
  AskedPolicy,
  InterventionAnswer,
  InterventionQuestion,
  Place,
} from '../../protocol/inspection.ts';
import { real, wanted, whole } from '../../protocol/schema.ts';
import { environmentNamed, parseRunConfig } from '../config/config.ts';
import { rewardConfig } from '../run/reward.ts';
import { checked, fieldOf, placeIn, withPolicy, type QuestionKind } from './question.ts';
import type { GateState } from '../run/gates.ts';

/** Numbers that no rollout of the run draws: of a stream of their own, by prompt, node and the person's seed. */
export const interventionKey = ({ config, update, prompt, node, seed }: InterventionQuestion): RandomKey => {
  const own = { seed: config.seed, update };
  return { seed: keyedRandom(own, STREAMS.interventions, prompt.index, node, seed).next(), update };
};

/**
 * Boundary-aware rewards (BAPO) see the new rows as a group of their own.
 * @param policy forgets what it was sampling
 * @param signal stops it before the next round of tokens
 * @throws RolloutError if the environment does not answer the path as it did
 */
export async function intervene(
  policy: PolicyReader,
  environment: Environment,
  question: InterventionQuestion,
  signal?: AbortSignal,
): Promise<Pick<InterventionAnswer, 'first' | 'nodes' | 'rewards'>> {
  const { config, path } = question;
  const { temperature, algorithm } = config;
  policy.beginRollout(interventionKey(question), { temperature, stopTokens: environment.stopTokens });
  const sampler: TurnSampler = {
    generate(requests) {
      signal?.throwIfAborted();
      return policy.generate(requests);
    },
  };
  const tree = await growByHand(sampler, environment, question);
  const { byNode } = scoreLeaves(tree, environment, rewardConfig(algorithm));
  const first = path.length + 1;
  return { first, nodes: tree.nodes.slice(first), rewards: byNode.slice(first) };
}

/** @param state of the live run when its parameters were taken; null where there is none */
function whoWrote(parameters: AskedParameters, state: GateState | null, at?: Place): AskedPolicy {
  if (parameters === 'replayed' && at)
    return { parameters, update: at.update, stepped: false, status: 'idle' };
  if (parameters === 'starting' || !state) return { parameters, update: 0, stepped: false, status: 'idle' };
  const { update, phase, status } = state;
  return {
    parameters,
    update,
    stepped: status === 'finished' || phase === 'loss' || phase === 'step',
    status,
  };
}

const MOST = 1_000_000_000;
const MOST_TURNS = 64; // beside one another: the most that a run may pick in a round
const number = real(-1e30, 1e30);
const mask = v.array(whole(0, 1));

const sameLength = (value: object): boolean =>
  new Set(Object.values(value).flatMap((field) => (Array.isArray(field) ? [field.length] : []))).size === 1;
const ALIGNED = 'as many mask bits and numbers as tokens';

const questionSchema = (vocabulary: number) => {
  const tokens = v.array(whole(0, vocabulary - 1));
  const turn = v.object({
    tokens,
    mask,
    depth: whole(0, MOST),
    tree: whole(0, MOST),
    turnSurprisal: number,
    lastGenerationLength: whole(0, MOST),
    retrieved: v.optional(v.literal(true)),
  });
  const opening = v.object({
    tokens,
    mask,
    logProb: v.array(number),
    entropy: v.array(number),
    depth: whole(0, MOST),
  });
  return v.object({
    update: whole(0, MOST),
    node: whole(0, MOST),
    seed: whole(0, 0xffffffff),
    prompt: v.object({
      index: whole(0, MOST),
      dataset: v.string(),
      seed: whole(0, 0xffffffff),
      tokens,
      answer: tokens,
    }),
    path: v.array(
      v.pipe(
        turn,
        wanted((turn) => sameLength(turn), ALIGNED),
      ),
    ),
    opening: v.nullable(
      v.pipe(
        opening,
        wanted((start) => sameLength(start), ALIGNED),
      ),
    ),
    tree: whole(0, MOST),
    count: whole(1, MOST_TURNS),
  });
};

export const growTurns: QuestionKind<InterventionQuestion, InterventionAnswer> = {
  parse(value) {
    const config = parseRunConfig(fieldOf(value, 'config'));
    const schema = questionSchema(environmentNamed(config.environment).vocabulary.length);
    const fields = checked(schema, value, {
      what: 'Turns cannot be grown by hand like this',
      next: 'Choose a turn of a finished tree.',
    });
    return { config, ...fields, ...placeIn(value) } as unknown as InterventionQuestion; // checked; brands exist only in types
  },
  answer: (question, lender, signal) =>
    withPolicy(lender, question, signal, async ({ policy, environment, parameters, run }) => {
      const startMs = performance.now();
      const grown = await intervene(policy, environment, question, signal);
      return { ...grown, policy: whoWrote(parameters, run, question.at), ms: performance.now() - startMs };
    }),
};
