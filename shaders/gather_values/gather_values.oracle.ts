/** Float64 references of the gather_values kernels, with the symbols of their headers. */

export const gatherValuesForward = (
  values: ArrayLike<number>, // [·]
  ids: ArrayLike<number>, // [count]
): Float64Array => Float64Array.from(ids, (id) => values[id]);

export function gatherValuesBackward(
  count: number,
  dy: ArrayLike<number>, // [·]
  offsets: ArrayLike<number>, // [count+1]
  sources: ArrayLike<number>,
): Float64Array {
  const dvalues = new Float64Array(count);
  for (let u = 0; u < count; u++) {
    for (let o = offsets[u]; o < offsets[u + 1]; o++) dvalues[u] += dy[sources[o]];
  }
  return dvalues;
}
