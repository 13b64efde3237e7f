/** Guard of a person's questions: each field from outside, or an error that says which is wrong. */
import * as v from 'valibot';
import type { InspectionCommand, KernelBatch } from '../../protocol/inspection.ts';
import { ids, lossRow, nodeSchema, numbersOrNull, promptSchema } from '../../protocol/logged_events.ts';
import type { GradientQuestion } from '../../protocol/protocol.ts';
import { issueReport, real, wanted, whole } from '../../protocol/schema.ts';
import { EDITABLE_KERNELS } from '../../units.ts';
import { creditSchema, environmentNamed, kernelText, parseRunConfig } from '../config/config.ts';
import { ProtocolError } from '../engine/errors.ts';
import { kernelNames } from './kernels.ts';

const MOST = 1_000_000_000;
const number = real(-1e30, 1e30);

const tokenSchema = (vocabulary: number) =>
  v.object({
    update: whole(1, 1_000_000),
    prompt: whole(0, MOST),
    leaf: whole(0, MOST),
    tokens: v.pipe(
      v.array(whole(0, vocabulary - 1)),
      wanted((tokens) => tokens.length >= 2, 'at least one token before the one asked about'),
    ),
    dlogProb: number,
    dentropy: number,
    readers: whole(1, MOST),
  });

const stepsSchema = v.object({ update: v.exactOptional(whole(1, 1_000_000)) });

const kernelSchema = v.object({
  name: v.picklist(kernelNames, 'the name of a kernel in shaders/index.ts'),
});

const batchSchema = v.object({
  config: v.pipe(v.unknown(), v.transform(parseRunConfig)),
  update: whole(1, 1_000_000),
  minibatch: whole(0, 1_000_000),
  rows: v.pipe(
    v.array(lossRow),
    wanted((rows) => rows.some(({ tokenIndex }) => tokenIndex.length > 0), 'rows with a scored token'),
  ),
});

const trialSchema = v.object({
  name: v.picklist(EDITABLE_KERNELS, `one of ${EDITABLE_KERNELS.join(', ')}`),
  source: kernelText,
  batch: v.nullable(batchSchema),
  checkGradient: v.boolean('true or false'),
});

const NO_BATCH = {
  what: 'A kernel cannot be checked on this mini-batch',
  next: 'Choose an update whose loss is there.',
};

function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  report: { readonly what: string; readonly next: string },
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new ProtocolError(issueReport(parsed.issues, value, { ...report, root: 'command' }));
}

/** @throws ProtocolError naming the first field that is not valid; RunConfigError for a configuration */
export function parseInspection(kind: InspectionCommand['kind'], value: unknown): InspectionCommand {
  if (kind === 'list-kernels') return { kind };
  if (kind === 'check-steps') {
    const asked = checked(stepsSchema, value, {
      what: 'The steps of such an update cannot be checked',
      next: 'Name an update of the run, from 1 on, or none for the next.',
    });
    return { kind, ...asked };
  }
  const fields = value as Readonly<Record<string, unknown>>;
  if (kind === 'check-kernel') {
    const { name } = checked(kernelSchema, value, {
      what: 'There is no such kernel to check',
      next: 'Choose one of the kernels that the lab lists.',
    });
    if (fields.batch === undefined) return { kind, name };
    return { kind, name, batch: checked(batchSchema, fields.batch, NO_BATCH) as unknown as KernelBatch };
  }
  if (kind === 'try-kernel') {
    const question = checked(trialSchema, value, {
      what: 'A kernel cannot be tried out like this',
      next: 'Write WGSL, and choose an update whose loss is there.',
    });
    return { kind, ...question } as unknown as InspectionCommand; // as below
  }
  const config = parseRunConfig(fields.config);
  const { length } = environmentNamed(config.environment).vocabulary;
  const question = checked(tokenSchema(length), value, {
    what: 'A token cannot be looked at like this',
    next: 'Choose a token that the policy wrote, in an update whose loss is there.',
  });
  return { kind, config, ...question } as unknown as InspectionCommand; // checked above; brands exist only in types
}

// Guard of `compare-gradients`: rollouts and rules from outside, or an error that says which is wrong.

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
