/**
 * Largest difference between a gradient and the central differences of its scalar function, relative to the
 * gradient's largest element. With h = 1e-5 and values of size 1 the differences themselves are good to 1e-9.
 * @param f depends on x, which is changed and restored in place
 */
export function gradientError(
  f: () => number,
  x: Float64Array,
  gradient: ArrayLike<number>,
  h = 1e-5,
): number {
  let worst = 0;
  let largest = 0;
  for (let index = 0; index < x.length; index++) {
    const value = x[index];
    x[index] = value + h;
    const above = f();
    x[index] = value - h;
    const below = f();
    x[index] = value;
    worst = Math.max(worst, Math.abs((above - below) / (2 * h) - gradient[index]));
    largest = Math.max(largest, Math.abs(gradient[index]));
  }
  return worst / largest;
}

/** Σ a·b. */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index] * b[index];
  return sum;
}
