/**
 * What a run's log is made of. The schemas are the one place that says it: types are inferred from them, and what a file says
 * is checked by them. Types of src/units are checked against their schema when this compiles.
 */
import * as v from 'valibot';
import type { BoundaryState } from '../algo/reward/boundary.ts';
import { parseRunConfig } from '../train/config/config.ts';
import { RecordingError } from './errors.ts';
import { importSummary } from './imported.ts';
import { PHASES, TOKEN_UNITS, type LoggedKind } from './log_kinds.ts';
import { issueReport, quote } from './schema.ts';
import {
  LEAF_ENDINGS,
  ADVANTAGE_RULES,
  AUTHORS,
  VALUE_RULES,
  type AuthoredSpan,
  type ErrorReport,
  type ExpansionRecord,
  type HeadNorms,
  type NodeId,
  type NodeTable,
  type RecordedPrompt,
  type RolloutFacts,
  type RunConfig,
  type SearchStatistics,
  type TokenId,
  type TreeSignals,
  type TurnNode,
} from '../units.ts';

// What fields are made of. Numbers may be NaN: skipped steps have it.

const isCount = (input: unknown): boolean => Number.isSafeInteger(input) && (input as number) >= 0;
const isNumbers = (input: unknown): boolean =>
  Array.isArray(input) && input.every((item) => typeof item === 'number');

const number = v.custom<number>((input) => typeof input === 'number', 'a number');
const count = v.custom<number>(isCount, 'a whole number');
const node = v.custom<NodeId>(isCount, 'a whole number');
const text = v.string();
const numbers = v.custom<readonly number[]>(isNumbers, 'a list of numbers');
const tokens = v.custom<readonly TokenId[]>(isNumbers, 'a list of numbers');
export const nodes = v.custom<readonly NodeId[]>(isNumbers, 'a list of numbers');
export const numbersOrNull = v.custom<NodeTable<number | null>>(
  (input) => Array.isArray(input) && input.every((item) => item === null || typeof item === 'number'),
  'a list of numbers and nulls',
);
const numberOrNull = v.nullable(number);
const phase = v.picklist(PHASES);
const list = <Schema extends v.GenericSchema>(item: Schema) => v.pipe(v.array(item), v.readonly());

/** A type of src/units: that its schema makes it is checked here, field by field. */
const of = <Unit>(schema: v.GenericSchema<unknown, Unit>): v.GenericSchema<unknown, Unit> => schema;

const spans = of<readonly AuthoredSpan[]>(
  list(
    v.object({
      author: v.picklist(AUTHORS),
      tokens: count,
      guessed: v.exactOptional(v.literal(true)),
    }),
  ),
);

const origin = v.variant('kind', [
  v.object({ kind: v.literal('root') }),
  v.object({ kind: v.literal('initial'), branch: count }),
  v.object({ kind: v.literal('continuation') }),
  v.object({ kind: v.literal('expansion'), iteration: count, pick: count, resampled: node }),
  v.object({ kind: v.literal('duplicate'), of: node }),
  v.object({ kind: v.literal('branch'), iteration: count, pick: count }),
  v.object({ kind: v.literal('scout') }),
  v.object({ kind: v.literal('imported'), inferred: v.boolean(), spans: v.exactOptional(spans) }),
]);

const ending = v.picklist(LEAF_ENDINGS);

export const nodeSchema = of<TurnNode>(
  v.object({
    ...{ id: node, parent: v.nullable(node), children: nodes, tree: count, depth: count, origin },
    ...{ tokens, mask: numbers, logProb: v.nullable(numbers), entropy: v.nullable(numbers) },
    turnSurprisal: numberOrNull,
    ...{ lastGenerationLength: count, callCount: count },
    ending: v.nullable(ending),
    pruned: v.boolean(),
    retrieved: v.exactOptional(v.literal(true)),
  }),
);

export const promptSchema = of<RecordedPrompt>(
  v.object({
    ...{ index: count, dataset: text, seed: v.nullable(count), tokens, answer: v.nullable(tokens) },
    spans: v.exactOptional(spans),
    group: v.exactOptional(v.object({ key: text, by: v.nullable(text) })),
  }),
);

