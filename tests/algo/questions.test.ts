/** What users ask of their rollouts, on records made by hand: each number beside one that was worked out on paper. */
import { describe, expect, test } from 'vitest';
import { innerZeros, readBoundaries, readMasks, type MaskFault } from '../../src/algo/questions/masks.ts';
import { corrected, QUANTILES, readMismatch } from '../../src/algo/questions/mismatch.ts';
import { readSilence } from '../../src/algo/questions/silence.ts';
import { correlation, quantile, slope } from '../../src/algo/questions/statistics.ts';
import { readToolUse, callsWithinGroups } from '../../src/algo/questions/tool_use.ts';
import { readTurnRewards } from '../../src/algo/questions/turn_rewards.ts';
import type { Boundary } from '../../src/units.ts';
import { factsWith, turnOf } from '../support/rollout_facts.ts';

const tokens = (count: number, inLoss: number | null = count) => ({ tokens: count, inLoss });

describe('why nothing is learnt', () => {
  test('equal rewards are a dead group; one that differs makes it live', () => {
    const dead = readSilence([1, 1, 1].map((reward) => factsWith(reward)));
    expect(dead.groups.map(({ kind, advantages }) => [kind, advantages])).toEqual([['dead', [0, 0, 0]]]);
    expect([dead.push, dead.sequenceLoss]).toEqual([0, 0]);
    const live = readSilence([1, 1, 0].map((reward) => factsWith(reward)));
    expect(live.groups[0].kind).toBe('live');
    // mean 2/3, sample deviation √(2/3 · 1/2) = 1/√3: advantages (1/3)√3, (1/3)√3, −(2/3)√3
    const third = Math.sqrt(3) / 3;
    [third, third, -2 * third].forEach((by, at) => expect(live.groups[0].advantages![at]).toBeCloseTo(by, 5));
    expect(live.push).toBeCloseTo((4 * third) / 3, 5);
  });

  test('means of 64 times −0.9 round, and the group is dead all the same', () => {
    const { groups } = readSilence(Array.from({ length: 64 }, () => factsWith(-0.9)));
    expect([groups[0].kind, groups[0].push]).toEqual(['dead', 0]);
  });

  test('a live group has loss 0 over rollouts by centring, and not over tokens of unequal length', () => {
    const written = (reward: number, count: number) =>
      factsWith(reward, [turnOf({ written: tokens(count) })]);
    const [group] = readSilence([written(1, 10), written(0, 30)]).groups;
    // mean 1/2, sample deviation 1/√2: advantages ±1/√2
    expect(group.sequenceLoss).toBeCloseTo(0, 12);
    expect(group.tokenLoss).toBeCloseTo(-(10 - 30) / 40 / Math.SQRT2, 5);
    expect(group.push).toBeCloseTo(1 / Math.SQRT2, 5);
    const [even] = readSilence([written(1, 20), written(0, 20)]).groups;
    expect(even.tokenLoss).toBeCloseTo(0, 12);
  });

  test('what a group lacks is said: a reward, a second rollout, a filter that lets it through', () => {
    const rollouts = [factsWith(1), factsWith(null), factsWith(1, [], { prompt: 1 }), factsWith(0, [], { prompt: 2 }), factsWith(1, [], { prompt: 2, ending: 'length' })]; // prettier-ignore
    const { groups, cut, unscored, push } = readSilence(rollouts, new Set([2]));
    expect(groups.map(({ kind }) => kind)).toEqual(['unscored', 'alone', 'dropped']);
    expect([cut, unscored]).toEqual([[rollouts[4]], [rollouts[1]]]);
    expect(push).toBe(1 / (1 + 1e-6)); // GRPO leaves a single rollout its reward; the dropped group does not count
  });

  test('tokens outside the loss, advantages of the trainer and ratios that are exactly 1 are counted', () => {
    const turn = (inLoss: number, advantage: number, trainer: readonly number[]) =>
      turnOf({ written: tokens(2, inLoss), advantage, sampler: [-1, -2], trainer });
    const masked = readSilence([factsWith(1, [turn(0, 0, [-1, -2])]), factsWith(0, [turn(1, 0.5, [-1, -2.5])])]); // prettier-ignore
    expect([masked.tokenless.length, masked.masked]).toEqual([1, 2]);
    expect(masked.unadvantaged).toEqual({ turns: 2, zero: 1 });
    expect(masked.ratio).toEqual({ tokens: 4, ones: 3, farthest: 0.5 });
    const unknown = readSilence([factsWith(1, [turnOf()]), factsWith(0, [turnOf()])]);
    expect([unknown.masked, unknown.unadvantaged, unknown.ratio]).toEqual([0, null, null]);
  });
});

