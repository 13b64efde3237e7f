/** Float64 references of the gather_rows kernels, with the symbols of their headers. */

const NONE = 0xffffffff;

export function gatherRowsForward(
  rows: number,
  channels: number,
  table: ArrayLike<number>, // [·,C]
  ids: ArrayLike<number>, // [rows]
): Float64Array {
  const y = new Float64Array(rows * channels);
  for (let n = 0; n < rows; n++) {
    if (ids[n] === NONE) continue;
    for (let c = 0; c < channels; c++) y[n * channels + c] = table[ids[n] * channels + c];
  }
  return y;
}

export function gatherRowsBackward(
  rows: number,
  channels: number,
  dy: ArrayLike<number>, // [·,C]
  offsets: ArrayLike<number>, // [rows+1]
  sources: ArrayLike<number>,
  before: ArrayLike<number> | null, // [rows,C] what dtable held, when adding to it
): Float64Array {
  const dtable = new Float64Array(rows * channels);
  for (let v = 0; v < rows; v++) {
    for (let c = 0; c < channels; c++) {
      let sum = before ? before[v * channels + c] : 0;
      for (let o = offsets[v]; o < offsets[v + 1]; o++) sum += dy[sources[o] * channels + c];
      dtable[v * channels + c] = sum;
    }
  }
  return dtable;
}

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
