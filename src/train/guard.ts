/** Guards at the engine's edge: what comes from outside is a RunCommand or a RunEvent, or an error that says why not. */
import * as v from 'valibot';
import { ProtocolError, RecordingError } from './errors.ts';
import { parseRunConfig } from './config.ts';
import { PHASES, type RunCommand, type RunEvent } from './protocol.ts';
import { issueReport, quote } from './schema.ts';

const PLAIN_COMMANDS = [
  'play',
  'pause',
  'step-update',
  'step-phase',
  'reset',
  'save-weights',
  'close',
] as const;
const COMMANDS = ['open', 'load-weights', ...PLAIN_COMMANDS];

const refuse = (what: string, where: string, got: unknown, wanted: string): never => {
  throw new ProtocolError({
    what,
    where,
    got: quote(got),
    wanted,
    next: 'Reload the page, so that both sides are of one version.',
  });
};

const kindOf = (value: unknown): unknown => (value as { kind?: unknown } | null | undefined)?.kind;

/**
 * @throws ProtocolError when it is no command; RunConfigError or ConfigError when its configuration is not valid
 */
export function parseRunCommand(value: unknown): RunCommand {
  const kind = kindOf(value);
  const fields = value as Readonly<Record<string, unknown>>;
  const plain = PLAIN_COMMANDS.find((name) => name === kind);
  if (plain) return { kind: plain };
  if (kind === 'open') return { kind, config: parseRunConfig(fields.config) };
  if (kind === 'load-weights') {
    if (fields.bytes instanceof ArrayBuffer) return { kind, bytes: fields.bytes };
    return refuse(
      'The command to load weights has no weights',
      'command.bytes',
      fields.bytes,
      'an ArrayBuffer',
    );
  }
  return refuse(
    'The engine does not know this command',
    'command.kind',
    kind ?? value,
    `one of ${COMMANDS.join(', ')}`,
  );
}

// ---------------------------------------------------------------- events

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.string();
const isNumbers = (input: unknown): boolean =>
  Array.isArray(input) && input.every((item) => typeof item === 'number');
const numbers = v.custom<readonly number[]>(isNumbers, 'a list of numbers');
const numbersOrNull = v.custom<readonly (number | null)[]>(
  (input) => Array.isArray(input) && input.every((item) => item === null || typeof item === 'number'),
  'a list of numbers and nulls',
);
const numberRecord = v.record(text, v.number());
const phase = v.picklist(PHASES);
const ids = v.pipe(
  numbers,
  v.transform((list) => list as readonly never[]),
); // brands exist only in types

const origin = v.variant('kind', [
  v.object({ kind: v.literal('root') }),
  v.object({ kind: v.literal('initial'), branch: count }),
  v.object({ kind: v.literal('continuation') }),
  v.object({ kind: v.literal('expansion'), iteration: count, pick: count, resampled: count }),
  v.object({ kind: v.literal('duplicate'), of: count }),
]);

const node = v.object({
  id: count,
  parent: v.nullable(count),
  children: ids,
  depth: count,
  origin,
  tokens: ids,
  mask: numbers,
  logProb: numbers,
  entropy: numbers,
  turnEntropy: v.number(),
  lastGenerationLength: count,
  callCount: count,
  ending: v.nullable(
    v.picklist(['answer', 'malformed', 'call-limit', 'length', 'tool-failure', 'empty-call']),
  ),
  pruned: v.boolean(),
});

const candidate = v.object({
  node: count,
  turnEntropy: v.number(),
  siblingCount: count,
  penalty: v.number(),
  score: v.number(),
  rank: count,
  pickCount: count,
});

const credit = v.object({
  prompt: count,
  valueRule: v.picklist(['child_softmax', 'child_mean', 'leaf_mean', 'child_entropy']),
  advantageRule: v.picklist(['node_value', 'diff_parent', 'diff_global', 'diff_localglobal', 'vanilla']),
  normalised: numbersOrNull,
  values: numbers,
  advantages: numbers,
});

const lossRow = v.object({
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
  },
});

const adapter = v.object({ vendor: text, architecture: text, description: text, software: v.boolean() });
const environment = v.object({
  ...{ name: text, title: text, description: text, vocabulary: v.array(text), stopTokens: numbers },
  ...{ datasets: v.array(text), contextLength: count, callLimit: count },
});
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
const prompt = v.object({ index: count, dataset: text, seed: count, tokens: ids, answer: ids });
const metrics = v.custom<Readonly<Record<string, number>>>(
  (input) => typeof input === 'object' && input !== null && isNumbers(Object.values(input)),
  'numbers by name',
);

/** Events that a log may hold: all but `ready` and `weights`, which belong to a session and not to a run. */
const loggedEvent = v.variant('kind', [
  v.object({
    kind: v.literal('run-started'),
    config,
    adapter,
    environment,
    parameterCount: count,
    date: text,
  }),
  v.object({ kind: v.literal('update-started'), update: count, prompts: v.array(prompt) }),
  v.object({ kind: v.literal('phase'), update: count, phase }),
  v.object({ kind: v.literal('node'), update: count, prompt: count, node }),
  v.object({
    ...{ kind: v.literal('expansion'), update: count, prompt: count },
    record: v.object({ iteration: count, candidates: v.array(candidate), picks: ids }),
  }),
  v.object({ kind: v.literal('leaves'), update: count, prompt: count, leaves: ids, pruned: ids }),
  v.object({
    ...{ kind: v.literal('rewards'), update: count },
    trees: v.array(v.object({ prompt: count, byNode: numbersOrNull })),
  }),
  v.object({ kind: v.literal('credit'), update: count, trees: v.array(credit) }),
  v.object({
    kind: v.literal('loss'),
    update: count,
    minibatch: count,
    loss: v.number(),
    rows: v.array(lossRow),
  }),
  v.object({
    ...{ kind: v.literal('step'), update: count, minibatch: count, gradientNorm: v.number() },
    ...{ gradientNorms: numberRecord, skipped: v.boolean() },
  }),
  v.object({ kind: v.literal('metrics'), update: count, metrics }),
  v.object({
    ...{ kind: v.literal('evaluation'), update: count, dataset: text, questions: count },
    ...{ exactMatch: v.number(), greedy: v.boolean() },
  }),
  v.object({
    ...{ kind: v.literal('status'), update: count, phase: v.nullable(phase) },
    status: v.picklist(['idle', 'preparing', 'running', 'paused', 'finished', 'failed']),
  }),
  v.object({
    ...{ kind: v.literal('failed'), update: count },
    report: v.object({ what: text, where: text, got: text, wanted: text, next: text }),
  }),
]);

/**
 * Checks an event read from a recorded run.
 * @param where names the event in the error, e.g. 'line 7'
 * @throws RecordingError naming the first field that is not as the protocol has it
 */
export function parseLoggedEvent(value: unknown, where: string): RunEvent {
  const parsed = v.safeParse(loggedEvent, value);
  if (parsed.success) return parsed.output as unknown as RunEvent; // checked above; the brands of ids are type-only
  const next = 'Record the run again with this version: npm run lab -- --record.';
  throw new RecordingError(
    issueReport(parsed.issues, value, {
      what: 'The recorded run holds an event that is not valid',
      root: where,
      next,
    }),
  );
}