describe('masks and boundaries', () => {
  const fault = (rollouts: Parameters<typeof readMasks>[0], name: MaskFault) => readMasks(rollouts).find((each) => each.fault === name)!; // prettier-ignore

  test('each fault is counted where it is, and not where it nearly is', () => {
    const wrong = turnOf({ read: tokens(5, 2), written: tokens(4, 3), sampler: [-1, -0.5, 0], endsInLoss: true, hasIds: true }); // prettier-ignore
    const nearly = turnOf({ read: tokens(5, 0), written: tokens(4, 4), sampler: [0, -0.5, -1e-7], endsInLoss: true, hasIds: true }); // prettier-ignore
    const rollouts = [factsWith(1, [wrong, nearly]), factsWith(0, [nearly, turnOf()])];
    const read = fault(rollouts, 'read-in-loss');
    expect([read.checked, read.tokens, read.ofTokens, read.rollouts]).toEqual([3, 2, 15, 1]);
    expect(read.turns).toEqual([{ rollout: rollouts[0], turn: wrong }]);
    const outside = fault(rollouts, 'written-outside');
    expect([outside.tokens, outside.ofTokens]).toEqual([1, 12]);
    const last = fault(rollouts, 'last-certain');
    expect([last.checked, last.tokens]).toEqual([3, 1]);
    expect(innerZeros(rollouts)).toEqual({ zero: 2, of: 6 });
    const missing = fault(rollouts, 'ids-missing');
    expect([missing.checked, missing.tokens, missing.rollouts]).toEqual([4, 1, 1]);
  });

  test('what a file does not say is unknown, not right', () => {
    for (const { checked, turns } of readMasks([
      factsWith(1, [turnOf(), turnOf({ written: tokens(3, null) })]),
    ]))
      // prettier-ignore
      expect([checked, turns]).toEqual([0, []]);
    const outside = turnOf({ sampler: [-1, 0], endsInLoss: false }); // the end of the turn is not under the loss
    expect(fault([factsWith(1, [outside])], 'last-certain').checked).toBe(0);
  });

  test('contexts are compared with what was sampled, drift apart from edited conversations', () => {
    const boundary = (at: number | null, sameText: boolean): Boundary => ({ at, sameText, length: 9, inTurn: true, sampled: [], rendered: [] }); // prettier-ignore
    const turns = [null, boundary(null, true), boundary(4, true), boundary(2, false), null].map((each, index) => turnOf({ index, boundary: each })); // prettier-ignore
    const rollout = factsWith(1, turns);
    const { compared, unknown, drifted, rewritten } = readBoundaries([rollout]);
    expect([compared, unknown]).toEqual([3, 1]);
    expect([drifted.map(({ turn }) => turn.index), rewritten.map(({ turn }) => turn.index)]).toEqual([[2], [3]]); // prettier-ignore
  });
});

