/** Float64 references of the token_stats kernels, with the symbols of their headers. */

export interface RowStats {
  readonly lse: number; // nats
  readonly logProb: number; // nats
  readonly entropy: number; // nats
}

/** One row of scaled logits z. */
export function rowStats(z: readonly number[], chosen: number): RowStats {
  const m = Math.max(...z);
  let sum = 0;
  for (const x of z) sum += Math.exp(x - m);
  const lse = m + Math.log(sum);
  let entropy = 0;
  for (const x of z) entropy += Math.exp(x - lse) * (lse - x);
  return { lse, logProb: z[chosen] - lse, entropy };
}

export interface TokenStatsInput {
  readonly rows: number;
  readonly vocab: number;
  readonly stride: number;
  readonly inverseTemperature: number;
  readonly logits: ArrayLike<number>; // [rows,stride]
  readonly chosen: ArrayLike<number>; // [rows]
}

export const scaledRow = (input: Omit<TokenStatsInput, 'chosen'>, row: number): number[] =>
  Array.from(
    { length: input.vocab },
    (_, v) => input.inverseTemperature * input.logits[row * input.stride + v],
  );

export function tokenStatsForward(input: TokenStatsInput) {
  const lse = new Float64Array(input.rows);
  const logProb = new Float64Array(input.rows);
  const entropy = new Float64Array(input.rows);
  for (let s = 0; s < input.rows; s++) {
    const stats = rowStats(scaledRow(input, s), input.chosen[s]);
    lse[s] = stats.lse;
    logProb[s] = stats.logProb;
    entropy[s] = stats.entropy;
  }
  return { lse, logProb, entropy };
}

export function tokenStatsBackward(
  input: TokenStatsInput,
  dlogProb: ArrayLike<number>, // [rows] ∂loss/∂logProb
  dentropy: ArrayLike<number>, // [rows] ∂loss/∂entropy
): Float64Array {
  const dlogits = new Float64Array(input.rows * input.stride);
  for (let s = 0; s < input.rows; s++) {
    const z = scaledRow(input, s);
    const { lse, entropy } = rowStats(z, input.chosen[s]);
    for (let v = 0; v < input.vocab; v++) {
      const p = Math.exp(z[v] - lse);
      const hit = v === input.chosen[s] ? 1 : 0;
      const gradient = dlogProb[s] * (hit - p) + dentropy[s] * p * (lse - z[v] - entropy);
      dlogits[s * input.stride + v] = input.inverseTemperature * gradient;
    }
  }
  return dlogits;
}
