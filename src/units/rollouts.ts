/** What a record says of its rollouts beside their trees: of a file that was imported, and made the same of a run of ours. */
import type { LeafEnding, NodeId } from './trees.ts';

/** Tokens of a span, and how many of them the trainer's loss covers; null: the file does not say. */
export interface TokenCount {
  readonly tokens: number;
  readonly inLoss: number | null;
}

/**
 * What was sampled before a turn, against the ids that the turn's own context begins with. The two are the same where
 * tokens go in as they came out, and may differ where the conversation is rendered and tokenised again.
 */
export interface Boundary {
  /** First token that differs, from the row's first; null: all are the same. */
  readonly at: number | null;
  readonly length: number; // tokens that should be there again
  readonly inTurn: boolean; // the token is of the turn just before; else of what that one had read
  readonly sameText: boolean; // the words of the conversation are the same
  readonly sampled: readonly number[]; // some ids about the first difference
  readonly rendered: readonly number[];
}

/** One generation. */
export interface TurnFacts {
  readonly node: NodeId;
  readonly after: NodeId; // the node after which it was sampled
  readonly state: number; // turns of one state had read the same, tool results included; numbered within the group, from 0
  readonly index: number; // turn of its row, from 0
  readonly calls: number; // tool calls that it asks for
  readonly read: TokenCount | null; // what was read since the turn before, of the first turn the prompt too
  readonly written: TokenCount | null;
  readonly hasIds: boolean;
  readonly endsInLoss: boolean | null; // its last token is under the loss
  readonly reward: number | null; // of this turn alone
  readonly advantage: number | null; // as the trainer used it
  /** Nats, of the tokens under the loss, in order; of the policy that sampled and of the trainer before its step. */
  readonly sampler: readonly (number | null)[] | null;
  readonly trainer: readonly (number | null)[] | null;
  readonly boundary: Boundary | null; // null: the first turn, or nothing to compare
}

export interface RolloutFacts {
  readonly prompt: number; // its group: Prompt.index
  readonly leaf: NodeId; // of its first row
  readonly rows: number; // of a training batch
  readonly place: string; // where it stands in the input, or the name of its leaf
  readonly reward: number | null;
  readonly advantage: number | null;
  readonly ending: LeafEnding;
  readonly calls: number;
  readonly turns: readonly TurnFacts[]; // of all its rows, shared turns once
}

/** What files are called together: the one file, the folder, or how many there are. */
export function filesTitle(files: readonly { readonly path: string }[]): string {
  if (files.length === 1) return files[0].path.split('/').at(-1) ?? '';
  const [folder] = files[0]?.path.split('/') ?? [];
  const isFolder = folder && files.every(({ path }) => path.startsWith(`${folder}/`));
  return isFolder ? `${folder}, ${files.length} files` : `${files.length} files`;
}

/** Of a turn's sampled tokens, nats per token; null where there is none, or one is unknown. @param logProbs nats */
export const meanSurprisal = (logProbs: readonly (number | null)[]): number | null =>
  logProbs.length === 0 || logProbs.includes(null)
    ? null
    : -logProbs.reduce<number>((sum, each) => sum + (each ?? 0), 0) / logProbs.length;
