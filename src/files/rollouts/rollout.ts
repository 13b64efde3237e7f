/** The form that every rollout file is read into: rollouts, their rows, spans by who wrote them. What a file does not say is null. */
import {
  LabError,
  quote,
  type Author,
  type Boundary,
  type ErrorReport,
  type LeafEnding,
} from '../../units.ts';

export interface ToolCall {
  readonly name: string; // '' where the file names none
  readonly arguments: string; // as written, JSON as a rule
}

export type MaybeNumbers = readonly (number | null)[];

/** What a file says of the tokens of a span; every list that is there has one entry a token. */
export interface SpanTokens {
  readonly ids: readonly number[] | null; // of the trainer's tokenizer
  readonly pieces: readonly string[] | null; // the text of each token
  readonly mask: readonly boolean[] | null; // true: the trainer's loss covers the token
  readonly logProbs: MaybeNumbers | null; // nats, of the sampler
  readonly trainerLogProbs: MaybeNumbers | null; // nats, of the trainer before the update
  readonly entropies: MaybeNumbers | null; // nats, whole next-token distribution
  readonly advantages: MaybeNumbers | null; // as the trainer used them
}

export interface Span {
  readonly author: Author;
  readonly text: string;
  readonly calls: readonly ToolCall[]; // tool calls that the text asks for
  readonly tokens: SpanTokens | null;
  readonly reward: number | null; // of this turn alone
  readonly advantage: number | null; // of this turn, as the trainer used it
  readonly boundary: Boundary | null; // of a turn: what it read against what was sampled before; null where nothing can be compared
  readonly guessed: boolean; // where it begins or ends could be read in another way
  readonly node: TreeNode | null; // where it stands in the tree that it was taken from
}

/** What a file that holds the nodes of a tree says of one. */
export interface TreeNode {
  readonly key: string; // the same in all rows of the group that share it
  readonly value: number | null; // backed up to it
}

/** One row of a training batch: from the prompt to one end. A rollout has several where its context was rewritten or branched. */
export interface Row {
  readonly spans: readonly Span[];
}

/** Where something stands in the input. */
export interface Place {
  readonly path: string;
  readonly line: number; // from 1; of a table, the row
}

export interface Rollout {
  readonly id: string; // '' where the file names none
  readonly group: { readonly key: string; readonly by: string | null }; // by: the field; null: inferred from equal prompts
  readonly task: string; // what was asked, to tell tasks of one group apart
  readonly step: number | null; // of training
  readonly dataset: string;
  readonly rows: readonly Row[];
  readonly reward: number | null;
  readonly advantage: number | null; // of the whole rollout, as the trainer used it
  readonly answer: string | null; // the true one
  readonly ending: LeafEnding;
  readonly place: Place;
  readonly lines?: readonly number[]; // all that it was put together from; absent: that of its place
  readonly notes: readonly Note[]; // what had to be guessed or mapped to read it
}

export interface Note {
  readonly kind: string;
  readonly text: string;
}

/** A line, a row or a whole file that could not be read; the rest was. */
export interface Refusal extends Place {
  readonly report: ErrorReport;
}

/** Something of a rollout file cannot be read. */
export class ImportError extends LabError {
  constructor(report: ErrorReport, cause?: unknown) {
    super('ImportError', report, cause);
  }
}

export const NO_TOKENS: SpanTokens = {
  ...{ ids: null, pieces: null, mask: null, logProbs: null },
  ...{ trainerLogProbs: null, entropies: null, advantages: null },
};

export const span = (author: Author, text: string, more: Partial<Span> = {}): Span => ({
  ...{ author, text, calls: [], tokens: null, reward: null, advantage: null },
  ...{ boundary: null, guessed: false, node: null },
  ...more,
});

export const isTurn = ({ author }: Span): boolean => author === 'policy';

/** Spans before the first turn: what the row was asked. */
export function promptOf({ spans }: Row): readonly Span[] {
  const first = spans.findIndex(isTurn);
  return first < 0 ? spans : spans.slice(0, first);
}

/** The words of the prompt that pose the task: of the user where there are any, else all. */
export function taskOf(row: Row | undefined): string {
  const prompt = row ? promptOf(row) : [];
  const asked = prompt.filter(({ author }) => author === 'user');
  return (asked.length > 0 ? asked : prompt).map(({ text }) => text).join('\n');
}

/** How many tokens a span has by what its file says; null: unknown. */
export function tokenCount({ tokens }: Span): number | null {
  const { ids, pieces, mask, logProbs } = tokens ?? NO_TOKENS;
  return (ids ?? pieces ?? mask ?? logProbs)?.length ?? null;
}

/** A rollout of what a reader found; the rest is unknown. The group is inferred unless `group` says by which field. */
export function rollout(place: Place, rows: readonly Row[], found: Partial<Rollout>): Rollout {
  const group = found.group ?? { key: rows[0] ? JSON.stringify(promptOf(rows[0]).map(({ text }) => text)) : '', by: null }; // prettier-ignore
  return {
    ...{ id: '', task: taskOf(rows[0]), step: null, dataset: '', reward: null, advantage: null },
    ...{ answer: null, ending: 'unknown', notes: [] },
    ...found,
    ...{ group, rows, place },
  };
}

/** The number of a reward that a file holds; NaN, infinities and text that is no number are unknown, and noted. */
export function rewardOf(value: unknown): {
  readonly reward: number | null;
  readonly notes: readonly Note[];
} {
  if (value === null || value === undefined) return { reward: null, notes: [] };
  if (typeof value === 'boolean') return { reward: Number(value), notes: [note('reward-mapped', `a reward is ${value}: read as ${Number(value)}`)] }; // prettier-ignore
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return { reward: number, notes: [] };
  return {
    reward: null,
    notes: [note('reward-not-a-number', `a reward is ${quote(value)}: read as unknown`)],
  };
}

export const note = (kind: string, text: string): Note => ({ kind, text });
