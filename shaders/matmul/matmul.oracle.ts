/** Float64 references of the matmul kernels, with the symbols of their headers. Strides in elements. */

export interface MatmulSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aStride: number;
  readonly bStride: number;
  readonly cStride: number;
  readonly accumulate: number;
  readonly scale: number;
}

type Matrix = ArrayLike<number>;

function matmul(
  sizes: MatmulSizes,
  term: (i: number, j: number, l: number) => number,
  before: Matrix,
): Float64Array {
  const { m, n, k, cStride, accumulate, scale } = sizes;
  const c = Float64Array.from(before);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += term(i, j, l);
      c[i * cStride + j] = scale * sum + (accumulate ? before[i * cStride + j] : 0);
    }
  }
  return c;
}

/** c = scale·a·bᵀ, a [m,k], b [n,k]; `before` is what c held. */
export const matmulNt = (sizes: MatmulSizes, a: Matrix, b: Matrix, before: Matrix): Float64Array =>
  matmul(sizes, (i, j, l) => a[i * sizes.aStride + l] * b[j * sizes.bStride + l], before);

/** c = scale·a·b, a [m,k], b [k,n]. */
export const matmulNn = (sizes: MatmulSizes, a: Matrix, b: Matrix, before: Matrix): Float64Array =>
  matmul(sizes, (i, j, l) => a[i * sizes.aStride + l] * b[l * sizes.bStride + j], before);

/** c = scale·aᵀ·b, a [k,m], b [k,n]. */
export const matmulTn = (sizes: MatmulSizes, a: Matrix, b: Matrix, before: Matrix): Float64Array =>
  matmul(sizes, (i, j, l) => a[l * sizes.aStride + i] * b[l * sizes.bStride + j], before);
