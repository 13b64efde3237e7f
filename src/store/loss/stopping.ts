/**
 * Whether an update teaches rollouts to stop: at each turn the rows that answer there and those that go on, how much a token of theirs
 * weighs in the loss, and how hard it is pushed. A lazy collapse shows here first: answering is pushed up more than going on. Pure.
 */
import { reductionWeights } from '../../algo/loss/penalties.ts';
import { meanOf } from '../../algo/questions/statistics.ts';
import type { LossReduction } from '../../units.ts';
import { isDead, leavesOf, rewardOf } from '../record/reading.ts';
import type { MinibatchState, TreeState, UpdateState } from '../record/run_state.ts';

/** Rows that choose alike at a turn. */
export interface Choice {
  readonly rows: number;
  /** Mean weight of a token of these rows at this turn, over that of all tokens of its mini-batch: 1 under a mean over tokens. Null: no row. */
  readonly loudness: number | null;
  /**
   * Mean over these rows of −∂loss/∂logProb of a token of this turn, with weights of mean 1, so that reductions compare; above 0 the choice
   * becomes likelier. Null: no row.
   */
  readonly push: number | null;
}

export interface StoppingTurn {
  readonly turn: number; // from 1
  readonly answering: Choice; // rows whose last turn this is, with an answer
  readonly goingOn: Choice;
  readonly failing: Choice; // rows that end here without an answer: malformed, out of calls or of room
}

/** One row at one turn. */
interface Step {
  readonly turn: number; // from 0
  readonly kind: 'answering' | 'goingOn' | 'failing';
  readonly loudness: number;
  readonly push: number;
}

/** Weights of the mini-batch's tokens with mean 1, row by row. */
function loudnesses(
  { rows }: MinibatchState,
  reduction: LossReduction | null,
): readonly (readonly number[])[] {
  const rowOf = rows.flatMap(({ weight }, row) => weight.map(() => row));
  const weights = reduction
    ? [...reductionWeights(reduction, rowOf, rows.length, 1)]
    : rows.flatMap(({ weight }) => weight);
  const middle = meanOf(weights) ?? 1;
  let at = 0;
  return rows.map(({ weight }) => weight.map(() => weights[at++] / middle));
}

function stepsOf(
  minibatch: MinibatchState,
  trees: readonly TreeState[],
  reduction: LossReduction | null,
): readonly Step[] {
  const loud = loudnesses(minibatch, reduction);
  return minibatch.rows.flatMap((row, at) => {
    const turns = row.turnLogRatio.length;
    const ends = trees[row.prompt]?.nodes[row.leaf]?.ending === 'answer' ? 'answering' : 'failing';
    return row.turnLogRatio.map((_, turn): Step => {
      const own = row.turnIndex.flatMap((of, token) => (of === turn ? [token] : []));
      const pushOf = (token: number): number =>
        row.weight[token] === 0 ? 0 : (-row.dlogProb[token] / row.weight[token]) * loud[at][token];
      return {
        turn,
        kind: turn + 1 < turns ? 'goingOn' : ends,
        loudness: meanOf(own.map((token) => loud[at][token])) ?? 0,
        push: meanOf(own.map(pushOf)) ?? 0,
      };
    });
  });
}

const choiceOf = (steps: readonly Step[]): Choice => ({
  rows: steps.length,
  loudness: meanOf(steps.map(({ loudness }) => loudness)),
  push: meanOf(steps.map(({ push }) => push)),
});

/**
 * By turn, over all mini-batches that have rows.
 * @param reduction weights as under this one, on the same rows, advantages and clips; null: as they were. Only where the loss of a token is
 * its weight times a term of its own (`clip` and `gate`)
 */
export function stoppingOf(
  { minibatches, trees }: Pick<UpdateState, 'minibatches' | 'trees'>,
  reduction: LossReduction | null,
): readonly StoppingTurn[] {
  const steps = minibatches.flatMap((minibatch) => stepsOf(minibatch, trees, reduction));
  const count = steps.reduce((most, { turn }) => Math.max(most, turn + 1), 0);
  return Array.from({ length: count }, (_, turn) => {
    const of = (kind: Step['kind']): Choice =>
      choiceOf(steps.filter((step) => step.turn === turn && step.kind === kind));
    return { turn: turn + 1, answering: of('answering'), goingOn: of('goingOn'), failing: of('failing') };
  });
}

/** How much harder answering is pushed than going on; above 0 rollouts are taught to stop. Null: all rows choose alike. */
export const pullToStop = ({ answering, goingOn }: StoppingTurn): number | null =>
  answering.push === null || goingOn.push === null ? null : answering.push - goingOn.push;

/** The reduction to hold a run's against: a mean over tokens, and against that a mean over rows. */
export const otherReduction = (own: LossReduction): LossReduction =>
  own === 'token-mean' ? 'seq-mean-token-mean' : 'token-mean';

/** Live trees in which nobody earned more than 0 and the least is a malformed row's: wrong is better than malformed is all that they teach. */
export interface FailureTrees {
  readonly live: number; // trees whose rewards differ
  readonly trees: number; // of them, those
  readonly pushShare: number; // of the update's Σ|∂loss/∂logProb|, [0, 1]
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

export function failureTrees({
  minibatches,
  trees,
}: Pick<UpdateState, 'minibatches' | 'trees'>): FailureTrees {
  const live = trees.filter((tree) => tree.rewards && !tree.dropped && !isDead(tree));
  const failed = live.filter((tree) => {
    const rewards = leavesOf(tree).map((leaf) => rewardOf(tree, leaf) ?? 0);
    const most = Math.max(...rewards);
    return (
      most <= 0 &&
      leavesOf(tree).every((leaf, at) => rewards[at] === most || tree.nodes[leaf]?.ending === 'malformed')
    );
  });
  const prompts = new Set(failed.map(({ prompt }) => prompt.index));
  const rows = minibatches.flatMap((minibatch) => minibatch.rows);
  const pushOf = (of: typeof rows): number => sumOf(of.flatMap(({ dlogProb }) => dlogProb.map(Math.abs)));
  const all = pushOf(rows);
  const theirs = pushOf(rows.filter(({ prompt }) => prompts.has(prompt)));
  return { live: live.length, trees: failed.length, pushShare: all === 0 ? 0 : theirs / all };
}