describe('sampler against trainer', () => {
  const two = Math.log(2);
  const rollouts = [
    factsWith(1, [
      turnOf({ sampler: [-2, -1, -1], trainer: [-2, -1 + two, -1] }),
      turnOf({ index: 1, sampler: [-1], trainer: [-1 - 2 * two] }),
    ]),
    factsWith(0, [turnOf({ sampler: [-3, null], trainer: [-3 + two, -1] })]),
    factsWith(0, [turnOf({ sampler: [-3] })]),
  ];
  const mismatch = readMismatch(rollouts)!;

  test('differences stand by token, turn and position', () => {
    expect([...mismatch.differences].map((each) => each / two)).toEqual([0, 1, 0, -2, 1].map((each) => expect.closeTo(each, 12) as number)); // prettier-ignore
    expect([mismatch.starts, mismatch.without]).toEqual([[0, 4, 5], 1]);
    expect([mismatch.all.mean / two, mismatch.all.meanSize / two]).toEqual([expect.closeTo(0, 12), expect.closeTo(0.8, 12)]); // prettier-ignore
    expect(mismatch.byTurn.map(({ turn, tokens: count }) => [turn, count])).toEqual([[0, 4], [1, 1]]); // prettier-ignore
    expect(mismatch.byPosition.map(({ position, tokens: count }) => [position, count])).toEqual([['first', 2], ['inner', 1], ['last', 2]]); // prettier-ignore
    expect(mismatch.all.quantiles[QUANTILES.indexOf(0.5)]).toBe(0);
    // |p_trainer − p_sampler|: e^-1, e^-1·3/4, e^-3 and two zeros
    const mean = (Math.exp(-1) * 1.75 + Math.exp(-3)) / 5;
    expect(mismatch.probability.mean).toBeCloseTo(mean, 12);
    expect(mismatch.probability.most).toBeCloseTo(Math.exp(-1), 12);
  });

  test('truncation cuts weights at the threshold, by token and by rollout', () => {
    // Ratios of tokens: 1, 2, 1, 1/4, 2. At 1.5 two are cut.
    const token = corrected(mismatch, 'truncate-token', 1.5);
    expect([token.touched, token.touchedSequences]).toEqual([2, [rollouts[0], rollouts[1]]]);
    expect(token.meanWeight).toBeCloseTo((1 + 1.5 + 1 + 0.25 + 1.5) / 5, 12);
    expect(token.effective).toBeCloseTo(5.25 ** 2 / (1 + 2.25 + 1 + 0.0625 + 2.25), 12);
    expect(corrected(mismatch, 'truncate-token', 2.001).touched).toBe(0);
    // Of rollouts: 2·1/4 = 1/2 over four tokens, 2 over one.
    const sequence = corrected(mismatch, 'truncate-sequence', 1.5);
    expect([sequence.touched, sequence.touchedSequences]).toEqual([1, [rollouts[1]]]);
    expect(sequence.effective).toBeCloseTo(3.5 ** 2 / (4 * 0.25 + 2.25), 12);
  });

  test('rejection drops what is outside of 1/C and C; the geometric ratio is the root', () => {
    expect(corrected(mismatch, 'reject-token', 2.5)).toMatchObject({ touched: 1, touchedSequences: [rollouts[0]], effective: 4 }); // prettier-ignore
    expect(corrected(mismatch, 'reject-token', 1.5)).toMatchObject({ touched: 3, effective: 2 });
    expect(corrected(mismatch, 'reject-sequence', 2.5)).toMatchObject({ touched: 0, effective: 5 });
    expect(corrected(mismatch, 'reject-sequence', 1.9)).toMatchObject({ touched: 5, effective: 0 });
    // (1/2)^(1/4) = 0.8409 and 2
    expect(corrected(mismatch, 'reject-geometric', 1.2)).toMatchObject({ touched: 1, effective: 4 });
    expect(corrected(mismatch, 'reject-geometric', 1.18)).toMatchObject({ touched: 5, effective: 0 });
  });

  test('a file without numbers of the trainer has no mismatch', () => {
    expect(readMismatch([rollouts[2]])).toBeNull();
  });
});

describe('rewards of turns', () => {
  const path = (rewards: readonly number[], states: readonly number[], reward: number | null = null) =>
    factsWith(reward, rewards.map((each, index) => turnOf({ index, reward: each, state: states[index] }))); // prettier-ignore

  test('a baseline by turn index mixes states, and turns the sign of what is good where it stands', () => {
    // After turn 0 two rollouts stand in a rich state (1), two in a poor one (2).
    const rollouts = [path([0, 10], [0, 1]), path([0, 8], [0, 1]), path([0, 2], [0, 2]), path([0, 0], [0, 2])]; // prettier-ignore
    const found = readTurnRewards(rollouts)!;
    const [group] = found.groups;
    expect(group.ofTurns).toBe(true);
    expect(group.baselines.map(({ rollouts: there, mean, stateMeans }) => [there, mean, stateMeans.map((each) => each.mean)])).toEqual([[4, 5, [5]], [4, 5, [9, 1]]]); // prettier-ignore
    // Second turns over the index 5, 3, −3, −5; over their state 1, −1, 1, −1: two signs part.
    expect(group.rollouts.map(({ turns }) => [turns[1].overIndex, turns[1].overState])).toEqual([[5, 1], [3, -1], [-3, 1], [-5, -1]]); // prettier-ignore
    expect([found.turns, found.mixed, found.comparedState, found.flippedState.length]).toEqual([8, 4, 8, 2]);
    expect(found.flippedRollout).toEqual([]); // each rollout earns all in its second turn
    const same = readTurnRewards(rollouts.map(({ turns }) => factsWith(null, turns.map((turn) => ({ ...turn, state: turnOf().state })))))!; // prettier-ignore
    expect([same.mixed, same.flippedState.length]).toEqual([0, 0]);
  });

  test('outcomes stand for turns without rewards; who lives longer is compared with those who do', () => {
    const plain = (reward: number, length: number) => factsWith(reward, Array.from({ length }, (_, index) => turnOf({ index, state: index }))); // prettier-ignore
    // Index 0: mean of 1, 0, 0, −1 is 0; index 1: mean of 0 and −1 is −0.5; index 2: −1 alone.
    const found = readTurnRewards([plain(1, 1), plain(0, 2), plain(-1, 3), plain(0, 1)])!;
    expect(found.groups[0].ofTurns).toBe(false);
    expect(found.groups[0].baselines.map(({ rollouts: there, mean }) => [there, mean])).toEqual([[4, 0], [2, -0.5], [1, -1]]); // prettier-ignore
    expect([found.alone, found.turns]).toEqual([1, 7]);
    expect(found.groups[0].rollouts[1].turns.map(({ overIndex, overRollout }) => [overIndex, overRollout])).toEqual([[0, 0], [0.5, 0]]); // prettier-ignore
  });

  test('a turn may gain over its index while its rollout loses', () => {
    // Returns 4, 2 and 1, 1: whole means 2.5; second turns 2 and 1 over 1.5, and third none.
    const found = readTurnRewards([path([4, -2], [0, 1]), path([-1, 2], [0, 2])])!;
    expect(found.groups[0].rollouts.map(({ turns }) => turns.map(({ value }) => value))).toEqual([[2, -2], [1, 2]]); // prettier-ignore
    // Over the rollout 0.5 and −0.5; second turns over the index −2 and 2.
    expect(found.flippedRollout).toHaveLength(2);
  });

  test('nothing is said without rewards, of one rollout, or of several rows', () => {
    expect(readTurnRewards([factsWith(null, [turnOf()]), factsWith(null, [turnOf()])])).toBeNull();
    expect(readTurnRewards([path([1], [0])])).toBeNull();
    const rows = [path([1], [0]), path([0], [0]), factsWith(1, [turnOf({ reward: 1 })], { rows: 2 })];
    expect(readTurnRewards(rows)!.leftOut).toBe(1);
  });
});

