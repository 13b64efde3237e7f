/** When a run has collapsed, and which signal told it first. Pure. */
import { quantile, wilsonInterval, type Interval } from './statistics.ts';
import { atStart, DEAD_SHARE, FLAT, recent, TURNS_LEFT, WINDOW } from './windows.ts';

/** Signals of a run by update, as result files have them; null where an update's is not finite. Shares, turns, nats. */
export const SIGNALS = ['exactMatch', 'deadTrees', 'depth', 'entropy', 'clipFraction', 'malformed'] as const;
export type Signal = (typeof SIGNALS)[number];
export type Curve = readonly (number | null)[];
export type Curves = Readonly<Partial<Record<Signal, Curve>>>;

const plain = (value: number | null): number => value ?? NaN;
const now = (curve: Curve | undefined, at: number): number => recent(curve ?? [], at, plain) ?? NaN;
const start = (curve: Curve | undefined, at: number): number => atStart(curve ?? [], at, plain) ?? NaN;

/** Update index → whether the window that ends there is one of a collapsed run. A signal that is missing says no. */
function isDown({ exactMatch, depth, deadTrees }: Curves, at: number): boolean {
  const flat = now(exactMatch, at) - start(exactMatch, at) < FLAT;
  const short = now(depth, at) - 1 < TURNS_LEFT * (start(depth, at) - 1);
  return flat && (short || now(deadTrees, at) >= DEAD_SHARE);
}

/**
 * Where a run collapsed for good: from that update to its end, over windows of five, answers are no better than at the start (exact match has risen by
 * less than 0.05) and paths are short (less than half of the start's turns beyond the first) or trees are dead (0.6 and more).
 * @returns the first such update, from 1; null: it did not collapse, or is shorter than ten updates
 */
export function collapseOf(curves: Curves): number | null {
  const last = (curves.exactMatch?.length ?? 0) - 1;
  let first: number | null = null;
  for (let at = last; at >= 0 && isDown(curves, at); at -= 1) first = at + 1;
  return first;
}

/** A warning: the window's mean passes a threshold, absolute or relative to the first window. */
export interface Sign {
  readonly signal: Signal;
  readonly of: 'value' | 'share of the start';
  readonly side: 'above' | 'below';
  readonly threshold: number;
}

const family = (signal: Signal, of: Sign['of'], side: Sign['side'], thresholds: readonly number[]): readonly Sign[] =>
  thresholds.map((threshold) => ({ signal, of, side, threshold })); // prettier-ignore

/** Tried on every experiment alike. Depth counts turns beyond the first. */
export const EARLY_SIGNS: readonly Sign[] = [
  ...family('deadTrees', 'value', 'above', [0.3, 0.4, 0.5, 0.6]),
  ...family('depth', 'share of the start', 'below', [0.9, 0.8, 0.7, 0.6]),
  ...family('entropy', 'share of the start', 'below', [0.7, 0.5, 0.35, 0.25]),
  ...family('clipFraction', 'value', 'above', [0.05, 0.1, 0.2, 0.4]),
  ...family('malformed', 'share of the start', 'below', [0.5, 0.25, 0.1]),
  ...family('malformed', 'share of the start', 'above', [1.25, 1.5, 2]),
];

/** @returns the first update, from 1, whose window gives the warning; null: none does */
export function firstWarning(curves: Curves, { signal, of, side, threshold }: Sign): number | null {
  const curve = curves[signal] ?? [];
  const base = signal === 'depth' ? 1 : 0;
  for (let at = 0; at < curve.length; at += 1) {
    const reference = of === 'value' ? 1 : start(curve, at) - base;
    const value = (now(curve, at) - base) / reference; // NaN while a window is not whole: no warning
    if (side === 'above' ? value >= threshold : value < threshold) return at + 1;
  }
  return null;
}

/** How a sign did over runs. */
export interface SignRecord {
  readonly sign: Sign;
  readonly collapsed: number; // runs that collapsed and have the signal
  readonly inTime: number; // of them, warned before
  readonly leads: readonly number[]; // updates between warning and collapse, of those in time
  readonly lead: number | null; // median
  readonly survived: number; // runs that did not and have the signal
  readonly falseAlarms: number; // of them, warned at all
  readonly hitInterval: Interval | null; // Wilson, of inTime; null without such runs
  readonly falseInterval: Interval | null;
}

/** Whether a run is long enough for two windows, and has what a collapse is told by. */
export const canCollapse = ({ exactMatch, depth, deadTrees }: Curves): boolean =>
  [exactMatch, depth, deadTrees].every((curve) => (curve?.length ?? 0) >= 2 * WINDOW);

/** @param runs those of an experiment, or of several; those in which no collapse could be told are left out */
export function earlySigns(
  runs: readonly Curves[],
  signs: readonly Sign[] = EARLY_SIGNS,
): readonly SignRecord[] {
  const told = runs.filter(canCollapse).map((curves) => ({ curves, collapse: collapseOf(curves) }));
  return signs.map((sign) => {
    const having = told.filter(({ curves }) => curves[sign.signal]);
    const down = having.flatMap(({ curves, collapse }) =>
      collapse === null ? [] : [collapse - (firstWarning(curves, sign) ?? Infinity)],
    );
    const up = having.filter(({ collapse }) => collapse === null);
    const leads = down.filter((lead) => lead > 0);
    const falseAlarms = up.filter(({ curves }) => firstWarning(curves, sign) !== null).length;
    return {
      ...{ sign, collapsed: down.length, inTime: leads.length, leads, survived: up.length, falseAlarms },
      lead: leads.length === 0 ? null : quantile(leads, 0.5),
      hitInterval: down.length === 0 ? null : wilsonInterval(leads.length, down.length),
      falseInterval: up.length === 0 ? null : wilsonInterval(falseAlarms, up.length),
    };
  });
}
