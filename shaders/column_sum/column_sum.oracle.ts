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
