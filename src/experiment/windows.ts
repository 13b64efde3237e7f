/** What a window of updates is, and from where on a run is in trouble: alarms and experiments say it alike. Pure. */

/** Means are over these many updates: metrics of 8 to 16 prompts jump by a third from one update to the next. */
export const WINDOW = 5;
/** Of the turns beyond the first at the start. Healthy runs keep 0.7 and more, collapsing ones lose all. */
export const TURNS_LEFT = 0.5;
/** Exact match that has risen by less counts as flat: one standard error of a window. */
export const FLAT = 0.05;
/** Of trees. Healthy three-hop runs reach 0.49 over a window, runs that collapse 0.6 within ten updates. */
export const DEAD_SHARE = 0.6;

/** Mean over the window that ends at `at`; null while the run is shorter. */
export function recent<Each>(
  history: readonly Each[],
  at: number,
  of: (each: Each) => number,
): number | null {
  if (at + 1 < WINDOW) return null;
  return history.slice(at + 1 - WINDOW, at + 1).reduce((sum, each) => sum + of(each), 0) / WINDOW;
}

/** Mean over the first window; null until a whole other one has followed. */
export const atStart = <Each>(
  history: readonly Each[],
  at: number,
  of: (each: Each) => number,
): number | null => (at + 1 < 2 * WINDOW ? null : recent(history, WINDOW - 1, of));
