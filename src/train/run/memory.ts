/** What a run remembers from update to update beside its networks, what its log says of it, and where a run stands between two. */
import { BOUNDARY_START, type BoundaryState } from '../../algo/reward/boundary.ts';
import type { MemoryChange, OptimalValue } from '../../protocol/protocol.ts';

/** A value: updates and evaluations return the next. */
export interface RunMemory {
  readonly boundary: BoundaryState; // BAPO's
  readonly optimalValues: ReadonlyMap<string, OptimalValue>; // A*-PO's, by question
  readonly rewardModelSteps: number; // optimiser steps of iStar's second network so far
}

export const emptyMemory = (): RunMemory => ({
  boundary: BOUNDARY_START,
  optimalValues: new Map(),
  rewardModelSteps: 0,
});

/** Where a run stands between two updates. Every random number is keyed by seed and update, so nothing else is carried. */
export interface Standing {
  readonly update: number | null; // the last that is over, its evaluations too; 0 before the first; null: not begun
  readonly memory: RunMemory;
}

/** Where every run begins: nothing is evaluated yet. */
export const START: Standing = { update: null, memory: emptyMemory() };

export interface Settled extends Standing {
  readonly update: number;
}

/** What tells questions apart, whatever their place in an update. */
export const questionName = ({ dataset, seed }: Pick<OptimalValue, 'dataset' | 'seed'>): string =>
  `${dataset}/${seed}`;

const isSame = (a: BoundaryState, b: BoundaryState): boolean =>
  a.phase === b.phase && a.best === b.best && a.below === b.below;

/** @returns what `after` remembers differently; null where that is nothing */
export function memoryChange(before: RunMemory, after: RunMemory): MemoryChange | null {
  const found = [...after.optimalValues].filter(([name]) => !before.optimalValues.has(name));
  const change: MemoryChange = {
    ...(isSame(before.boundary, after.boundary) ? {} : { boundary: after.boundary }),
    ...(found.length === 0 ? {} : { optimalValues: found.map(([, value]) => value) }),
    ...(before.rewardModelSteps === after.rewardModelSteps
      ? {}
      : { rewardModelSteps: after.rewardModelSteps }),
  };
  return Object.keys(change).length === 0 ? null : change;
}

/** The memory after a change: added up over a log, what the run remembers there. */
export const remember = (
  memory: RunMemory,
  {
    boundary = memory.boundary,
    optimalValues = [],
    rewardModelSteps = memory.rewardModelSteps,
  }: MemoryChange,
): RunMemory => ({
  boundary,
  optimalValues: new Map([
    ...memory.optimalValues,
    ...optimalValues.map((value) => [questionName(value), value] as const),
  ]),
  rewardModelSteps,
});
