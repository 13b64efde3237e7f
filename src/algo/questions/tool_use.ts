/** Tool calls per rollout against reward over the steps of training: whether a policy stops to use its tools. Pure. */
import type { RolloutFacts } from '../../units.ts';
import { correlation, grouped, meanOf, slope } from './statistics.ts';

export interface UseOfStep {
  readonly step: number; // of the trainer, as the run or its file counts
  readonly update: number | null; // of the record; null: none of it is in the record
  readonly calls: number; // mean per rollout
  readonly reward: number | null; // mean
}

/** collapsed: less than half of the start is left; declined: less than nine tenths. */
export type UseTrend = 'never' | 'collapsed' | 'declined' | 'steady' | 'rose';

export interface ToolUse {
  readonly steps: readonly UseOfStep[];
  readonly window: number; // steps that start and end are means of
  readonly start: number; // calls per rollout
  readonly end: number;
  readonly startReward: number | null;
  readonly endReward: number | null;
  readonly slope: number; // calls per rollout and step
  readonly correlation: number | null; // of calls and reward over the steps; null: one does not vary, or rewards are unknown
  readonly trend: UseTrend;
  /** The first step below nine tenths of the start from which on the mean over a window stays there too; null: none. */
  readonly declinesFrom: UseOfStep | null;
}

const WINDOW = 5;
const COLLAPSED = 0.5;
const DECLINED = 0.9;
export const FEWEST_STEPS = 3;

function trendOf(start: number, end: number): UseTrend {
  if (start === 0) return end === 0 ? 'never' : 'rose';
  if (end < COLLAPSED * start) return 'collapsed';
  if (end < DECLINED * start) return 'declined';
  return end > start / DECLINED ? 'rose' : 'steady';
}

/** Null of fewer than three steps. */
export function readToolUse(steps: readonly UseOfStep[]): ToolUse | null {
  if (steps.length < FEWEST_STEPS) return null;
  const window = Math.min(WINDOW, Math.floor(steps.length / FEWEST_STEPS));
  const meanCalls = (from: number, to: number): number => meanOf(steps.slice(from, to).map(({ calls }) => calls)) ?? 0; // prettier-ignore
  const meanReward = (from: number, to?: number): number | null => meanOf(steps.slice(from, to).flatMap(({ reward }) => reward ?? [])); // prettier-ignore
  const [start, end] = [meanCalls(0, window), meanCalls(steps.length - window, steps.length)];
  const low = steps.map((_, at) => meanCalls(at, Math.min(steps.length, at + window)) < DECLINED * start);
  const lastHigh = low.lastIndexOf(false);
  return {
    ...{ steps, window, start, end, trend: trendOf(start, end) },
    ...{ startReward: meanReward(0, window), endReward: meanReward(steps.length - window) },
    slope: slope(steps.map(({ step, calls }) => [step, calls] as const)) ?? 0,
    correlation: correlation(steps.flatMap(({ calls, reward }) => (reward === null ? [] : [[calls, reward] as const]))), // prettier-ignore
    declinesFrom: steps.slice(lastHigh + 1).find(({ calls }) => calls < DECLINED * start) ?? null,
  };
}

/** Of calls and reward over rollouts, each less the mean of its group: whether those who call more earn more. */
export function callsWithinGroups(rollouts: readonly RolloutFacts[]): {
  readonly rollouts: number;
  readonly correlation: number | null;
} {
  const scored = rollouts.filter(({ reward }) => reward !== null);
  const groups = grouped(scored, ({ prompt }) => prompt).filter(([, own]) => own.length > 1);
  const pairs = groups.flatMap(([, own]) => {
    const [calls, reward] = [meanOf(own.map((each) => each.calls))!, meanOf(own.map((each) => each.reward!))!]; // prettier-ignore
    return own.map((each) => [each.calls - calls, each.reward! - reward] as const);
  });
  return { rollouts: pairs.length, correlation: correlation(pairs) };
}
