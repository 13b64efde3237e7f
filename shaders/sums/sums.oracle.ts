/** Float64 oracle of dot_product: Σ left·right of each block. */
export function dotProduct(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  length: number,
  block: number,
): Float64Array {
  const partial = new Float64Array(Math.ceil(length / block));
  for (let i = 0; i < length; i++) partial[Math.floor(i / block)] += left[i] * right[i];
  return partial;
}

/** Float64 oracle of column_sum: total[c] + Σ_r partial[r, offset + c]. */
export function columnSum(
  rows: number,
  columns: number,
  stride: number,
  offset: number,
  partial: ArrayLike<number>,
  total: ArrayLike<number>,
): Float64Array {
  const result = Float64Array.from(total);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) result[c] += partial[r * stride + offset + c];
  }
  return result;
}
