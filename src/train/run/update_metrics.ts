/** One update in numbers. Meanings: README.md. Pure functions of what the stages returned. */
import { reliability } from '../../algo/reward/boundary.ts';
import { lossMetrics, type LossMetrics } from '../../algo/loss/metrics.ts';
import { isRight } from '../../algo/reward/reward.ts';
import { pathTo } from '../../algo/tree/tree.ts';
import type { Grade, LossConfig, NodeId, StepResult } from '../../units.ts';
import type { UpdateMetrics } from '../../protocol/protocol.ts';
import type { Backpropagated } from './loss.ts';
import type { Rewarded } from './reward.ts';
import type { Group } from './update.ts';

/** A mini-batch and what training on it returned. */
export interface TrainedBatch extends Omit<Backpropagated, 'minibatch' | 'inputs'> {
  readonly step: StepResult;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);

type TreeMetrics = Pick<
  UpdateMetrics,
  | 'exactMatch'
  | 'unknown'
  | 'reliability'
  | 'meanReward'
  | 'malformed'
  | 'turnSurprisal'
  | 'depth'
  | 'toolCalls'
  | 'deadTrees'
  | 'sampledTokens'
>;

const rewardOf = ({ rewards }: Group, leaf: NodeId): number => rewards[leaf] ?? 0;

/** Grades of the M first chains: no turn on their path was re-sampled or copied. */
const initialGrades = ({ tree, grades }: Group): readonly Grade[] =>
  grades.filter((_, row) =>
    pathTo(tree, tree.leaves[row]).every(
      (id) => !['expansion', 'branch', 'duplicate'].includes(tree.nodes[id].origin.kind),
    ),
  );

/** What the rollout and its rewards say. */
export function treeMetrics(scored: readonly Group[]): TreeMetrics {
  const leaves = scored.flatMap((entry) => entry.tree.leaves.map((leaf) => ({ entry, leaf })));
  const rewards = leaves.map(({ entry, leaf }) => rewardOf(entry, leaf));
  const grades = scored.flatMap((entry) => entry.grades);
  const initial = scored.flatMap(initialGrades);
  const sampledNodes = scored.flatMap(({ tree }) =>
    tree.nodes.filter(({ origin }) => origin.kind !== 'root' && origin.kind !== 'duplicate'),
  );
  return {
    exactMatch: mean(initial.map((grade) => (isRight(grade) ? 1 : 0))),
    unknown: mean(initial.map((grade) => (grade.unknown ? 1 : 0))),
    reliability: reliability(initial),
    meanReward: mean(rewards),
    malformed: mean(grades.map(({ formatValid }) => (formatValid ? 0 : 1))),
    turnSurprisal: mean(sampledNodes.map(({ turnSurprisal }) => turnSurprisal)),
    depth: mean(leaves.map(({ entry, leaf }) => pathTo(entry.tree, leaf).length - 1)),
    toolCalls: mean(leaves.map(({ entry, leaf }) => entry.tree.nodes[leaf].callCount)),
    deadTrees: mean(scored.map((entry) => (isDead(entry) ? 1 : 0))),
    sampledTokens: sum(sampledNodes.map(({ mask }) => sum(mask))),
  };
}

type RolloutMetrics = TreeMetrics & Pick<UpdateMetrics, 'rolloutBatches' | 'droppedGroups'>;

/** As treeMetrics of all groups that were rolled out, dropped ones too: they are part of the cost. */
export const rolloutMetrics = ({ groups, kept, batches }: Rewarded): RolloutMetrics => ({
  ...treeMetrics(groups),
  rolloutBatches: batches,
  droppedGroups: groups.length - kept.length,
});

/** Several leaves that all earned the same: normalised rewards are 0 and nothing is learnt. */
const isDead = (entry: Group): boolean =>
  entry.tree.leaves.length > 1 && new Set(entry.tree.leaves.map((leaf) => rewardOf(entry, leaf))).size === 1;

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

const metricsOf = ({ batch, oldScores, loss }: TrainedBatch, config: LossConfig): LossMetrics => {
  const { logProb, entropy } = loss;
  return lossMetrics(
    { ...batch, oldLogProb: oldScores.logProb, logProb, entropy, rowCount: batch.rows.length },
    config,
  );
};

/** What the mini-batches say, averaged over them; counts are summed. */
export function stepMetrics(trained: readonly TrainedBatch[], config: LossConfig): StepMetrics {
  const metrics = trained.map((entry) => metricsOf(entry, config));
  const steps = trained.map(({ step }) => step);
  return {
    loss: mean(trained.map(({ loss }) => loss.loss)),
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