const expansionRecord = of<ExpansionRecord>(
  v.object({
    iteration: count,
    candidates: list(
      v.object({
        ...{ node, turnSurprisal: number, siblingCount: count, penalty: number },
        ...{ score: number, rank: count, pickCount: count },
      }),
    ),
    picks: nodes,
  }),
);

const search = of<NodeTable<SearchStatistics>>(list(v.object({ visits: count, quality: number })));

export const signalsSchema = of<TreeSignals>(
  v.object({ belief: v.nullable(numbersOrNull), baseline: numberOrNull, stepReward: v.nullable(numbers) }),
);

const headNorms = of<readonly HeadNorms[]>(
  list(v.object({ query: numbers, key: numbers, value: numbers, output: numbers })),
);

const tokenCount = v.nullable(v.object({ tokens: count, inLoss: v.nullable(count) }));
const boundary = v.object({
  ...{ at: v.nullable(count), length: count, inTurn: v.boolean(), sameText: v.boolean() },
  ...{ sampled: numbers, rendered: numbers },
});
const turnFacts = v.object({
  ...{ node, after: node, state: count, index: count, calls: count, read: tokenCount, written: tokenCount },
  ...{ hasIds: v.boolean(), endsInLoss: v.nullable(v.boolean()) },
  ...{ reward: numberOrNull, advantage: numberOrNull },
  ...{ sampler: v.nullable(numbersOrNull), trainer: v.nullable(numbersOrNull) },
  boundary: v.nullable(boundary),
});
const rolloutFacts = of<RolloutFacts>(
  v.object({
    ...{ prompt: count, leaf: node, rows: count, place: text, calls: count, ending },
    ...{ reward: numberOrNull, advantage: numberOrNull, turns: list(turnFacts) },
  }),
);

const report = of<ErrorReport>(v.object({ what: text, where: text, got: text, wanted: text, next: text }));

const config = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset, addIssue, NEVER }): RunConfig => {
    try {
      return parseRunConfig(dataset.value);
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : String(error) });
      return NEVER;
    }
  }),
);

/** Where a record comes from. */
const recordOrigin = v.variant('kind', [
  v.object({ kind: v.literal('trained') }), // here, from its first update
  v.object({ kind: v.literal('forked'), run: text, update: count }), // trained here, from another run's weights
  v.object({
    ...{ kind: v.literal('imported'), file: text, format: text }, // somebody else's rollouts
    summary: v.exactOptional(importSummary),
  }),
  v.object({ kind: v.literal('example') }), // a tree that a person made, with no policy behind it
]);
const tokenUnit = v.picklist(TOKEN_UNITS);

export const adapterSchema = v.object({
  vendor: text,
  architecture: text,
  description: text,
  software: v.boolean(), // a CPU adapter (SwiftShader, lavapipe, WARP)
});

/** What the page needs of an environment: names for tokens, and limits. */
const environment = v.object({
  name: text,
  title: text,
  description: text,
  vocabulary: list(text),
  stopTokens: numbers,
  datasets: list(text),
  contextLength: count, // tokens
  callLimit: count,
});

/** Rewards of one tree, by node; null where the node is not a leaf. Dimensionless. */
const treeRewards = v.object({
  prompt: count,
  byNode: numbersOrNull,
  signals: v.exactOptional(signalsSchema), // absent where the credit rule reads none, and of groups that were dropped
});

/**
 * Credit of one tree, by node: what backUpValues and turnAdvantages returned; or what another trainer's file says it was
 * trained with, by rules that may be unknown. Dimensionless.
 */
const treeCredit = v.object({
  prompt: count,
  valueRule: v.nullable(v.picklist(VALUE_RULES)),
  advantageRule: v.nullable(v.picklist(ADVANTAGE_RULES)),
  normalised: v.nullable(numbersOrNull), // leaves only
  values: v.nullable(numbers),
  advantages: numbersOrNull, // null where a file says nothing of the turn
});

