/** Guard of recorded events: what a file says is a RunEvent, or an error that says why not. */
import * as v from 'valibot';
import { parseRunConfig } from '../train/config/config.ts';
import { RecordingError } from './errors.ts';
import { PHASES, TOKEN_UNITS, type RunEvent, type SessionEvent, type UpdateMetrics } from './protocol.ts';
import { issueReport, quote } from './schema.ts';
import { ADVANTAGE_RULES, VALUE_RULES } from '../units.ts';

const number = v.custom<number>((input) => typeof input === 'number', 'a number'); // NaN too: skipped steps have it
const count = v.custom<number>(
  (input) => Number.isSafeInteger(input) && (input as number) >= 0,
  'a whole number',
);
const numberOrNull = v.nullable(number);
const text = v.string();
const isNumbers = (input: unknown): boolean =>
  Array.isArray(input) && input.every((item) => typeof item === 'number');
const numbers = v.custom<readonly number[]>(isNumbers, 'a list of numbers');
export const numbersOrNull = v.custom<readonly (number | null)[]>(
  (input) => Array.isArray(input) && input.every((item) => item === null || typeof item === 'number'),
  'a list of numbers and nulls',
);
const numberRecord = v.record(text, number);
const phase = v.picklist(PHASES);
export const ids = v.pipe(
  numbers,
  v.transform((list) => list as readonly never[]),
); // brands exist only in types

const origin = v.variant('kind', [
  v.object({ kind: v.literal('root') }),
  v.object({ kind: v.literal('initial'), branch: count }),
  v.object({ kind: v.literal('continuation') }),
  v.object({ kind: v.literal('expansion'), iteration: count, pick: count, resampled: count }),
  v.object({ kind: v.literal('duplicate'), of: count }),
  v.object({ kind: v.literal('branch'), iteration: count, pick: count }),
  v.object({ kind: v.literal('scout') }),
  v.object({ kind: v.literal('imported'), inferred: v.boolean() }),
]);

export const nodeSchema = v.object({
  id: count,
  parent: v.nullable(count),
  children: ids,
  tree: count,
  depth: count,
  origin,
  tokens: ids,
  mask: numbers,
  logProb: v.nullable(numbers),
  entropy: v.nullable(numbers),
  turnSurprisal: v.nullable(number),
  lastGenerationLength: count,
  callCount: count,
  ending: v.nullable(
    v.picklist(['answer', 'malformed', 'call-limit', 'length', 'tool-failure', 'empty-call', 'unknown']),
  ),
  pruned: v.boolean(),
  retrieved: v.exactOptional(v.literal(true)),
});

const candidate = v.object({
  node: count,
  turnSurprisal: number,
  siblingCount: count,
  penalty: number,
  score: number,
  rank: count,
  pickCount: count,
});

const signals = v.object({
  belief: v.nullable(numbersOrNull),
  baseline: v.nullable(number),
  stepReward: v.nullable(numbers),
});

const credit = v.object({
  prompt: count,
  valueRule: v.picklist(VALUE_RULES),
  advantageRule: v.picklist(ADVANTAGE_RULES),
  normalised: numbersOrNull,
  values: numbers,
  advantages: numbers,
});

export const lossRow = v.object({
  ...{
    prompt: count,
    leaf: count,
    tokenIndex: numbers,
    turnIndex: numbers,
    oldLogProb: numbers,
    logProb: numbers,
  },
  ...{
    entropy: numbers,
    advantage: numbers,
    weight: numbers,
    tokenLoss: numbers,
    dlogProb: numbers,
    turnLogRatio: numbers,
    clipScale: v.exactOptional(numbers),
    ratioFactor: v.exactOptional(v.number()),
  },
});

const headNorms = v.object({ query: numbers, key: numbers, value: numbers, output: numbers });

const adapter = v.object({ vendor: text, architecture: text, description: text, software: v.boolean() });
const environment = v.object({
  ...{ name: text, title: text, description: text, vocabulary: v.array(text), stopTokens: numbers },
  ...{ datasets: v.array(text), contextLength: count, callLimit: count },
});
const recordOrigin = v.variant('kind', [
  v.object({ kind: v.literal('trained') }),
  v.object({ kind: v.literal('forked'), run: text, update: count }),
  v.object({ kind: v.literal('imported'), file: text, format: text }),
]);
const config = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseRunConfig(dataset.value);
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : String(error) });
      return NEVER;
    }
  }),
);
export const promptSchema = v.object({
  index: count,
  dataset: text,
  seed: v.nullable(count),
  tokens: ids,
  answer: v.nullable(ids),
});
const metrics = v.object({
  ...{ exactMatch: number, unknown: numberOrNull, reliability: numberOrNull, meanReward: number },
  ...{ malformed: number, turnSurprisal: number, depth: number, toolCalls: number, deadTrees: number },
  ...{ sampledTokens: number, rolloutBatches: number, droppedGroups: number, loss: number },
  ...{ clipFraction: number, clipFractionLast: number, ppoKl: number, turnKlEntropy: number },
  ...{ singleTurnCount: number, gradientNorm: number, skippedSteps: number, uniqueTokens: number },
  ...{ rowTokens: number, entropy: number, rolloutMs: number, trainMs: number },
} satisfies Record<keyof UpdateMetrics, v.GenericSchema>);