describe('tool use over steps', () => {
  const steps = (calls: readonly number[], reward: (at: number) => number | null) =>
    calls.map((each, at) => ({ step: at + 1, update: at + 1, calls: each, reward: reward(at) }));

  test('a collapse is told with its first step, its slope and its correlation', () => {
    const use = readToolUse(steps([4, 4, 4, 4, 3, 2, 1, 1, 0], (at) => at / 10))!;
    expect([use.window, use.start, use.end, use.trend]).toEqual([3, 4, 2 / 3, 'collapsed']);
    // Means over three steps from step n: 4, 4, 11/3, 3, 2, …; below 3.6 from step 4 on, which itself has 4.
    expect(use.declinesFrom?.step).toBe(5);
    // Σ(step − 5)(calls) = −4·4 −3·4 −2·4 −1·4 +0 +2 +2 +3 +0 = −33, over Σ(step − 5)² = 60
    expect(use.slope).toBeCloseTo(-33 / 60, 12);
    expect(use.correlation).toBeLessThan(-0.9);
    expect([use.startReward, use.endReward]).toEqual([expect.closeTo(0.1, 12), expect.closeTo(0.7, 12)]);
  });

  test('a dip that is made up for is none; half of the start is a decline, and none is never', () => {
    const dip = readToolUse(steps([4, 4, 1, 1, 4, 4], () => 0.5))!;
    expect([dip.trend, dip.declinesFrom, dip.correlation]).toEqual(['steady', null, null]);
    expect(readToolUse(steps([4, 3, 2], () => null))!.trend).toBe('declined');
    expect(readToolUse(steps([0, 0, 0], () => 1))!.trend).toBe('never');
    expect(readToolUse(steps([1, 1, 2], () => 1))!.trend).toBe('rose');
    expect(readToolUse(steps([4, 0], () => 1))).toBeNull();
  });

  test('within groups those who call more earn more, whatever groups are worth', () => {
    const calling = (prompt: number, calls: number, reward: number) => factsWith(reward, [turnOf({ calls })], { prompt }); // prettier-ignore
    const rollouts = [calling(0, 1, 0.1), calling(0, 3, 0.3), calling(1, 0, 10), calling(1, 2, 10.2)];
    expect(callsWithinGroups(rollouts)).toEqual({ rollouts: 4, correlation: expect.closeTo(1, 9) as number });
    expect(callsWithinGroups([calling(0, 1, 1), calling(1, 3, 0)])).toEqual({
      rollouts: 0,
      correlation: null,
    });
  });
});

test('statistics: quantiles between values, a correlation only where both vary', () => {
  expect([quantile([1, 2, 4], 0.5), quantile([1, 2, 4], 0.75), quantile([7], 0.99)]).toEqual([2, 3, 7]);
  expect(correlation([[1, 2], [2, 1]])).toBeCloseTo(-1, 12); // prettier-ignore
  expect([correlation([[0.1, 1], [0.1, 2]]), correlation([[1, 1]]), slope([[1, 3]])]).toEqual([null, null, null]); // prettier-ignore
});
