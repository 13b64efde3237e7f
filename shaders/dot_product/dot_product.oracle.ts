/** Float64 reference, with the symbols of the header. */
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
