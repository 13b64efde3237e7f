/**
 * Rewards of turns, and what a baseline by turn index does with them. The return of a turn is what the rollout earns from it on;
 * where no turn has a reward of its own, it is the outcome. A baseline by turn index takes the mean over the rollouts of the group
 * that come to that turn, whatever they have read by then; one by state only over those that have read the same. Pure.
 */
import type { NodeId, RolloutFacts, TurnFacts } from '../../units.ts';
import { grouped, meanOf, sumOf } from './statistics.ts';

export interface TurnReturn {
  readonly turn: TurnFacts;
  readonly reward: number | null; // of the turn alone
  readonly value: number; // return from here on
  readonly overIndex: number; // return less the mean of its turn index
  readonly overRollout: number; // the rollout's whole return less the mean of the group's
  readonly overState: number | null; // return less the mean of its state; null: no other rollout is there
}

export interface RolloutReturns {
  readonly rollout: RolloutFacts;
  readonly turns: readonly TurnReturn[];
}

export interface IndexBaseline {
  readonly index: number; // turn, from 0
  readonly rollouts: number; // that live there
  readonly mean: number; // the baseline
  readonly stateMeans: readonly {
    readonly state: number;
    readonly after: NodeId;
    readonly rollouts: number;
    readonly mean: number;
  }[];
}

export interface GroupReturns {
  readonly prompt: number;
  readonly ofTurns: boolean; // false: the outcome stands for each turn
  readonly rollouts: readonly RolloutReturns[];
  readonly baselines: readonly IndexBaseline[];
}

export interface TurnRewards {
  readonly groups: readonly GroupReturns[];
  readonly leftOut: number; // rollouts with several rows, or without a reward
  readonly turns: number;
  readonly alone: number; // turns whose index no other rollout comes to: over it they get 0
  readonly mixed: number; // turns whose index mixes states
  readonly flippedRollout: readonly TurnReturn[]; // other sign over the index than over the rollout
  readonly comparedState: number;
  readonly flippedState: readonly TurnReturn[]; // and than over the state
}

const hasTurnRewards = ({ turns }: RolloutFacts): boolean =>
  turns.length > 0 && turns.every(({ reward }) => reward !== null);

const orderOf = ({ turns }: RolloutFacts): readonly TurnFacts[] =>
  turns.toSorted((one, other) => one.index - other.index);

/** By turn. @param ofTurns whether turns have rewards of their own */
const returnsOf = (rollout: RolloutFacts, ofTurns: boolean): readonly number[] =>
  orderOf(rollout).map((_, at, turns) =>
    ofTurns ? sumOf(turns.slice(at).map(({ reward }) => reward ?? 0)) : (rollout.reward ?? 0),
  );

interface Entry {
  readonly turn: TurnFacts;
  readonly value: number;
}

const meanValue = (entries: readonly Entry[]): number => meanOf(entries.map(({ value }) => value)) ?? 0;

const baselineAt = (index: number, here: readonly Entry[]): IndexBaseline => ({
  ...{ index, rollouts: here.length, mean: meanValue(here) },
  stateMeans: grouped(here, ({ turn }) => turn.state).map(([state, own]) => ({
    ...{ state, after: own[0].turn.after, rollouts: own.length, mean: meanValue(own) },
  })),
});

function groupReturns(prompt: number, rollouts: readonly RolloutFacts[], ofTurns: boolean): GroupReturns {
  const held = rollouts.map((rollout) => {
    const values = returnsOf(rollout, ofTurns);
    return { rollout, entries: orderOf(rollout).map((turn, at): Entry => ({ turn, value: values[at] })) };
  });
  const baselines = grouped(held.flatMap(({ entries }) => entries), ({ turn }) => turn.index)
    .map(([index, here]) => baselineAt(index, here))
    .toSorted((one, other) => one.index - other.index); // prettier-ignore
  const byIndex = new Map(baselines.map((each) => [each.index, each]));
  const whole = meanValue(held.map(({ entries }) => entries[0]));
  const returnOf = ({ turn, value }: Entry, first: Entry): TurnReturn => {
    const { mean, stateMeans } = byIndex.get(turn.index)!;
    const same = stateMeans.find(({ state }) => state === turn.state)!;
    return {
      ...{ turn, reward: turn.reward, value, overIndex: value - mean, overRollout: first.value - whole },
      overState: same.rollouts < 2 ? null : value - same.mean,
    };
  };
  return {
    ...{ prompt, ofTurns, baselines },
    rollouts: held.map(({ rollout, entries }) => ({
      rollout,
      turns: entries.map((entry) => returnOf(entry, entries[0])),
    })),
  };
}

const TINY = 1e-9; // what rounding leaves of 0
const signOf = (value: number): number => (Math.abs(value) < TINY ? 0 : Math.sign(value));
const isFlipped = (one: number, other: number): boolean => signOf(one) * signOf(other) < 0;

/** Groups of two rollouts or more; null where there is none with rewards. */
export function readTurnRewards(rollouts: readonly RolloutFacts[]): TurnRewards | null {
  const isUsable = (each: RolloutFacts): boolean => each.rows === 1 && each.turns.length > 0 && (each.reward !== null || hasTurnRewards(each)); // prettier-ignore
  const usable = rollouts.filter(isUsable);
  const groups = grouped(usable, ({ prompt }) => prompt).flatMap(([prompt, own]) => {
    const ofTurns = own.every(hasTurnRewards);
    const scored = ofTurns ? own : own.filter(({ reward }) => reward !== null);
    return scored.length < 2 ? [] : [groupReturns(prompt, scored, ofTurns)];
  });
  if (groups.length === 0) return null;
  const baselineOf = ({ baselines }: GroupReturns, { index }: TurnFacts): IndexBaseline => baselines.find((each) => each.index === index)!; // prettier-ignore
  const turns = groups.flatMap((group) => group.rollouts.flatMap((each) => each.turns.map((turn) => ({ turn, baseline: baselineOf(group, turn.turn) })))); // prettier-ignore
  const all = turns.map(({ turn }) => turn);
  return {
    ...{ groups, turns: turns.length },
    leftOut: rollouts.length - groups.reduce((sum, group) => sum + group.rollouts.length, 0),
    alone: turns.filter(({ baseline }) => baseline.rollouts === 1).length,
    mixed: turns.filter(({ baseline }) => baseline.stateMeans.length > 1).length,
    flippedRollout: all.filter(({ overIndex, overRollout }) => isFlipped(overIndex, overRollout)),
    comparedState: all.filter(({ overState }) => overState !== null).length,
    flippedState: all.filter(
      ({ overIndex, overState }) => overState !== null && isFlipped(overIndex, overState),
    ),
  };
}
