/** What a record of somebody else's rollouts says of the files that it was read from. Unknown is null, never 0. */
import * as v from 'valibot';
import type { ErrorReport, NodeId } from '../units.ts';

const isCount = (input: unknown): boolean => Number.isSafeInteger(input) && (input as number) >= 0;
const count = v.custom<number>(isCount, 'a whole number');
const node = v.custom<NodeId>(isCount, 'a whole number');
const text = v.string();
const numberOrNull = v.nullable(v.number());
const list = <Schema extends v.GenericSchema>(item: Schema) => v.pipe(v.array(item), v.readonly());

const place = { path: text, line: count }; // from 1; of a table, the row
const report = v.object({
  ...{ what: text, where: text, got: text, wanted: text, next: text },
}) satisfies v.GenericSchema<ErrorReport>;

/** A leaf of the record. */
const leaf = v.object({ update: count, prompt: count, leaf: node });

/** One step of the trainer, over all its rollouts, those that the record does not hold included. */
const step = v.object({
  step: numberOrNull, // as the file says; null: it does not
  update: v.nullable(count), // of the record; null: none of it is in the record
  ...{ rollouts: count, groups: count, turns: count, calls: count },
  deadGroups: count, // with two scored rollouts or more, whose rewards are all equal
  liveGroups: count, // with two rewards that differ
  rewardMean: numberOrNull,
  rewardSpread: numberOrNull, // mean over groups of two or more of the standard deviation (population)
  characters: v.number(), // mean of the text that the policy wrote in a rollout
  surprisal: numberOrNull, // nats per token, mean over turns whose log-probabilities are known
  cut: v.optional(count), // rollouts of which the file says that they ran out of length or broke the grammar
});

/** How the person had the files read; null: as recognised. */
const choices = v.object({
  format: v.nullable(text),
  delimiters: v.nullable(text),
  reward: v.nullable(text), // field of a row, a path with dots
  group: v.nullable(text),
});

export const importSummary = v.object({
  ...{ format: text, title: text, version: text, why: text }, // why: it was recognised
  formats: v.record(text, count), // rollouts by format
  tier: v.picklist(['A', 'B', 'C']), // that every rollout reached
  tierWords: text, // what is there, what is missing
  tiers: v.object({ A: count, B: count, C: count }),
  rollouts: count,
  held: count, // of these, in the record
  failed: list(v.object({ ...place, text })), // never came to a turn, or say so
  ...{ rows: count, branches: count, groups: count, groupedBy: text, steps: count },
  ...{ turns: count, observations: count, calls: count },
  tokens: v.nullable(count), // of turns; null where one is unknown
  rewards: v.object({ known: count, mean: numberOrNull, least: numberOrNull, most: numberOrNull }),
  ...{ trees: count, merges: count, mergedTurns: count },
  deepestMerge: v.nullable(v.object({ turns: count, group: text })),
  lints: list(
    v.object({
      ...{ kind: text, text, count },
      places: list(v.object({ ...place, at: v.nullable(leaf) })), // the first of them
    }),
  ),
  refused: list(v.object({ ...place, report })), // the first of them
  refusedCount: count,
  skipped: list(v.object({ path: text, why: text })),
  byStep: list(step), // those of unknown step first
  /** Of what the record does not hold; absent: it holds all. */
  rest: v.optional(v.object({ inFile: v.boolean() /* its lines are read back */, why: text })),
  choices,
});

export type ImportSummary = Readonly<v.InferOutput<typeof importSummary>>;
export type ImportChoices = Readonly<v.InferOutput<typeof choices>>;
export type StepSummary = Readonly<v.InferOutput<typeof step>>;
export type ImportLint = ImportSummary['lints'][number];
export type RecordPlace = Readonly<v.InferOutput<typeof leaf>>;

/** Some lines of a file, and the groups of interest in them. */
export interface FileLines {
  readonly path: string;
  readonly format: string; // that the file was recognised as
  readonly ranges: readonly number[]; // by threes: first byte, the byte after the last, number of the first line
  readonly groups: readonly number[]; // hashes of their keys
}

/** A file that a person chose; `path` names it within its folder. */
export interface ChosenFile {
  readonly path: string;
  readonly blob: Blob;
  readonly only?: FileLines; // absent: all of it
}

/** Rollouts as a recording, which opens like any other. */
export interface ImportedRecord {
  readonly log: Blob | null; // null: nothing of the files can be shown
  readonly summary: ImportSummary;
  /** By update, the lines that all its groups stand in; null: the record holds all, or lines cannot be read back. */
  readonly index: readonly (readonly FileLines[])[] | null;
}

/** What a person may choose where a file is read otherwise, with what the first rows say of it. */
export interface ImportLook {
  readonly summary: ImportSummary; // of the first part of the text
  readonly isWhole: boolean; // which is all of it
  readonly formats: readonly { readonly name: string; readonly title: string }[];
  readonly fields: readonly { readonly path: string; readonly example: string }[]; // of the first rows
}

export interface ImportHooks {
  readonly onProgress: (progress: { readonly bytes: number; readonly rollouts: number }) => void;
  readonly onFirst: (first: ImportedRecord) => void; // what was read first, while the rest is
  readonly signal: AbortSignal;
}