/** One row of a mini-batch as the loss saw it. Token arrays follow the row's scored tokens in order. */
export const lossRow = v.object({
  prompt: count,
  leaf: node,
  tokenIndex: numbers, // place of each scored token in the row, from the row's first token
  turnIndex: numbers, // turn in the row, from 0
  oldLogProb: numbers, // nats
  logProb: numbers, // nats
  entropy: numbers, // nats
  advantage: numbers,
  weight: numbers, // 1 / (B·n_i)
  tokenLoss: numbers, // before weighting
  dlogProb: numbers, // ∂loss/∂logProb
  turnLogRatio: numbers, // per turn, nats
  clipScale: v.exactOptional(numbers), // factor of each token's clip band; absent: 1 (A²TGPO sets it)
  ratioFactor: v.exactOptional(v.number()), // factor of the row's ratios; absent: 1 (RAPO sets it)
});

/** Metrics of one update; fractions in [0, 1], entropies in nats. Meanings: src/train/README.md. */
const updateMetrics = v.object({
  exactMatch: number, // of the initial rollouts (expanded leaves are biased)
  unknown: numberOrNull, // share of these that say "I do not know"; null in older logs
  reliability: numberOrNull, // of these, by BAPO's measure; null in older logs
  meanReward: number, // over all leaves
  malformed: number, // share of leaves that break the form
  turnSurprisal: number, // mean H over sampled turns, nats per token
  depth: number, // turns per leaf path
  toolCalls: number, // per leaf path
  deadTrees: number, // share of trees whose leaves all earned the same reward
  sampledTokens: number,
  rolloutBatches: number, // batches of prompts that were rolled out
  droppedGroups: number, // of them, prompts that are not trained on
  loss: number, // mean over mini-batches
  clipFraction: number, // pg_clipfrac
  clipFractionLast: number, // of the last mini-batch
  ppoKl: number, // token mean of −logRatio
  turnKlEntropy: number,
  singleTurnCount: number,
  gradientNorm: number, // before clipping, mean over mini-batches
  skippedSteps: number,
  uniqueTokens: number, // computed in training: a prefix that rows of a tree share counts once
  rowTokens: number, // in all rows
  entropy: number, // masked token mean of the whole distribution
  rolloutMs: number,
  trainMs: number,
});

/** V* of a question: what A*-PO found that the policy before training can earn there, dimensionless. */
const optimalValue = v.object({ dataset: text, seed: count /* of the question */, value: number });

/** What an update or its evaluation changed of what the run remembers; what stayed is absent. Added up over a log, and held whole by a checkpoint. */
export const memorySchema = v.object({
  /** BAPO: its phase, and the validations that decide on it. */
  boundary: v.exactOptional(
    of<BoundaryState>(
      v.object({ phase: v.picklist(['exploration', 'plateau']), best: numberOrNull, below: count }),
    ),
  ),
  optimalValues: v.exactOptional(list(optimalValue)), // A*-PO: those found in this update
  rewardModelSteps: v.exactOptional(count), // iStar: optimiser steps of its second network so far
});

const status = v.picklist(['idle', 'preparing', 'running', 'paused', 'finished', 'failed']);

