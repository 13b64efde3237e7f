/** Guard of `compare-gradients`: rollouts and rules from outside, or an error that says which is wrong. */
import * as v from 'valibot';
import { creditSchema, parseRunConfig } from './config.ts';
import { ProtocolError } from './errors.ts';
import { ids, nodeSchema, numbersOrNull, promptSchema } from './logged_events.ts';
import type { GradientQuestion } from './protocol.ts';
import { issueReport, whole } from './schema.ts';

const MOST_RULES = 64;

const signals = v.object({
  belief: v.nullable(numbersOrNull),
  baseline: v.nullable(v.number()),
  stepReward: v.nullable(v.array(v.number())),
});

const rollout = v.object({
  tree: v.object({
    prompt: promptSchema,
    nodes: v.array(nodeSchema),
    leaves: ids,
    expansions: v.array(v.unknown()), // not read here
  }),
  rewards: numbersOrNull,
  signals,
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

/** @throws ProtocolError naming the first field that is not valid; RunConfigError for the configuration */
export function parseGradientQuestion(value: unknown): GradientQuestion {
  const config = parseRunConfig((value as { readonly config?: unknown }).config);
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) {
    throw new ProtocolError(
      issueReport(parsed.issues, value, {
        what: 'Gradients cannot be compared like this',
        root: 'command',
        next: 'Choose an update whose trees are grown and scored.',
      }),
    );
  }
  return { config, ...parsed.output } as unknown as GradientQuestion; // checked above; brands exist only in types
}
