/** Small statistics that several questions need. Pure. */

/** By key, in order of their first; `Map.groupBy`, which not every browser has. */
export function grouped<Key, Item>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): readonly (readonly [Key, readonly Item[]])[] {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const own = groups.get(key);
    if (own) own.push(item);
    else groups.set(key, [item]);
  }
  return [...groups];
}

export const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

export const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : sumOf(values) / values.length;

/** @param sorted ascending; between two values on the straight line, as numpy's default */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** Pearson's; null where one of the two does not vary, and of fewer than two pairs. */
export function correlation(pairs: readonly (readonly [number, number])[]): number | null {
  if (pairs.length < 2) return null;
  const [x, y] = [sumOf(pairs.map(([one]) => one)), sumOf(pairs.map(([, other]) => other))].map((sum) => sum / pairs.length); // prettier-ignore
  const moment = (of: (one: number, other: number) => number): number =>
    sumOf(pairs.map(([one, other]) => of(one - x, other - y)));
  const [xx, yy] = [moment((one) => one * one), moment((_, other) => other * other)];
  const tiny = 1e-24 * pairs.length; // what equal numbers leave of rounding
  return xx <= tiny || yy <= tiny ? null : moment((one, other) => one * other) / Math.sqrt(xx * yy);
}

/** Slope of the least-squares line; null of fewer than two points. */
export function slope(points: readonly (readonly [number, number])[]): number | null {
  if (points.length < 2) return null;
  const [x, y] = [sumOf(points.map(([one]) => one)), sumOf(points.map(([, other]) => other))].map((sum) => sum / points.length); // prettier-ignore
  const spread = sumOf(points.map(([one]) => (one - x) ** 2));
  return spread === 0 ? null : sumOf(points.map(([one, other]) => (one - x) * (other - y))) / spread;
}