/** Added up over a log, and held whole by a checkpoint. */
export const memorySchema = v.object({
  boundary: v.exactOptional(
    v.object({ phase: v.picklist(['exploration', 'plateau']), best: v.nullable(number), below: count }),
  ),
  optimalValues: v.exactOptional(v.array(v.object({ dataset: text, seed: count, value: number }))),
  rewardModelSteps: v.exactOptional(count),
});

/** Fields of the events that a log may hold: all but those that belong to a session, not to a run. */
const SCHEMAS = {
  'run-started': v.object({
    config: v.nullable(config),
    adapter: v.nullable(adapter),
    environment: v.nullable(environment),
    parameterCount: v.nullable(count),
    origin: recordOrigin,
    tokens: v.picklist(TOKEN_UNITS),
    date: text,
  }),
  texts: v.object({ texts: v.array(text) }),
  'update-started': v.object({ update: count, prompts: v.array(promptSchema) }),
  phase: v.object({ update: count, phase }),
  node: v.object({ update: count, prompt: count, node: nodeSchema }),
  expansion: v.object({
    update: count,
    prompt: count,
    record: v.object({ iteration: count, candidates: v.array(candidate), picks: ids }),
  }),
  leaves: v.object({
    update: count,
    prompt: count,
    leaves: ids,
    pruned: ids,
    search: v.exactOptional(v.array(v.object({ visits: count, quality: number }))),
  }),
  'prompts-added': v.object({ update: count, prompts: v.array(promptSchema) }),
  'groups-dropped': v.object({ update: count, batches: count, prompts: numbers }),
  rewards: v.object({
    update: count,
    trees: v.array(v.object({ prompt: count, byNode: numbersOrNull, signals: v.exactOptional(signals) })),
  }),
  credit: v.object({ update: count, trees: v.array(credit) }),
  loss: v.object({ update: count, minibatch: count, loss: number, rows: v.array(lossRow) }),
  step: v.object({
    ...{ update: count, minibatch: count, gradientNorm: number },
    ...{ gradientNorms: numberRecord, headNorms: v.array(headNorms), skipped: v.boolean() },
  }),
  metrics: v.object({ update: count, metrics }),
  'update-ended': v.object({ update: count }),
  evaluation: v.object({
    ...{ update: count, dataset: text, questions: count, greedy: v.boolean() },
    ...{ exactMatch: number, unknown: numberOrNull, reliability: numberOrNull },
  }),
  remembered: v.object({ update: count, ...memorySchema.entries }),
  status: v.object({
    update: count,
    phase: v.nullable(phase),
    status: v.picklist(['idle', 'preparing', 'running', 'paused', 'finished', 'failed']),
  }),
  failed: v.object({
    update: count,
    report: v.object({ what: text, where: text, got: text, wanted: text, next: text }),
  }),
} satisfies Record<Exclude<RunEvent['kind'], SessionEvent>, v.GenericSchema>;

const WHAT = 'The recorded run holds an event that is not valid';
const NEXT = 'Record the run again with this version: npm run lab -- --record.';

/**
 * Checks an event read from a recorded run.
 * @param where names the event in the error, e.g. 'line 7'
 * @throws RecordingError naming the first field that is not as the protocol has it
 */
export function parseLoggedEvent(value: unknown, where: string): RunEvent {
  const kind = (value as { readonly kind?: unknown } | null | undefined)?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(SCHEMAS, kind)) {
    const wanted = `one of ${Object.keys(SCHEMAS).join(', ')}`;
    throw new RecordingError({ what: WHAT, where: `${where}.kind`, got: quote(kind), wanted, next: NEXT });
  }
  const schema: v.GenericSchema = SCHEMAS[kind as keyof typeof SCHEMAS];
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) {
    throw new RecordingError(issueReport(parsed.issues, value, { what: WHAT, root: where, next: NEXT }));
  }
  return { kind, ...(parsed.output as object) } as RunEvent; // checked above; the brands of ids are type-only
}