/** The events of a log by kind. `update` counts from 1; 0 is before the first. */
const EVENTS = {
  'run-started': v.object({
    config: v.nullable(config), // the recipe; null: unknown, as of another trainer's rollouts
    adapter: v.nullable(adapterSchema),
    environment: v.nullable(environment),
    parameterCount: v.nullable(count),
    origin: recordOrigin,
    tokens: tokenUnit,
    date: text, // ISO 8601; '' where unknown
    resumedAfter: v.exactOptional(count), // the update whose checkpoint the run goes on from; absent: from the start
    writtenIn: v.exactOptional(count), // the version of the log that it was first written in; absent: the newest
  }),
  /** How the next token ids of a record read: they count on from those told before. */
  texts: v.object({ texts: list(text) }),
  'update-started': v.object({ update: count, prompts: list(promptSchema) }),
  /** A filter wants more groups: prompts of one more rollout batch of this update. */
  'prompts-added': v.object({ update: count, prompts: list(promptSchema) }),
  phase: v.object({ update: count, phase }),
  /** A node is complete: its turn is sampled. Children arrive later and name it as parent; its own list is empty here. */
  node: v.object({ update: count, prompt: count, node: nodeSchema }),
  expansion: v.object({ update: count, prompt: count, record: expansionRecord }),
  /** Rows chosen: pruned nodes and the leaves of each tree, in row order. */
  leaves: v.object({
    update: count,
    prompt: count,
    leaves: nodes,
    pruned: nodes,
    search: v.exactOptional(search), // of a search tree
  }),
  /** What a file says of its rollouts and no tree holds. Posted once an update, after its rows. */
  'rollout-facts': v.object({ update: count, rollouts: list(rolloutFacts) }),
  rewards: v.object({ update: count, trees: list(treeRewards) }),
  /** Groups that the filter does not train on: they get no credit. Posted after the rewards, and only if there are any. */
  'groups-dropped': v.object({
    update: count,
    batches: count, // rolled out to choose from
    prompts: numbers, // Prompt.index
  }),
  credit: v.object({ update: count, trees: list(treeCredit) }),
  loss: v.object({ update: count, minibatch: count /* from 0 */, loss: number, rows: list(lossRow) }),
  step: v.object({
    update: count,
    minibatch: count,
    gradientNorm: number,
    gradientNorms: v.record(text, number), // by parameter
    headNorms, // by layer; none where the policy has no heads, or the log is older
    skipped: v.boolean(),
  }),
  metrics: v.object({ update: count, metrics: updateMetrics }),
  /** An update without metrics is complete: nobody measured any. */
  'update-ended': v.object({
    update: count,
    /** More of it stands in the file that the record was made of, after the prompts that are here. */
    elsewhere: v.exactOptional(v.object({ groups: count, rollouts: count })),
  }),
  evaluation: v.object({
    update: count,
    dataset: text,
    questions: count,
    greedy: v.boolean(),
    exactMatch: number, // [0, 1]
    unknown: numberOrNull, // share of "I do not know"; null in older logs
    reliability: numberOrNull, // by BAPO's measure; null in older logs
  }),
  /** The update's last event, where the run remembers something new after it; in no log of the first version. */
  remembered: v.object({ update: count, ...memorySchema.entries }),
  /** Also said of a session; in a log it tells how far the run came. */
  status: v.object({ status, update: count, phase: v.nullable(phase) }),
  failed: v.object({ update: count, report }),
} satisfies Readonly<Record<LoggedKind, v.GenericSchema>>;

/** An event of a run: what its log holds. */
export type RunEvent = {
  [K in LoggedKind]: Readonly<{ kind: K } & v.InferOutput<(typeof EVENTS)[K]>>;
}[LoggedKind];

export type Phase = v.InferOutput<typeof phase>;
export type RunOrigin = Readonly<v.InferOutput<typeof recordOrigin>>;
export type TokenUnit = v.InferOutput<typeof tokenUnit>;
export type RunStatus = v.InferOutput<typeof status>;
export type AdapterDescription = Readonly<v.InferOutput<typeof adapterSchema>>;
export type EnvironmentDescription = Readonly<v.InferOutput<typeof environment>>;
export type TreeRewards = Readonly<v.InferOutput<typeof treeRewards>>;
export type TreeCredit = Readonly<v.InferOutput<typeof treeCredit>>;
export type LossRow = Readonly<v.InferOutput<typeof lossRow>>;
export type UpdateMetrics = Readonly<v.InferOutput<typeof updateMetrics>>;
export type OptimalValue = Readonly<v.InferOutput<typeof optimalValue>>;
export type MemoryChange = Readonly<v.InferOutput<typeof memorySchema>>;

const WHAT = 'The recorded run holds an event that is not valid';
const NEXT = 'Record the run again with this version: npm run lab -- --record.';

/**
 * Checks an event read from a recorded run.
 * @param where names the event in the error, e.g. 'line 7'
 * @throws RecordingError naming the first field that is not as the protocol has it
 */
export function parseLoggedEvent(value: unknown, where: string): RunEvent {
  const kind = (value as { readonly kind?: unknown } | null | undefined)?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(EVENTS, kind)) {
    const wanted = `one of ${Object.keys(EVENTS).join(', ')}`;
    throw new RecordingError({ what: WHAT, where: `${where}.kind`, got: quote(kind), wanted, next: NEXT });
  }
  const schema: v.GenericSchema = EVENTS[kind as keyof typeof EVENTS];
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) {
    throw new RecordingError(issueReport(parsed.issues, value, { what: WHAT, root: where, next: NEXT }));
  }
  return { kind, ...(parsed.output as object) } as RunEvent; // checked above, by the schema of its kind
}
