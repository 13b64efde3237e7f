import { describe, expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import type { LossRow } from '../../src/protocol/protocol.ts';
import { failureTrees, otherReduction, pullToStop, stoppingOf } from '../../src/store/loss/stopping.ts';
import type { TreeState, UpdateState } from '../../src/store/record/run_state.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { nodeId, type LeafEnding, type NodeId } from '../../src/units.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

/** A row of turns of these lengths that all earn `advantage`, on policy. */
function rowOf(leaf: NodeId, lengths: readonly number[], advantage: number, weight: number): LossRow {
  const turnIndex = lengths.flatMap((length, turn) => Array.from({ length }, () => turn));
  const each = (value: number): number[] => turnIndex.map(() => value);
  return {
    ...{
      prompt: 0,
      leaf,
      tokenIndex: turnIndex.map((_, at) => at),
      turnIndex,
      turnLogRatio: lengths.map(() => 0),
    },
    ...{ oldLogProb: each(-1), logProb: each(-1), entropy: each(1), advantage: each(advantage) },
    ...{ weight: each(weight), tokenLoss: each(-advantage), dlogProb: each(-weight * advantage) },
  };
}

/** One prompt: a short row that answers, a long one that does too, and one that breaks off at turn 2. */
function handMade(): Pick<UpdateState, 'minibatches' | 'trees'> {
  const endings: readonly LeafEnding[] = ['answer', 'answer', 'malformed'];
  const nodes = endings.map((ending, id) => ({ id, ending }));
  const rows = [
    rowOf(nodeId(0), [2, 2], 1, 1 / 12),
    rowOf(nodeId(1), [2, 2, 4], 2, 1 / 24),
    rowOf(nodeId(2), [2, 2], -3, 1 / 12),
  ];
  return {
    trees: [{ nodes } as unknown as TreeState],
    minibatches: [{ minibatch: 0, loss: 0, rows, step: null }],
  };
}

describe('who stops, by hand: rows of 4, 8 and 4 tokens, a mean over rows', () => {
  const [first, second, third] = stoppingOf(handMade(), null);

  test('at the first turn all go on, so there is nothing to choose', () => {
    expect(first).toMatchObject({ turn: 1, answering: { rows: 0, loudness: null, push: null } });
    expect(first.goingOn.rows).toBe(3);
    expect(pullToStop(first)).toBeNull();
  });

  test('at the second the short row is twice as loud as the long one, whose advantage is twice as large', () => {
    // The mean weight is 1/16: 16 tokens, weights that sum to 1.
    expect(second.answering).toEqual({ rows: 1, loudness: 16 / 12, push: 16 / 12 });
    expect(second.goingOn).toEqual({ rows: 1, loudness: 16 / 24, push: 32 / 24 });
    expect(second.failing.rows).toBe(1);
    expect(second.failing.push).toBeCloseTo(-4, 12);
    expect(pullToStop(second)).toBeCloseTo(0, 12);
    expect(third.answering.rows).toBe(1);
  });

  test('a mean over tokens hears every token alike, and the same rows teach going on', () => {
    const [, other] = stoppingOf(handMade(), 'token-mean');
    for (const { loudness } of [other.answering, other.goingOn, other.failing])
      expect(loudness).toBeCloseTo(1, 12);
    expect(pullToStop(other)).toBeCloseTo(1 - 2, 12);
    expect(stoppingOf(handMade(), 'seq-mean-token-mean')).toEqual(stoppingOf(handMade(), null));
  });

  test('an update whose loss has not come yet says nothing', () => {
    expect(stoppingOf({ ...handMade(), minibatches: [] }, null)).toEqual([]);
  });
});

test('trees in which nobody earned more than 0 and only malformed rows earned less are counted, with their share of the push', () => {
  const tree = (index: number, rewards: readonly number[], low: LeafEnding = 'malformed'): TreeState =>
    ({ prompt: { index }, nodes: rewards.map((reward) => ({ ending: reward < 0 ? low : 'answer' })), leaves: rewards.map((_, leaf) => nodeId(leaf)), rewards, dropped: false }) as unknown as TreeState; // prettier-ignore
  const rows = [rowOf(nodeId(0), [2], 1, 0.25), { ...rowOf(nodeId(0), [2], -3, 0.25), prompt: 1 }];
  const minibatches = [{ minibatch: 0, loss: 0, rows, step: null }];
  const told = failureTrees({ trees: [tree(0, [1, 0]), tree(1, [0, -1]), tree(2, [0, 0])], minibatches });
  const corridor = failureTrees({ trees: [tree(1, [0, -1], 'call-limit')], minibatches });
  expect(corridor).toEqual({ live: 1, trees: 0, pushShare: 0 });
  expect(told).toEqual({ live: 2, trees: 1, pushShare: 0.75 });
  expect(failureTrees({ trees: [], minibatches: [] })).toEqual({ live: 0, trees: 0, pushShare: 0 });
});

const METHODS = ['at2po', 'grpo'] as const;

describe.each(METHODS)('on a run of %s', (name) => {
  test('every row is counted once a turn, pushes are those that were logged, and its own reduction says its own weights', async () => {
    const config = withAlgorithm(smallConfig(), algorithms[name].config);
    const lab = createLab(() => undefined);
    lab.run.apply(await scriptedRun(config));
    for (const update of lab.run.getState().updates) {
      const own = stoppingOf(update, null);
      const rows = update.minibatches.flatMap((minibatch) => minibatch.rows);
      own.forEach(({ turn, answering, goingOn, failing }) => {
        const reach = rows.filter(({ turnLogRatio }) => turnLogRatio.length >= turn);
        expect(answering.rows + goingOn.rows + failing.rows).toBe(reach.length);
        expect(goingOn.rows).toBe(reach.filter(({ turnLogRatio }) => turnLogRatio.length > turn).length);
      });
      const { reduction } = config.algorithm.loss;
      const again = stoppingOf(update, reduction);
      own.forEach(({ answering, goingOn }, at) => {
        expect(again[at].answering.push ?? 0).toBeCloseTo(answering.push ?? 0, 3); // logs hold six digits
        expect(again[at].goingOn.loudness ?? 0).toBeCloseTo(goingOn.loudness ?? 0, 3);
      });
      expect(stoppingOf(update, otherReduction(reduction))).toHaveLength(own.length);
    }
  });
});
