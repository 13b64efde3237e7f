/** Angles between the policy gradients that several credit rules give on the same rollouts. */
import * as v from 'valibot';
import { assignCredit } from '../../algo/credit/credit.ts';
import { packTrees } from '../../algo/batch/batch.ts';
import type { Environment, PolicyReader, LossInputs } from '../../units.ts';
import { nodes, nodeSchema, numbersOrNull, promptSchema, signalsSchema } from '../../protocol/log.ts';
import type { GradientAngles, GradientQuestion } from '../../protocol/protocol.ts';
import { whole } from '../../protocol/schema.ts';
import { creditSchema, parseRunConfig } from '../config/config.ts';
import { checked, fieldOf, placeIn, withPolicy, type QuestionKind } from './question.ts';

/**
 * Every rule's gradient of the run's own loss, with its reduction, over all rollouts as one batch. The rows are scored
 * by the policy itself, so that all ratios are 1 and no clip hides a rule. A loss that reads no advantages (regression,
 * preference, none) could not tell rules apart: the clipped one stands in. Parameters and optimiser stay as they are.
 * @throws MissingSignalError where a rule reads what the run did not measure; whatever the policy throws
 */
export async function gradientAngles(
  policy: PolicyReader,
  environment: Environment,
  { config, update, rollouts, rules }: GradientQuestion,
): Promise<Omit<GradientAngles, 'parameters' | 'ms'>> {
  const trees = rollouts.map(({ tree }) => tree);
  const { temperature } = config;
  const own = config.algorithm.loss;
  const surrogate = own.surrogate === 'gate' ? 'gate' : 'clip';
  const loss = { ...own, surrogate, klCoefficient: 0, entropyCoefficient: 0 } as const;
  const batches = rules.map((rule) => {
    const credits = assignCredit(rollouts, rule);
    return packTrees(
      trees,
      credits.map(({ advantages }) => advantages),
      environment.contextLength,
      undefined, // all of them
      own.reduction,
    );
  });
  const { logProb } = await policy.score(batches[0], temperature); // the rows are the same under every rule
  const inputs: LossInputs = { oldLogProb: logProb, refLogProb: null, temperature, loss };
  const { norms, cosines } = await policy.gradientCosines(batches.map((batch) => ({ batch, inputs })));
  return { update, rules, norms, cosines, scoredTokens: batches[0].scored.length };
}

const MOST_RULES = 64;

const rollout = v.object({
  tree: v.object({
    prompt: promptSchema,
    nodes: v.array(nodeSchema),
    leaves: nodes,
    expansions: v.array(v.unknown()), // not read here
  }),
  rewards: numbersOrNull,
  signals: signalsSchema,
});

const schema = v.object({
  update: whole(1, 1_000_000),
  rollouts: v.pipe(v.array(rollout), v.minLength(1, 'at least one rollout')),
  rules: v.pipe(
    v.array(creditSchema),
    v.minLength(2, 'at least two rules'),
    v.maxLength(MOST_RULES, `at most ${MOST_RULES} rules`),
  ),
});

export const compareGradients: QuestionKind<GradientQuestion, GradientAngles> = {
  parse(value) {
    const config = parseRunConfig(fieldOf(value, 'config'));
    const fields = checked(schema, value, {
      what: 'Gradients cannot be compared like this',
      next: 'Choose an update whose trees are grown and scored.',
    });
    return { config, ...fields, ...placeIn(value) } as unknown as GradientQuestion; // checked above; brands exist only in types
  },
  answer(question, lender, signal) {
    const startMs = performance.now();
    return withPolicy(lender, question, signal, async ({ policy, environment, parameters }) => {
      const angles = await gradientAngles(policy, environment, question);
      return { ...angles, parameters, ms: performance.now() - startMs };
    });
  },
};
