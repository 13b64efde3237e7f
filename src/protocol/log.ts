/** What a run's log is made of: the payloads of its events. */
import type { BoundaryState } from '../algo/reward/boundary.ts';
import type { AdvantageRule, NodeId, NodeTable, TreeSignals, ValueRule } from '../units.ts';

/** The phases of one update, in order. */
export const PHASES = ['rollout', 'reward', 'value', 'advantage', 'loss', 'step'] as const;
export type Phase = (typeof PHASES)[number];

export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly software: boolean; // a CPU adapter (SwiftShader, lavapipe, WARP)
}

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

/** What the page needs of an environment: names for tokens, and limits. */
export interface EnvironmentDescription extends CatalogueEntry {
  readonly vocabulary: readonly string[];
  readonly stopTokens: readonly number[];
  readonly datasets: readonly string[];
  readonly contextLength: number; // tokens
  readonly callLimit: number;
}

/** Where a record comes from. */
export type RunOrigin =
  | { readonly kind: 'trained' } // here, from its first update
  | { readonly kind: 'forked'; readonly run: string; readonly update: number } // trained here, from another run's weights
  | { readonly kind: 'imported'; readonly file: string; readonly format: string }; // somebody else's rollouts

/**
 * What one token id of a record stands for: a token of the environment's vocabulary, a token of another policy's, or, where a
 * file holds text alone, a word with the white space before it. The last two are told by `texts` events.
 */
export const TOKEN_UNITS = ['vocabulary', 'tokens', 'words'] as const;
export type TokenUnit = (typeof TOKEN_UNITS)[number];

/** Rewards of one tree, by node; null where the node is not a leaf. Dimensionless. */
export interface TreeRewards {
  readonly prompt: number;
  readonly byNode: NodeTable<number | null>;
  readonly signals?: TreeSignals; // absent where the credit rule reads none, and of groups that were dropped
}

/** Credit of one tree, by node: what backUpValues and turnAdvantages returned. Dimensionless. */
export interface TreeCredit {
  readonly prompt: number;
  readonly valueRule: ValueRule;
  readonly advantageRule: AdvantageRule;
  readonly normalised: NodeTable<number | null>; // leaves only
  readonly values: NodeTable<number>;
  readonly advantages: NodeTable<number>;
}

/** One row of a mini-batch as the loss saw it. Token arrays follow the row's scored tokens in order. */
export interface LossRow {
  readonly prompt: number;
  readonly leaf: NodeId;
  readonly tokenIndex: readonly number[]; // place of each scored token in the row, from the row's first token
  readonly turnIndex: readonly number[]; // turn in the row, from 0
  readonly oldLogProb: readonly number[]; // nats
  readonly logProb: readonly number[]; // nats
  readonly entropy: readonly number[]; // nats
  readonly advantage: readonly number[];
  readonly weight: readonly number[]; // 1 / (B·n_i)
  readonly tokenLoss: readonly number[]; // before weighting
  readonly dlogProb: readonly number[]; // ∂loss/∂logProb
  readonly turnLogRatio: readonly number[]; // per turn, nats
  readonly clipScale?: readonly number[]; // factor of each token's clip band; absent: 1 (A²TGPO sets it)
  readonly ratioFactor?: number; // factor of the row's ratios; absent: 1 (RAPO sets it)
}

/** Metrics of one update; fractions in [0, 1], entropies in nats. Meanings: src/train/README.md. */
export interface UpdateMetrics {
  readonly exactMatch: number; // of the initial rollouts (expanded leaves are biased)
  readonly unknown: number | null; // share of these that say "I do not know"; null in older logs
  readonly reliability: number | null; // of these, by BAPO's measure; null in older logs
  readonly meanReward: number; // over all leaves
  readonly malformed: number; // share of leaves that break the form
  readonly turnSurprisal: number; // mean H over sampled turns, nats per token
  readonly entropy: number; // masked token mean of the whole distribution
  readonly depth: number; // turns per leaf path
  readonly toolCalls: number; // per leaf path
  readonly deadTrees: number; // share of trees whose leaves all earned the same reward
  readonly rolloutBatches: number; // batches of prompts that were rolled out
  readonly droppedGroups: number; // of them, prompts that are not trained on
  readonly loss: number; // mean over mini-batches
  readonly clipFraction: number; // pg_clipfrac
  readonly clipFractionLast: number; // of the last mini-batch
  readonly ppoKl: number; // token mean of −logRatio
  readonly turnKlEntropy: number;
  readonly singleTurnCount: number;
  readonly gradientNorm: number; // before clipping, mean over mini-batches
  readonly skippedSteps: number;
  readonly sampledTokens: number;
  readonly uniqueTokens: number; // computed in training: a prefix that rows of a tree share counts once
  readonly rowTokens: number; // in all rows
  readonly rolloutMs: number;
  readonly trainMs: number;
}

/** V* of a question: what A*-PO found that the policy before training can earn there, dimensionless. */
export interface OptimalValue {
  readonly dataset: string;
  readonly seed: number; // of the question
  readonly value: number;
}

/** What an update or its evaluation changed of what the run remembers; what stayed is absent. */
export interface MemoryChange {
  readonly boundary?: BoundaryState; // BAPO: its phase, and the validations that decide on it
  readonly optimalValues?: readonly OptimalValue[]; // A*-PO: those found in this update
  readonly rewardModelSteps?: number; // iStar: optimiser steps of its second network so far
}

export type RunStatus = 'idle' | 'preparing' | 'running' | 'paused' | 'finished' | 'failed';
