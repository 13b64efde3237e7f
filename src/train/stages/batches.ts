/** Mini-batches of the loss: rows with their advantages, and what only some losses read of a row. */
import { minibatches, packTrees } from '../../algo/batch.ts';
import { scoredPositions } from '../../algo/batch_rows.ts';
import type { LeafValues, NodeValues, TurnAdvantages } from '../../algo/credit.ts';
import { pathTo } from '../../algo/tree.ts';
import {
  NO_EXTRAS,
  type LossExtras,
  type NodeId,
  type RolloutTree,
  type TokenBatch,
  type TreeSignals,
} from '../../units.ts';
import type { Group, Update } from './stage.ts';

/** A group with all that its loss reads. */
export interface CreditedGroup extends Group {
  readonly signals: TreeSignals;
  readonly normalised: LeafValues;
  readonly values: NodeValues;
  readonly advantages: TurnAdvantages;
}

export interface LossBatch {
  readonly batch: TokenBatch;
  readonly extras: LossExtras;
}

/** The update's mini-batches in a keyed random order; none where the algorithm trains nothing. */
export function lossBatches({ run, key }: Update, groups: readonly CreditedGroup[]): readonly LossBatch[] {
  const { config, environment } = run;
  const { loss } = config.algorithm;
  if (loss.surrogate === 'none') return [];
  const trees = groups.map(({ tree }) => tree);
  const advantages = groups.map((group) => group.advantages);
  const byPrompt = new Map(groups.map((group) => [group.tree.prompt.index, group]));
  return minibatches([...groups.keys()], config.promptsPerMinibatch, key).map((selection) => {
    const batch = packTrees(trees, advantages, environment.contextLength, selection);
    return { batch, extras: lossExtras(batch, byPrompt, loss) };
  });
}

type Asked = Pick<
  Update['run']['config']['algorithm']['loss'],
  'surrogate' | 'clipAdaptation' | 'retrievalRatio'
>;

function lossExtras(
  batch: TokenBatch,
  byPrompt: ReadonlyMap<number, CreditedGroup>,
  { surrogate, clipAdaptation, retrievalRatio }: Asked,
): LossExtras {
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

/** Share of a row's response that was copied from stored steps, [0, 1]. */
export function retrievedShare(tree: RolloutTree, leaf: NodeId): number {
  const path = pathTo(tree, leaf).map((id) => tree.nodes[id]);
  const length = path.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const copied = path.reduce(
    (sum, { retrieved, lastGenerationLength }) => sum + (retrieved ? lastGenerationLength : 0),
    0,
  );
  return length === 0 ? 0 : copied / length;
}
