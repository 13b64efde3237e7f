/** How training went while the page was hidden, against before. Pure. */
import type { UpdateState } from '../../store/run_state.ts';

export interface HiddenRate {
  readonly updates: number; // finished while hidden
  readonly before: number; // seconds per update, as visible
  readonly hidden: number; // seconds per update, as hidden
  readonly slower: number; // share of the rate that was lost; below zero: it was quicker
}

const MOST = 20; // updates before that are looked at: later ones are the more alike

const secondsOf = (updates: readonly UpdateState[]): number =>
  updates.reduce(
    (sum, { metrics }) => sum + (metrics ? (metrics.rolloutMs + metrics.trainMs) / 1000 : 0),
    0,
  ) / updates.length;

/**
 * Compares updates finished while hidden with those before, by the engine's own clock.
 * @param first number of updates finished when the page was hidden
 * @param last when it was shown again
 * @returns null where there is nothing to compare
 */
export function hiddenRate(updates: readonly UpdateState[], first: number, last: number): HiddenRate | null {
  const done = updates.filter(({ metrics }) => metrics !== null);
  // The update that was under way at either end belongs to neither.
  const hiddenOnes = done.slice(first + 1, last);
  const before = done.slice(Math.max(0, first - MOST), first);
  if (hiddenOnes.length === 0 || before.length === 0) return null;
  const [seen, unseen] = [secondsOf(before), secondsOf(hiddenOnes)];
  if (seen === 0 || unseen === 0) return null;
  return { updates: hiddenOnes.length, before: seen, hidden: unseen, slower: 1 - seen / unseen };
}
