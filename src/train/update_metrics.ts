/** One update in numbers. Meanings: README.md. Pure functions of what the stages returned. */
import { lossMetrics, type LossMetrics } from '../algo/metrics.ts';
import { pathTo } from '../algo/tree.ts';
import type {
  LossConfig,
  NodeId,
  NodeTable,
  RolloutTree,
  TokenBatch,
  TokenScores,
  UpdateResult,
} from '../units.ts';
import type { UpdateMetrics } from './protocol.ts';

/** A tree with the rewards of its leaves. */
export interface ScoredTree {
  readonly tree: RolloutTree;
  readonly rewards: NodeTable<number | null>; // null where the node is not a leaf
}

/** A mini-batch and what training on it returned. */
export interface TrainedBatch {
  readonly batch: TokenBatch;
  readonly oldScores: TokenScores; // of the policy that sampled, scored by the trainer
  readonly result: UpdateResult;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);

type TreeMetrics = Pick<
  UpdateMetrics,
  | 'exactMatch'
  | 'meanReward'
  | 'malformed'
  | 'turnEntropy'
  | 'depth'
  | 'toolCalls'
  | 'deadTrees'
  | 'sampledTokens'
>;

const rewardOf = ({ rewards }: ScoredTree, leaf: NodeId): number => rewards[leaf] ?? 0;

/** Leaves of the M first chains: no turn on their path was re-sampled or copied. */
const initialLeaves = ({ tree }: ScoredTree): readonly NodeId[] =>
  tree.leaves.filter((leaf) =>
    pathTo(tree, leaf).every(
      (id) => !['expansion', 'branch', 'duplicate'].includes(tree.nodes[id].origin.kind),
    ),
  );

/** What the rollout and its rewards say. */
export function treeMetrics(scored: readonly ScoredTree[]): TreeMetrics {
  const leaves = scored.flatMap((entry) => entry.tree.leaves.map((leaf) => ({ entry, leaf })));
  const rewards = leaves.map(({ entry, leaf }) => rewardOf(entry, leaf));
  const initial = scored.flatMap((entry) => initialLeaves(entry).map((leaf) => rewardOf(entry, leaf)));
  const sampledNodes = scored.flatMap(({ tree }) =>
    tree.nodes.filter(({ origin }) => origin.kind !== 'root' && origin.kind !== 'duplicate'),
  );
  return {
    exactMatch: mean(initial.map((reward) => (reward === 1 ? 1 : 0))),
    meanReward: mean(rewards),
    malformed: mean(rewards.map((reward) => (reward === -1 ? 1 : 0))),
    turnEntropy: mean(sampledNodes.map(({ turnEntropy }) => turnEntropy)),
    depth: mean(leaves.map(({ entry, leaf }) => pathTo(entry.tree, leaf).length - 1)),
    toolCalls: mean(leaves.map(({ entry, leaf }) => entry.tree.nodes[leaf].callCount)),
    deadTrees: mean(scored.map((entry) => (isDead(entry) ? 1 : 0))),
    sampledTokens: sum(sampledNodes.map(({ mask }) => sum(mask))),
  };
}

/** All leaves earned the same: normalised rewards are 0 and nothing is learnt. */
const isDead = (entry: ScoredTree): boolean =>
  new Set(entry.tree.leaves.map((leaf) => rewardOf(entry, leaf))).size <= 1;

type StepMetrics = Pick<
  UpdateMetrics,
  | 'loss'
  | 'clipFraction'
  | 'clipFractionLast'
  | 'ppoKl'
  | 'turnKlEntropy'
  | 'singleTurnCount'
  | 'gradientNorm'
  | 'skippedSteps'
  | 'uniqueTokens'
  | 'rowTokens'
>;

const metricsOf = ({ batch, oldScores, result }: TrainedBatch, config: LossConfig): LossMetrics => {
  const { logProb } = result.loss;
  return lossMetrics(
    { ...batch, oldLogProb: oldScores.logProb, logProb, rowCount: batch.rows.length },
    config,
  );
};

/** What the mini-batches say, averaged over them; counts are summed. */
export function stepMetrics(trained: readonly TrainedBatch[], config: LossConfig): StepMetrics {
  const metrics = trained.map((entry) => metricsOf(entry, config));
  const steps = trained.map(({ result }) => result.step);
  return {
    loss: mean(trained.map(({ result }) => result.loss.loss)),
    clipFraction: mean(metrics.map(({ clipFraction }) => clipFraction)),
    clipFractionLast: metrics.at(-1)?.clipFraction ?? 0,
    ppoKl: mean(metrics.map(({ ppoKl }) => ppoKl)),
    turnKlEntropy: mean(metrics.map(({ turnKlEntropy }) => turnKlEntropy)),
    singleTurnCount: sum(metrics.map(({ singleTurnCount }) => singleTurnCount)),
    gradientNorm: mean(steps.map(({ gradientNorm }) => gradientNorm)),
    skippedSteps: steps.filter(({ skipped }) => skipped).length,
    uniqueTokens: sum(trained.map(({ batch }) => batch.tokens.length)),
    rowTokens: sum(trained.flatMap(({ batch }) => batch.rows.map(({ length }) => length))),
  };
}

/** Mean over all scored tokens of the update; each appears once per row that holds it. */
export function meanEntropy(scores: readonly { readonly entropy: Float32Array }[]): number {
  const counts = scores.map(({ entropy }) => entropy.length);
  const totals = scores.map(({ entropy }) => entropy.reduce((total, value) => total + value, 0));
  return sum(totals) / Math.max(1, sum(counts));
}
