/** Ids, prompts and turn trees. */

declare const nodeIdBrand: unique symbol;
declare const tokenIdBrand: unique symbol;

/** Index of a node in its tree, in creation order; the root is 0. */
export type NodeId = number & { readonly [nodeIdBrand]: true };
/** Index of a token in the record's table of texts: the environment's vocabulary, or one that grows with the words of a file. */
export type TokenId = number & { readonly [tokenIdBrand]: true };

export const nodeId = (index: number): NodeId => index as NodeId;
export const tokenId = (index: number): TokenId => index as TokenId;
export const ROOT = nodeId(0);

/** One value per node of a tree, indexed by NodeId. */
export type NodeTable<T> = readonly T[];

/**
 * Who wrote a stretch of somebody else's rollout. `assistant`: a model's words that the prompt brought along; `policy`: sampled
 * in this rollout.
 */
export const AUTHORS = ['system', 'user', 'assistant', 'policy', 'tool'] as const;
export type Author = (typeof AUTHORS)[number];

export interface AuthoredSpan {
  readonly author: Author;
  readonly tokens: number; // of the record
  readonly guessed?: true; // where it begins or ends could be read in another way
}

/** A prompt as a record has it. What a file does not say is null, which is not 0 and not empty. */
export interface RecordedPrompt {
  readonly index: number; // place in the update's batch
  readonly dataset: string; // '' where a file names none
  readonly seed: number | null; // null: no environment of ours made it
  readonly tokens: readonly TokenId[];
  readonly answer: readonly TokenId[] | null; // the true answer; null: unknown
  readonly spans?: readonly AuthoredSpan[]; // who wrote the tokens, in order; absent: nobody says
  /** Of a file: what its rollouts share. `by`: the field that says so; null: their prompts are equal. */
  readonly group?: { readonly key: string; readonly by: string | null };
}

/** A prompt of one of our environments. */
export interface Prompt extends RecordedPrompt {
  readonly seed: number; // uint32, fixes the question and its world
  readonly answer: readonly TokenId[];
}

/** Why a path ended. */
export const LEAF_ENDINGS = [
  'answer', // the policy answered (rightly or wrongly), or sampled the end of text
  'malformed', // the turn breaks the grammar
  'call-limit', // one tool call too many
  'length', // no room left in the response
  'tool-failure', // the tool gave no result
  'empty-call', // a tool call without a query
  'unknown', // of a file that does not say
] as const;
export type LeafEnding = (typeof LEAF_ENDINGS)[number];

/** How a node came to be. */
export type NodeOrigin =
  | { readonly kind: 'root' }
  | { readonly kind: 'initial'; readonly branch: number } // one of the M first turns
  | { readonly kind: 'continuation' } // opened by the tool result of its parent's call
  | {
      readonly kind: 'expansion';
      readonly iteration: number;
      readonly pick: number;
      readonly resampled: NodeId;
    }
  /** One more way to go on after the parent; of ARPO, a copy of a path that had gone on there already. */
  | { readonly kind: 'branch'; readonly iteration: number; readonly pick: number }
  | { readonly kind: 'scout' } // AEPO: sampled only to decide M; always pruned
  | { readonly kind: 'duplicate'; readonly of: NodeId } // copy of the last leaf, to fill the group
  /** Read from a file that does not say. `inferred`: it stands here because a path begins as another does. */
  | {
      readonly kind: 'imported';
      readonly inferred: boolean;
      readonly spans?: readonly AuthoredSpan[]; // who wrote the node's tokens, in order
    }
  /** Made by a person in a copy of the tree; never in a run. `edited`: the result that opens it was rewritten. */
  | { readonly kind: 'by-hand'; readonly intervention: number; readonly edited: boolean };

/** A turn in the tree: the tool result that opened it (mask 0) and the tokens the policy wrote (mask 1). */
export interface TurnNode {
  readonly id: NodeId;
  readonly parent: NodeId | null; // null at the root
  readonly children: readonly NodeId[]; // creation order
  readonly tree: number; // of the prompt's trees (Tree-GRPO): index of the one it stands in; else, and at the root, 0
  readonly depth: number; // tool results on the path, this node's own included
  readonly origin: NodeOrigin;
  readonly tokens: readonly TokenId[]; // this node's own tokens, in order
  readonly mask: readonly number[]; // 1 sampled by the policy, 0 inserted by the environment
  readonly logProb: readonly number[] | null; // nats, sampling policy; 0 where mask is 0; null: unknown
  readonly entropy: readonly number[] | null; // nats, whole next-token distribution; 0 where mask is 0; null: unknown
  /**
   * H of the released code: mean surprisal of the last generation's tokens, nats per token; the root's
   * is 0. Called entropy there; it is a one-sample estimate of it (algorithms' spec 2.2). Null: unknown.
   */
  readonly turnSurprisal: number | null;
  readonly lastGenerationLength: number; // tokens of the most recent generation call of this node
  readonly callCount: number; // tool calls on the path, this node's own included
  readonly ending: LeafEnding | null; // set on leaves
  readonly pruned: boolean; // taken out of the group; no longer among its parent's children
  /** RAPO: the last `lastGenerationLength` tokens were copied from a stored step, not sampled; their mask is 0. */
  readonly retrieved?: true;
}

/** A turn that was sampled here: all its numbers are known. */
export interface SampledNode extends TurnNode {
  readonly logProb: readonly number[];
  readonly entropy: readonly number[];
  readonly turnSurprisal: number;
}

/** What a search remembers of a node. */
export interface SearchStatistics {
  readonly visits: number; // N: paths backed up through the node
  readonly quality: number; // Q: mean of their rewards; 0 where there was none
}

/** A finished tree of any record: what credit reads. */
export interface RecordedTree {
  readonly prompt: RecordedPrompt;
  readonly nodes: NodeTable<TurnNode>;
  readonly leaves: readonly NodeId[]; // rows of the training batch, breadth-first
  readonly expansions: readonly ExpansionRecord[];
  readonly search?: NodeTable<SearchStatistics>; // of a search tree
}

/** A tree that a policy of ours grew in an environment of ours. */
export interface RolloutTree extends RecordedTree {
  readonly prompt: Prompt;
  readonly nodes: NodeTable<SampledNode>;
}

export interface ExpansionCandidate {
  readonly node: NodeId;
  readonly turnSurprisal: number; // nats per token
  readonly siblingCount: number; // max(0, children of the reference node − 1)
  readonly penalty: number; // of a turn tree alpha · siblingCount; else 0, or what the shape's file says
  readonly score: number; // of a turn tree turnSurprisal − penalty; else what the shape's file says
  readonly rank: number; // 0 is best; ties keep breadth-first order
  readonly pickCount: number; // times picked in this iteration
}

export interface ExpansionRecord {
  readonly iteration: number;
  readonly candidates: readonly ExpansionCandidate[]; // breadth-first order
  readonly picks: readonly NodeId[]; // in order; a node may stand twice
}
