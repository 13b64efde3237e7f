/** A KL coefficient that follows a target. */

export interface KlTarget {
  readonly target: number; // nats
  readonly horizon: number; // rows over which a full error of 1 would double it; positive
}

/** Errors beyond ±20 % of the target count as 20 %. */
const LARGEST_ERROR = 0.2;

/**
 * The coefficient after some rows: c·(1 + clip(KL/target − 1, ±0.2)·rows/horizon).
 * @param currentKl mean over the rows, nats
 * @see arXiv:1909.08593 Sec. 2.2; released code AdaptiveKLController
 */
export function adaptedKlCoefficient(
  coefficient: number,
  currentKl: number,
  rows: number,
  { target, horizon }: KlTarget,
): number {
  const error = Math.min(Math.max(currentKl / target - 1, -LARGEST_ERROR), LARGEST_ERROR);
  return coefficient * (1 + (error * rows) / horizon);
}
