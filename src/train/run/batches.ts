/** Mini-batches of the loss: rows with their advantages, and what only some losses read of a row. */
import { retrievedShare } from '../../algo/advantage/index.ts';
import { maskFormatTokens, minibatches, packTrees, scoredPositions } from '../../algo/batch/batch.ts';
import { packPairs } from '../../algo/batch/pairs.ts';
import type { LeafValues, NodeValues, TurnAdvantages } from '../../algo/credit/credit.ts';
import {
  NO_EXTRAS,
  type Environment,
  type LossConfig,
  type LossExtras,
  type NodeId,
  type RandomKey,
  type RunConfig,
  type TokenBatch,
  type TreeSignals,
} from '../../units.ts';
import type { Group } from './update.ts';

/** A group after the phase reward. */
export interface MeasuredGroup extends Group {
  readonly signals: TreeSignals;
}

/** After the phase value. */
export interface ValuedGroup extends MeasuredGroup {
  readonly normalised: LeafValues;
  readonly values: NodeValues;
}

/** After the phase advantage: with all that its loss reads. */
export interface CreditedGroup extends ValuedGroup {
  readonly advantages: TurnAdvantages;
}

export interface LossBatch {
  readonly batch: TokenBatch;
  readonly extras: LossExtras;
}

/** The update's mini-batches in a keyed random order; none where the algorithm trains nothing. */
export function lossBatches(
  groups: readonly CreditedGroup[],
  environment: Environment,
  { algorithm, promptsPerMinibatch }: Pick<RunConfig, 'algorithm' | 'promptsPerMinibatch'>,
  key: RandomKey,
): readonly LossBatch[] {
  const { loss } = algorithm;
  if (loss.surrogate === 'none') return [];
  const selections = minibatches([...groups.keys()], promptsPerMinibatch, key);
  const packed = selections.map((selection) =>
    loss.surrogate === 'preference'
      ? preferences(groups, selection, environment, loss)
      : wholeRows(groups, selection, environment, loss),
  );
  return packed.filter((batch) => batch !== null);
}

const treesOf = (groups: readonly CreditedGroup[]) => groups.map(({ tree }) => tree);

/** Every row of some groups. */
function wholeRows(
  groups: readonly CreditedGroup[],
  selection: readonly number[],
  { contextLength, formatTokens }: Environment,
  loss: LossConfig,
): LossBatch {
  const advantages = groups.map((group) => group.advantages);
  const rows = packTrees(treesOf(groups), advantages, contextLength, selection, loss.reduction);
  const batch = loss.formatMask ? maskFormatTokens(rows, formatTokens) : rows;
  return { batch, extras: lossExtras(batch, groups, loss) };
}

/** Best and worst sibling turns of some groups, by value; null where no siblings differ. */
function preferences(
  groups: readonly CreditedGroup[],
  selection: readonly number[],
  { contextLength }: Environment,
  loss: LossConfig,
): LossBatch | null {
  const values = groups.map((group) => group.values.byNode);
  const pairs = packPairs(treesOf(groups), values, contextLength, selection, loss.reduction);
  return pairs && { batch: pairs.batch, extras: { ...NO_EXTRAS, partner: pairs.partner } };
}

function lossExtras(
  batch: TokenBatch,
  groups: readonly CreditedGroup[],
  { surrogate, clipAdaptation, retrievalRatio }: LossConfig,
): LossExtras {
  const byPrompt = new Map(groups.map((group) => [group.tree.prompt.index, group]));
  const groupOf = (row: number): CreditedGroup => byPrompt.get(batch.rows[row].prompt) as CreditedGroup; // rows come from these groups
  const byRow = (value: (group: CreditedGroup, leaf: NodeId) => number): Float32Array<ArrayBuffer> =>
    Float32Array.from(batch.rows, ({ leaf }, row) => value(groupOf(row), leaf));
  return {
    ...NO_EXTRAS,
    clipScale: clipAdaptation === 0 ? null : clipScales(batch, groupOf, clipAdaptation),
    ratioFactor:
      retrievalRatio === 0
        ? null
        : byRow(({ tree }, leaf) => 1 + retrievalRatio * retrievedShare(tree, leaf)),
    rowTarget:
      surrogate === 'regression'
        ? byRow(({ rewards, signals }, leaf) => (rewards[leaf] ?? 0) - (signals.baseline ?? 0))
        : null,
  };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** A²TGPO: 1 + w·(2σ(z) − 1) with z the standardised gain of the token's turn. */
function clipScales(
  batch: TokenBatch,
  groupOf: (row: number) => CreditedGroup,
  weight: number,
): Float32Array<ArrayBuffer> {
  const scales = new Float32Array(batch.scored.length).fill(1);
  batch.rows.forEach(({ leaf, scoredStart }, row) => {
    const { tree, advantages } = groupOf(row);
    const gains = advantages.gain?.[leaf];
    if (!gains) return;
    scoredPositions(batch, row).forEach((position, index) => {
      const gain = gains[position - tree.prompt.tokens.length];
      scales[scoredStart + index] = 1 + weight * (2 * sigmoid(gain) - 1);
    });
  });
  return scales;
}
